//! Where things are in a tree.

use core::fmt;

use crate::strict;

/// The largest tree that C2SP tooling can name, `2^63 - 1` entries.
const MAX_SIZE: u64 = i64::MAX as u64;

/// The zero-based position of an entry, `0 ..= 2^63 - 2`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LeafIndex(u64);

/// How many entries a tree has, `0 ..= 2^63 - 1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TreeSize(u64);

impl LeafIndex {
    /// The entry number `index`, or `None` when no tree can be that large.
    pub const fn new(index: u64) -> Option<Self> {
        if index < MAX_SIZE { Some(Self(index)) } else { None }
    }

    /// Reads ASCII decimal without sign or leading zeros.
    pub fn parse(text: &str) -> Option<Self> {
        strict::from_decimal(text).and_then(Self::new)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The smallest tree that has this entry.
    pub const fn size_including(self) -> TreeSize {
        TreeSize(self.0.saturating_add(1))
    }
}

impl TreeSize {
    /// The tree without entries.
    pub const EMPTY: Self = Self(0);

    /// The tree of `size` entries, or `None` above `2^63 - 1`.
    pub const fn new(size: u64) -> Option<Self> {
        if size <= MAX_SIZE { Some(Self(size)) } else { None }
    }

    /// Reads ASCII decimal without sign or leading zeros.
    pub fn parse(text: &str) -> Option<Self> {
        strict::from_decimal(text).and_then(Self::new)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether the tree has no entries.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the tree has the entry `index`.
    pub const fn contains(self, index: LeafIndex) -> bool {
        index.0 < self.0
    }

    /// The index that the next entry will get, or `None` when the tree is as large as a tree can be.
    pub const fn next_index(self) -> Option<LeafIndex> {
        LeafIndex::new(self.0)
    }

    /// The index of the last entry, or `None` in the empty tree.
    pub const fn last_index(self) -> Option<LeafIndex> {
        match self.0.checked_sub(1) {
            Some(last) => LeafIndex::new(last),
            None => None,
        }
    }
}

impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A complete node: the root of the `2^height` entries that start at `index * 2^height`.
///
/// Once its entries exist it never changes, which is why only complete nodes are ever stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeId {
    /// Levels above the leaves, `0 ..= 62`.
    pub height: u8,
    /// Position among the nodes of its height, from the left, zero-based.
    pub index: u64,
}

impl NodeId {
    /// One past the last entry below this node; saturates far above any tree.
    pub const fn end(self) -> u64 {
        let width = 1_u64 << (self.height & 63);
        self.index.saturating_add(1).saturating_mul(width)
    }
}
