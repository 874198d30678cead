//! Entry bundles: up to 256 entries, each with its length before it.

use super::TileWidth;

/// The most bytes of one entry: lengths have two bytes.
pub const MAX_ENTRY_BYTES: usize = 65_535;
/// The most bytes of a bundle.
pub const MAX_BUNDLE_BYTES: usize = 256 * (MAX_ENTRY_BYTES + 2);

/// Why bytes are not the bundle that they are said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The bytes end inside an entry, by its number in the bundle from 0.
    #[error("the bundle ends inside entry {0}")]
    Truncated(usize),
    /// Another number of entries than it should have.
    #[error("a bundle of {want} entries has {got}")]
    Count {
        /// How many it should have.
        want: usize,
        /// How many it has.
        got: usize,
    },
    /// An entry longer than its length field can say.
    #[error("an entry of {0} bytes is longer than {MAX_ENTRY_BYTES}")]
    EntryTooLong(usize),
}

/// The entries of a bundle.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct EntryBundle {
    entries: Vec<Vec<u8>>,
}

impl EntryBundle {
    /// Reads a bundle of `width` entries, to the last byte.
    pub fn parse(width: TileWidth, bytes: &[u8]) -> Result<Self, BundleError> {
        let want = usize::from(width.get());
        let mut entries = Vec::with_capacity(want);
        let mut rest = bytes;
        while !rest.is_empty() {
            if entries.len() == want {
                return Err(BundleError::Count { want, got: want.saturating_add(1) });
            }
            let truncated = BundleError::Truncated(entries.len());
            let (length, tail) = rest.split_first_chunk::<2>().ok_or(truncated)?;
            let length = usize::from(u16::from_be_bytes(*length));
            let (entry, tail) = tail.split_at_checked(length).ok_or(truncated)?;
            entries.push(entry.to_vec());
            rest = tail;
        }
        if entries.len() == want {
            Ok(Self { entries })
        } else {
            Err(BundleError::Count { want, got: entries.len() })
        }
    }

    /// The entries, in the order of the log.
    pub fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }

    /// Gives up the bundle for its entries.
    pub fn into_entries(self) -> Vec<Vec<u8>> {
        self.entries
    }

    /// Appends one entry to the bytes of a bundle.
    pub fn write_entry(entry: &[u8], bundle: &mut Vec<u8>) -> Result<(), BundleError> {
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::EntryTooLong(entry.len()))?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
        Ok(())
    }
}
