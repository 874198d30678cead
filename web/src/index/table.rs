//! A map that grows in small steps.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

/// How many maps share the keys. With ten million keys, each has ten thousand.
const SHARDS: u64 = 1_024;

/// Values by key.
///
/// A `HashMap` puts all that it has in new places whenever it is full, which takes seconds with millions of keys. Here it is
/// one of many that does so at a time. Which one a key belongs to, nobody can work out from outside.
#[derive(Debug)]
pub(crate) struct Table<K, V> {
    shards: Vec<HashMap<K, V>>,
    of: RandomState,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| HashMap::new()).collect(), of: RandomState::new() }
    }
}

impl<K: Hash + Eq, V> Table<K, V> {
    fn shard<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        usize::try_from(self.of.hash_one(key) % SHARDS).unwrap_or(0)
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.shards.get(self.shard(key))?.get(key)
    }

    /// Sets the value of a key.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        let shard = self.shard(&key);
        if let Some(shard) = self.shards.get_mut(shard) {
            shard.insert(key, value);
        }
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let shard = self.shard(key);
        self.shards.get_mut(shard)?.get_mut(key)
    }

    /// About how much memory the maps take, without what keys and values point to.
    pub(crate) fn bytes(&self) -> usize {
        // A map has a byte of its own beside each of its places.
        let place = size_of::<(K, V)>().saturating_add(1);
        self.shards.iter().map(|shard| shard.capacity().saturating_mul(place)).fold(0, usize::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_map_that_grows_in_small_steps() {
        let mut table = Table::default();
        let mut largest = 0;
        for number in 0..200_000_u64 {
            let before: Vec<usize> =
                table.shards.iter().map(HashMap::capacity).filter(|_| number % 997 == 0).collect();
            assert_eq!(table.get(&number), None);
            table.insert(number, number + 1);
            // What one insertion has to put in new places.
            let grown =
                before.iter().zip(&table.shards).filter(|(before, shard)| **before < shard.capacity());
            largest = grown.map(|(_, shard)| shard.len()).fold(largest, usize::max);
        }
        assert!((0..200_000).all(|number| table.get(&number) == Some(&(number + 1))));
        assert_eq!(table.get(&200_000), None);
        table.insert(7, 7);
        assert_eq!(table.get(&7), Some(&7));
        let most = table.shards.iter().map(HashMap::len).max().unwrap();
        assert!(largest <= most && most < 200_000 / 200, "{largest} of {most} were moved at once");
    }
}
