//! Finding an entry by its id.

use countersign_verifier::merkle::LeafHash;

use super::Table;

/// From the first eight bytes of an entry id to where the entry may be.
///
/// Whole ids would take four times the memory. Ids that begin alike, which somebody could make on purpose, stand in
/// neighbouring slots, so that all candidates are found and each is compared with its entry.
#[derive(Debug, Default)]
pub(crate) struct Places(Table<u64, u64>);

impl Places {
    pub(crate) fn insert(&mut self, id: LeafHash, index: u64) {
        let mut key = prefix(id);
        while self.0.get(&key).is_some() {
            key = key.wrapping_add(1);
        }
        self.0.insert(key, index);
    }

    /// Every place at which the entry may be, the likeliest first.
    pub(crate) fn candidates(&self, id: LeafHash) -> Vec<u64> {
        let mut key = prefix(id);
        let mut found = Vec::new();
        while let Some(index) = self.0.get(&key) {
            found.push(*index);
            key = key.wrapping_add(1);
        }
        found
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

fn prefix(id: LeafHash) -> u64 {
    id.as_bytes().first_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_begin_alike_are_all_found() {
        let id = |last: u8| {
            let mut bytes = [7; 32];
            bytes[31] = last;
            LeafHash::from_bytes(bytes)
        };
        let mut places = Places::default();
        for index in 0..5 {
            places.insert(id(u8::try_from(index).unwrap()), index);
        }
        assert_eq!(places.candidates(id(9)), [0, 1, 2, 3, 4]);
        assert_eq!(places.candidates(LeafHash::from_bytes([8; 32])), [0_u64; 0]);
    }
}
