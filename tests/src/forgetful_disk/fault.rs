//! What goes wrong, and when.

use fuser::Errno;

use super::power_cut::Kept;

/// What processes ask of a disk that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Making, renaming or removing a name.
    Name,
    /// Writing into a file, or changing its length.
    Write,
    /// Making a file or a folder durable.
    Sync,
    /// Reading.
    Read,
}

/// What an operation fails with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// EIO: the device fails.
    Device,
    /// ENOSPC: no room.
    NoSpace,
    /// EROFS: the file system is read-only.
    ReadOnly,
}

impl From<Failure> for Errno {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Device => Self::EIO,
            Failure::NoSpace => Self::ENOSPC,
            Failure::ReadOnly => Self::EROFS,
        }
    }
}

/// Which operations meet with a fault, and with which.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The sorts of operations that are counted.
    pub of: &'static [Operation],
    /// Only those on what lies below this folder of the disk are counted; all, where it is empty.
    pub below: &'static str,
    /// Only those on files whose name ends like this are counted; all, where it is empty.
    pub on: &'static str,
    /// How many of them still succeed.
    pub after: u64,
    /// How many of them fail then, before all succeed again.
    pub count: u64,
    /// What they fail with.
    pub with: Failure,
}

impl Fault {
    /// One of the changes and syncs fails, `after` so many.
    pub const fn once(after: u64, with: Failure) -> Self {
        Self {
            of: &[Operation::Name, Operation::Write, Operation::Sync],
            below: "",
            on: "",
            after,
            count: 1,
            with,
        }
    }

    /// From one of the changes and syncs on, all fail.
    pub const fn from(after: u64, with: Failure) -> Self {
        Self { count: u64::MAX, ..Self::once(after, with) }
    }

    /// Counts an operation, and says whether it fails.
    pub(super) fn strikes(&mut self, operation: Operation, path: &str) -> Option<Failure> {
        if !self.of.contains(&operation) || !path.starts_with(self.below) || !path.ends_with(self.on) {
            return None;
        }
        if self.after > 0 {
            self.after = self.after.saturating_sub(1);
            return None;
        }
        self.count = self.count.checked_sub(1)?;
        Some(self.with)
    }
}

/// A cut of the power at an operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    /// How many changes and syncs still happen.
    pub(super) after: u64,
    /// What is left; anything, where it is not said.
    pub(super) kept: Option<Kept>,
    pub(super) seed: u64,
}
