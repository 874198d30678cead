//! The disk itself: its nodes, and what is to go wrong with it.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use fuser::Errno;

use super::dice::Dice;
use super::fault::{Cut, Failure, Fault, Operation};
use super::file::File;
use super::folder::Folder;
use super::power_cut::Kept;

/// The folder in which everything lies.
pub(super) const ROOT: u64 = 1;
/// No file of a test is larger, in bytes.
const MAX_FILE: usize = 1 << 30;

/// A file or a folder.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) content: Content,
    /// The permission bits.
    pub(super) mode: u16,
    /// Where it was last, from the root.
    path: String,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    File(File),
    Folder(Folder),
}

/// A disk, and what is to go wrong with it.
#[derive(Debug)]
pub(super) struct State {
    nodes: BTreeMap<u64, Node>,
    next_node: u64,
    /// How many changes there were.
    changes: u64,
    /// How many changes and syncs there were.
    operations: u64,
    fault: Option<Fault>,
    /// The operations that met with a fault, and on what.
    struck: Vec<(Operation, String)>,
    cut: Option<Cut>,
    /// What is left of it, while the power is cut.
    left: Option<BTreeMap<u64, Node>>,
}

impl State {
    pub(super) fn new() -> Self {
        let root = Node { content: Content::Folder(Folder::default()), mode: 0o755, path: String::new() };
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            next_node: ROOT.saturating_add(1),
            changes: 0,
            operations: 0,
            fault: None,
            struck: Vec::new(),
            cut: None,
            left: None,
        }
    }

    pub(super) const fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) fn struck(&self) -> Vec<(Operation, String)> {
        self.struck.clone()
    }

    pub(super) fn set_fault(&mut self, fault: Option<Fault>) {
        self.fault = fault;
        self.struck.clear();
    }

    pub(super) const fn set_cut(&mut self, cut: Option<Cut>) {
        self.cut = cut;
    }

    pub(super) const fn is_cut(&self) -> bool {
        self.left.is_some()
    }

    /// Cuts the power now: everything fails from here on, and what is left is settled.
    pub(super) fn cut_power(&mut self, kept: Option<Kept>, dice: &mut Dice) {
        if self.left.is_some() {
            return;
        }
        let open = self.nodes.values().filter_map(|node| match &node.content {
            Content::File(file) => file.open_changes(),
            Content::Folder(folder) => folder.open_changes(),
        });
        let open = open.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
        let kept = kept.unwrap_or_else(|| Kept::any(open, dice));
        let (first, last) = open.unwrap_or_default();
        let journal = first.saturating_add(dice.below(last.saturating_sub(first).saturating_add(2)));
        let mut left = BTreeMap::new();
        for (number, node) in &self.nodes {
            let content = match &node.content {
                Content::File(file) => Content::File(file.after(&kept, dice)),
                Content::Folder(folder) => Content::Folder(folder.after(&kept, journal)),
            };
            left.insert(*number, Node { content, mode: node.mode, path: node.path.clone() });
        }
        self.left = Some(left);
    }

    /// The power is back. Nothing may be open from before.
    pub(super) fn power_on(&mut self) {
        (self.fault, self.cut) = (None, None);
        let Some(left) = self.left.take() else { return };
        // What no name leads to is gone.
        let mut waiting = vec![ROOT];
        self.nodes.clear();
        while let Some(number) = waiting.pop() {
            let Some(node) = left.get(&number) else { continue };
            if let Content::Folder(folder) = &node.content {
                waiting.extend(folder.names().map(|(_, node)| node));
            }
            self.nodes.insert(number, node.clone());
        }
    }

    /// Whether an operation happens. Counts it, and lets go wrong what is to go wrong with it.
    fn begin(&mut self, operation: Operation, path: &str) -> Result<(), Errno> {
        if self.left.is_some() {
            return Err(Errno::EIO);
        }
        if operation != Operation::Read {
            self.operations = self.operations.saturating_add(1);
            match &mut self.cut {
                Some(cut) if cut.after == 0 => {
                    let (kept, mut dice) = (cut.kept, Dice::new(cut.seed));
                    self.cut_power(kept, &mut dice);
                    return Err(Errno::EIO);
                }
                Some(cut) => cut.after = cut.after.saturating_sub(1),
                None => {}
            }
        }
        let Some(failure) = self.fault.as_mut().and_then(|fault| fault.strikes(operation, path)) else {
            return Ok(());
        };
        self.struck.push((operation, path.to_owned()));
        Err(failure.into())
    }

    const fn number(&mut self) -> u64 {
        self.changes = self.changes.saturating_add(1);
        self.changes
    }

    pub(super) fn node(&self, number: u64) -> Result<&Node, Errno> {
        if self.left.is_some() {
            return Err(Errno::EIO);
        }
        self.nodes.get(&number).ok_or(Errno::ENOENT)
    }

    fn path_of(&self, number: u64) -> Result<String, Errno> {
        Ok(self.node(number)?.path.clone())
    }

    /// Where a name in a folder is.
    fn path_in(&self, folder: u64, name: &OsStr) -> Result<String, Errno> {
        Ok(format!("{}/{}", self.node(folder)?.path, name.to_string_lossy())
            .trim_start_matches('/')
            .to_owned())
    }

    fn file_mut(&mut self, number: u64) -> Result<&mut File, Errno> {
        match &mut self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?.content {
            Content::File(file) => Ok(file),
            Content::Folder(_) => Err(Errno::EISDIR),
        }
    }

    pub(super) fn folder(&self, number: u64) -> Result<&Folder, Errno> {
        match &self.node(number)?.content {
            Content::Folder(folder) => Ok(folder),
            Content::File(_) => Err(Errno::ENOTDIR),
        }
    }

    fn folder_mut(&mut self, number: u64) -> Result<&mut Folder, Errno> {
        match &mut self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?.content {
            Content::Folder(folder) => Ok(folder),
            Content::File(_) => Err(Errno::ENOTDIR),
        }
    }

    pub(super) fn read(&mut self, number: u64, at: u64, count: u32) -> Result<Vec<u8>, Errno> {
        let path = self.path_of(number)?;
        self.begin(Operation::Read, &path)?;
        let bytes = self.file_mut(number)?.bytes();
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
        let end = start.saturating_add(usize::try_from(count).unwrap_or(usize::MAX)).min(bytes.len());
        Ok(bytes.get(start..end).unwrap_or_default().to_vec())
    }

    pub(super) fn write(&mut self, number: u64, at: u64, bytes: &[u8]) -> Result<(), Errno> {
        let path = self.path_of(number)?;
        self.begin(Operation::Write, &path)?;
        let at = usize::try_from(at).map_err(|_| Errno::EFBIG)?;
        if at.saturating_add(bytes.len()) > MAX_FILE {
            return Err(Errno::EFBIG);
        }
        let change = self.number();
        self.file_mut(number)?.write(change, at, bytes);
        Ok(())
    }

    pub(super) fn resize(&mut self, number: u64, length: u64) -> Result<(), Errno> {
        let path = self.path_of(number)?;
        self.begin(Operation::Write, &path)?;
        let length = usize::try_from(length).map_err(|_| Errno::EFBIG)?;
        if length > MAX_FILE {
            return Err(Errno::EFBIG);
        }
        let change = self.number();
        self.file_mut(number)?.resize(change, length);
        Ok(())
    }

    pub(super) fn set_mode(&mut self, number: u64, mode: u16) -> Result<(), Errno> {
        self.node(number)?;
        if let Some(node) = self.nodes.get_mut(&number) {
            node.mode = mode;
        }
        Ok(())
    }

    pub(super) fn sync(&mut self, number: u64) -> Result<(), Errno> {
        let path = self.path_of(number)?;
        let begun = self.begin(Operation::Sync, &path);
        match (&mut self.nodes.get_mut(&number).ok_or(Errno::ENOENT)?.content, begun) {
            (Content::File(file), Ok(())) => file.sync(),
            (Content::File(file), Err(error)) => {
                if self.left.is_none() {
                    file.sync_failed();
                }
                return Err(error);
            }
            (Content::Folder(folder), Ok(())) => folder.sync(),
            (Content::Folder(_), Err(error)) => return Err(error),
        }
        Ok(())
    }

    /// Makes a file or a folder.
    pub(super) fn make(
        &mut self,
        folder: u64,
        name: &OsStr,
        content: Content,
        mode: u16,
    ) -> Result<u64, Errno> {
        let path = self.path_in(folder, name)?;
        self.begin(Operation::Name, &path)?;
        if self.folder(folder)?.get(name).is_some() {
            return Err(Errno::EEXIST);
        }
        let (node, change) = (self.next_node, self.number());
        self.next_node = self.next_node.saturating_add(1);
        self.nodes.insert(node, Node { content, mode, path });
        self.folder_mut(folder)?.add(change, name, node);
        Ok(node)
    }

    /// Removes a name. What it leads to stays for those who have it open.
    pub(super) fn remove(&mut self, folder: u64, name: &OsStr, of_folder: bool) -> Result<(), Errno> {
        let path = self.path_in(folder, name)?;
        self.begin(Operation::Name, &path)?;
        let node = self.folder(folder)?.get(name).ok_or(Errno::ENOENT)?;
        match (&self.node(node)?.content, of_folder) {
            (Content::File(_), true) => return Err(Errno::ENOTDIR),
            (Content::Folder(_), false) => return Err(Errno::EISDIR),
            (Content::Folder(inner), true) if inner.names().next().is_some() => {
                return Err(Errno::ENOTEMPTY);
            }
            _ => {}
        }
        let change = self.number();
        self.folder_mut(folder)?.remove(change, name);
        Ok(())
    }

    /// Renames within a folder, over what has the new name.
    pub(super) fn rename(&mut self, folder: u64, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        let path = self.path_in(folder, to)?;
        self.begin(Operation::Name, &path)?;
        let node = self.folder(folder)?.get(from).ok_or(Errno::ENOENT)?;
        let change = self.number();
        self.folder_mut(folder)?.rename(change, from, to);
        if let Some(node) = self.nodes.get_mut(&node) {
            node.path = path;
        }
        Ok(())
    }

    /// Whether opening for writing is refused.
    pub(super) const fn is_read_only(&self) -> bool {
        matches!(&self.fault, Some(Fault { with: Failure::ReadOnly, after: 0, .. }))
    }
}
