//! What was used lately, in bounded memory.

use std::collections::HashMap;
use std::hash::Hash;

/// Keeps what was used lately, in two generations. What is put in or found is young; once the young weigh half of the
/// bound, they become the old ones, and the old ones that nobody asked for meanwhile are forgotten.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    young: HashMap<K, (usize, V)>,
    old: HashMap<K, (usize, V)>,
    weight: usize,
    bound: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Recent<K, V> {
    /// Nothing yet; all that is kept weighs at most `bound`.
    pub(crate) fn new(bound: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), weight: 0, bound }
    }

    /// What is kept under a key.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        if let Some((_, value)) = self.young.get(key) {
            return Some(value.clone());
        }
        let (weight, value) = self.old.remove(key)?;
        self.put(key.clone(), value.clone(), weight);
        Some(value)
    }

    /// Keeps something. What weighs more than half of the bound is not kept.
    pub(crate) fn put(&mut self, key: K, value: V, weight: usize) {
        let half = self.bound / 2;
        if weight > half {
            return;
        }
        if self.weight.saturating_add(weight) > half {
            self.old = core::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight = self.weight.saturating_add(weight);
        if let Some((before, _)) = self.young.insert(key, (weight, value)) {
            self.weight = self.weight.saturating_sub(before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_bounded() {
        let mut recent = Recent::new(100);
        for number in 0..1000_u32 {
            recent.put(number, number, 10);
            assert!(number == 0 || recent.get(&0) == Some(0), "it was used again and again: {number}");
            let all = recent.young.len() + recent.old.len();
            assert!(all <= 10, "{all}");
        }
        assert_eq!(recent.get(&500), None);
        assert_eq!(recent.get(&999), Some(999));
        recent.put(7, 7, 51);
        assert_eq!(recent.get(&7), None, "too heavy");
        for _ in 0..100 {
            recent.put(8, 8, 10);
        }
        assert_eq!(recent.get(&0), Some(0), "the same thing again takes no more room");
    }
}
