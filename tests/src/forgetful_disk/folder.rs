//! A folder: which names it has, and which of them would be left.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::power_cut::Kept;

/// The names of a folder, each with the number of its node.
type Names = BTreeMap<OsString, u64>;

/// A folder: the names that processes see, and those that are durable.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    seen: Names,
    durable: Names,
    changes: Vec<(u64, Change)>,
}

/// A change that no sync of the folder has made durable yet. A renaming is one, as on any file system with a journal.
#[derive(Debug, Clone)]
enum Change {
    Add(OsString, u64),
    Remove(OsString),
    Rename { from: OsString, to: OsString },
}

impl Change {
    fn apply(&self, names: &mut Names) {
        match self {
            Self::Add(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
            Self::Rename { from, to } => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
        }
    }
}

impl Folder {
    /// The node of a name.
    pub(super) fn get(&self, name: &OsStr) -> Option<u64> {
        self.seen.get(name).copied()
    }

    /// The names that processes see, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = (&OsStr, u64)> {
        self.seen.iter().map(|(name, node)| (name.as_os_str(), *node))
    }

    pub(super) fn add(&mut self, number: u64, name: &OsStr, node: u64) {
        self.change(number, Change::Add(name.to_owned(), node));
    }

    pub(super) fn remove(&mut self, number: u64, name: &OsStr) {
        self.change(number, Change::Remove(name.to_owned()));
    }

    pub(super) fn rename(&mut self, number: u64, from: &OsStr, to: &OsStr) {
        self.change(number, Change::Rename { from: from.to_owned(), to: to.to_owned() });
    }

    fn change(&mut self, number: u64, change: Change) {
        change.apply(&mut self.seen);
        self.changes.push((number, change));
    }

    /// All names are durable as they are.
    pub(super) fn sync(&mut self) {
        self.durable.clone_from(&self.seen);
        self.changes.clear();
    }

    /// The numbers of the first and the last change that is not durable.
    pub(super) fn open_changes(&self) -> Option<(u64, u64)> {
        Some((self.changes.first()?.0, self.changes.last()?.0))
    }

    /// The folder as it is found after the power was cut. `journal` is the change up to which the file system had
    /// written its journal, where that is not said by `kept`.
    pub(super) fn after(&self, kept: &Kept, journal: u64) -> Self {
        let before = match kept {
            Kept::Synced => 0,
            Kept::Before(cut) => *cut,
            Kept::Sectors => journal,
        };
        let mut left = self.durable.clone();
        for (_, change) in self.changes.iter().filter(|(number, _)| *number < before) {
            change.apply(&mut left);
        }
        Self { seen: left.clone(), durable: left, changes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Folder) -> Vec<(&str, u64)> {
        folder.names().map(|(name, node)| (name.to_str().unwrap(), node)).collect()
    }

    #[test]
    fn names_last_when_the_folder_was_synced() {
        let mut folder = Folder::default();
        folder.add(1, "a".as_ref(), 2);
        folder.sync();
        folder.add(2, "b".as_ref(), 3);
        folder.rename(3, "b".as_ref(), "a".as_ref());
        folder.remove(4, "a".as_ref());
        assert_eq!(names(&folder), []);
        assert_eq!(names(&folder.after(&Kept::Synced, 0)), [("a", 2)]);
        assert_eq!(names(&folder.after(&Kept::Before(3), 0)), [("a", 2), ("b", 3)]);
        assert_eq!(names(&folder.after(&Kept::Sectors, 4)), [("a", 3)]);
        folder.sync();
        assert_eq!(names(&folder.after(&Kept::Synced, 0)), []);
    }
}
