//! A file: what it holds, and what of it would be left.

use super::dice::Dice;
use super::power_cut::Kept;

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// A change that no sync has made durable yet.
#[derive(Debug, Clone)]
struct Change {
    /// Its place among all changes of the disk.
    number: u64,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Write { at: usize, bytes: Vec<u8> },
    Resize(usize),
}

impl What {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => put(content, *at, bytes),
            Self::Resize(length) => content.resize(*length, 0),
        }
    }

    const fn length_after(&self, before: usize) -> usize {
        match self {
            Self::Write { at, bytes } => {
                let end = at.saturating_add(bytes.len());
                if end > before { end } else { before }
            }
            Self::Resize(length) => *length,
        }
    }
}

/// A file: what processes see in it, and what of that is durable.
#[derive(Debug, Clone, Default)]
pub(super) struct File {
    seen: Vec<u8>,
    durable: Vec<u8>,
    changes: Vec<Change>,
}

impl File {
    /// What processes see.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.seen
    }

    pub(super) fn write(&mut self, number: u64, at: usize, bytes: &[u8]) {
        self.change(Change { number, what: What::Write { at, bytes: bytes.to_vec() } });
    }

    pub(super) fn resize(&mut self, number: u64, length: usize) {
        self.change(Change { number, what: What::Resize(length) });
    }

    fn change(&mut self, change: Change) {
        change.what.apply(&mut self.seen);
        self.changes.push(change);
    }

    /// Everything that was written so far is durable.
    pub(super) fn sync(&mut self) {
        for change in self.changes.drain(..) {
            change.what.apply(&mut self.durable);
        }
    }

    /// A sync failed. As on Linux, what it should have made durable is still seen, counts as clean, and no later sync
    /// will write it.
    pub(super) fn sync_failed(&mut self) {
        self.changes.clear();
    }

    /// The numbers of the first and the last change that is not durable.
    pub(super) fn open_changes(&self) -> Option<(u64, u64)> {
        Some((self.changes.first()?.number, self.changes.last()?.number))
    }

    /// The file as it is found after the power was cut.
    pub(super) fn after(&self, kept: &Kept, dice: &mut Dice) -> Self {
        let mut left = self.durable.clone();
        match kept {
            Kept::Synced => {}
            Kept::Before(cut) => {
                for Change { number, what } in &self.changes {
                    match (number.cmp(cut), what) {
                        (core::cmp::Ordering::Less, what) => what.apply(&mut left),
                        // The last write is torn.
                        (core::cmp::Ordering::Equal, What::Write { at, bytes }) => {
                            let length = usize::try_from(dice.below(bytes.len() as u64 + 1)).unwrap_or(0);
                            put(&mut left, *at, bytes.get(..length).unwrap_or_default());
                        }
                        _ => {}
                    }
                }
            }
            Kept::Sectors => left = self.sectors(dice),
        }
        Self { seen: left.clone(), durable: left, changes: Vec::new() }
    }

    /// Each sector as of a moment of its own since the last sync, and the length as of another.
    fn sectors(&self, dice: &mut Dice) -> Vec<u8> {
        let mut moment = || usize::try_from(dice.below(self.changes.len() as u64 + 1)).unwrap_or(0);
        let length = self
            .changes
            .iter()
            .take(moment())
            .fold(self.durable.len(), |length, change| change.what.length_after(length));
        let mut left = self.durable.clone();
        left.resize(length, 0);
        for (sector, bytes) in left.chunks_mut(SECTOR).enumerate() {
            let start = sector.saturating_mul(SECTOR);
            for Change { what, .. } in self.changes.iter().take(moment()) {
                match what {
                    What::Write { at, bytes: written } => overlay(bytes, start, *at, written),
                    What::Resize(length) => {
                        let kept = length.saturating_sub(start);
                        bytes.iter_mut().skip(kept).for_each(|byte| *byte = 0);
                    }
                }
            }
        }
        left
    }
}

/// Writes into a file that grows as it has to.
fn put(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at.saturating_add(bytes.len());
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(target) = content.get_mut(at..end) {
        target.copy_from_slice(bytes);
    }
}

/// Writes into the part of a file that begins at `start`, as much as falls into it.
fn overlay(part: &mut [u8], start: usize, at: usize, written: &[u8]) {
    let (skipped, into) = (start.saturating_sub(at), at.saturating_sub(start));
    let written = written.get(skipped..).unwrap_or_default();
    for (byte, new) in part.iter_mut().skip(into).zip(written) {
        *byte = *new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn synced(bytes: &[u8]) -> File {
        let mut file = File::default();
        file.write(0, 0, bytes);
        file.sync();
        file
    }

    #[test]
    fn only_what_was_synced_is_left() {
        let mut file = synced(b"old");
        file.write(1, 3, b" new");
        assert_eq!(file.bytes(), b"old new");
        assert_eq!(file.after(&Kept::Synced, &mut Dice::new(1)).bytes(), b"old");
        file.sync();
        assert_eq!(file.after(&Kept::Synced, &mut Dice::new(1)).bytes(), b"old new");
        file.resize(2, 1);
        assert_eq!(file.after(&Kept::Synced, &mut Dice::new(1)).bytes(), b"old new");
    }

    #[test]
    fn a_beginning_ends_in_a_torn_write() {
        let mut file = synced(b"");
        file.write(1, 0, b"one");
        file.write(2, 3, b"two");
        file.write(3, 6, b"three");
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..100 {
            seen.insert(file.after(&Kept::Before(2), &mut Dice::new(seed)).bytes().to_vec());
        }
        let expected: Vec<&[u8]> = vec![b"one", b"onet", b"onetw", b"onetwo"];
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn sectors_are_each_as_of_some_moment() {
        let mut file = synced(&[0; 2 * SECTOR]);
        for number in 1..=3_u8 {
            file.write(number.into(), 0, &[number; 2 * SECTOR]);
        }
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..400 {
            let left = file.after(&Kept::Sectors, &mut Dice::new(seed));
            for sector in left.bytes().chunks(SECTOR) {
                assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is never torn");
            }
            seen.insert((left.bytes()[0], left.bytes()[SECTOR]));
        }
        assert_eq!(seen.len(), 16, "in any combination");
    }

    #[test]
    fn what_a_failed_sync_should_have_written_is_seen_and_never_durable() {
        let mut file = synced(b"old");
        file.write(1, 0, b"new");
        file.sync_failed();
        file.write(2, 3, b"er");
        file.sync();
        assert_eq!(file.bytes(), b"newer");
        assert_eq!(file.after(&Kept::Synced, &mut Dice::new(1)).bytes(), b"older");
    }
}
