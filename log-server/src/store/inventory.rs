//! Everything that is in a store, row by row: for whoever checks that nothing is too many.

use core::fmt;

use countersign_verifier::admission::IssuerKey;
use countersign_verifier::merkle::{LeafHash, LeafIndex, TreeSize};
use countersign_verifier::note::{KeyId, KeyName};
use countersign_verifier::statement::ExecutionId;
use countersign_verifier::tiles::{FULL_WIDTH, Resource, TileId, TileWidth};

use super::{EdgeHash, StoreError};

/// Listing what is there.
pub trait Inventory {
    /// Hands on what every row of a part is about, in the order of the keys. Keys that mean nothing there are handed
    /// on as they are.
    ///
    /// When it returns `Err`, the rows before the fault were handed on.
    fn rows(&self, part: Part, each: &mut dyn FnMut(Row)) -> Result<(), StoreError>;
}

/// A part of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Entries, and whatever lies between their rows, from one index up to and without another, or to the end.
    Entries {
        /// From here.
        from: LeafIndex,
        /// To here.
        to: Option<LeafIndex>,
    },
    /// Full tiles.
    Tiles,
    /// Hashes of tiles that are not full.
    Edge,
    /// Entry ids.
    Ids,
    /// Registrations.
    Issuers,
    /// Outcomes of authorizations, and closes of executions.
    Marks,
    /// What the log said to others, and what others said to it.
    Meta,
    /// What the database has of itself. Nothing is kept there.
    Unused,
}

impl Part {
    /// Its name in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entries { .. } => "entries",
            Self::Tiles => "tiles",
            Self::Edge => "edge",
            Self::Ids => "ids",
            Self::Issuers => "issuers",
            Self::Marks => "marks",
            Self::Meta => "meta",
            Self::Unused => "default",
        }
    }
}

/// What a row is about. The value is with it only where nothing else reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// An entry.
    Entry(LeafIndex),
    /// A full tile.
    Tile(TileId),
    /// A hash at the edge.
    Edge {
        /// The level of its tile.
        level: u8,
        /// Its place in the tile.
        position: u8,
        /// The value; `None` when it is none.
        hash: Option<EdgeHash>,
    },
    /// An entry id.
    Id(LeafHash),
    /// A registration.
    Issuer(IssuerKey),
    /// The outcome of this authorization.
    OutcomeOf(LeafHash),
    /// The close of this execution.
    CloseOf(ExecutionId),
    /// One of the rows that every store has, by its name.
    Meta(&'static str),
    /// What a witness cosigned.
    Cosigned {
        /// The id of its key.
        id: KeyId,
        /// The name of its key.
        name: KeyName,
        /// The value; `None` when it is none.
        size: Option<TreeSize>,
    },
    /// A key that means nothing in its part.
    Stray(Vec<u8>),
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(index) => write!(f, "index {index}"),
            Self::Tile(tile) => match TileWidth::new(u16::try_from(FULL_WIDTH).unwrap_or(u16::MAX)) {
                Ok(full) => Resource::Hashes(*tile, full).fmt(f),
                Err(_) => write!(f, "level {}, index {}", tile.level, tile.index),
            },
            Self::Edge { level, position, .. } => write!(f, "level {level}, position {position}"),
            Self::Id(id) => write!(f, "entry {id}"),
            Self::Issuer(issuer) => write!(f, "{} with key {}", issuer.name, issuer.key),
            Self::OutcomeOf(authorization) => write!(f, "outcome of authorization {authorization}"),
            Self::CloseOf(execution) => write!(f, "close of execution {execution}"),
            Self::Meta(name) => f.write_str(name),
            Self::Cosigned { id, name, .. } => write!(f, "cosigned by {name}+{id}"),
            Self::Stray(key) => {
                f.write_str("key 0x")?;
                key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}
