//! Where a log is read from: a folder of tiles, or a URL.

mod folder;
#[cfg(feature = "url")]
mod http;

use std::error::Error;
use std::path::Path;

use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::MAX_NOTE_BYTES;
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::tiles::{
    BundleError, EntryBundle, FULL_WIDTH, HashTile, MAX_BUNDLE_BYTES, Resource, TileError, TileId, TileWidth,
};

/// Why something of a log was not read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    /// It is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// It could not be read.
    #[error("{what} cannot be read")]
    Unreadable {
        what: String,
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// It is larger than it can be.
    #[error("{what} is larger than the {limit} bytes that it can have")]
    TooLarge { what: String, limit: usize },
    /// It is not a bundle of entries.
    #[error("{what} is not a bundle of the entries that the head implies{}", compressed(*.gzip))]
    Bundle {
        what: String,
        #[source]
        cause: BundleError,
        gzip: bool,
    },
    /// It is not a tile.
    #[error("{what} is not a tile of the hashes that the head implies")]
    Tile {
        what: String,
        #[source]
        cause: TileError,
    },
    /// The head is of a tree that has no such part.
    #[error("a tree of {0} entries has no such part")]
    Outside(TreeSize),
}

fn compressed(gzip: bool) -> &'static str {
    if gzip { " (it looks compressed: unpack the folder with gunzip first)" } else { "" }
}

impl SourceError {
    /// Whether something was read and is wrong, as opposed to not having been read.
    pub(crate) const fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::Bundle { .. } | Self::Tile { .. })
    }

    /// What is said of it when nothing can go on.
    pub(crate) fn failed(self) -> Failed {
        let exit = if self.is_misbehaviour() { Exit::Misbehaviour } else { Exit::CouldNotCheck };
        let hint = match &self {
            Self::Missing(_) => {
                "fetch what is missing (all that a head implies: checkpoint, tile/<level>/..., tile/entries/...) and run it again"
            }
            Self::Unreadable { .. } => "run it again; with --state it goes on from where it stood",
            _ => "fetch it again: either this copy is damaged, or the log serves what it never signed",
        };
        Failed::new(exit, "the log could not be read to its end").because(self).hint(hint)
    }
}

/// Something that has the files of a log.
pub(crate) trait Source: Send + Sync {
    /// The bytes at a path below the log, at most `limit`.
    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError>;

    /// How many reads at once make it fastest.
    fn at_once(&self) -> usize;
}

/// Opens what was named on the command line.
pub(crate) fn open(named: &str) -> Result<Box<dyn Source>, Failed> {
    if named.starts_with("http://") || named.starts_with("https://") {
        #[cfg(feature = "url")]
        return Ok(Box::new(http::Http::new(named)?));
        #[cfg(not(feature = "url"))]
        return Err(Failed::new(Exit::Usage, "this program was built to read folders only")
            .hint("fetch its files as README.md shows, or build it with the feature url"));
    }
    Ok(Box::new(folder::Folder::new(Path::new(named))?))
}

/// The newest head.
pub(crate) fn checkpoint(source: &dyn Source) -> Result<Vec<u8>, SourceError> {
    source.read("checkpoint", MAX_NOTE_BYTES)
}

/// The entries of a bundle that are in a tree of `size` entries.
pub(crate) fn entries(source: &dyn Source, index: u64, size: TreeSize) -> Result<Vec<Vec<u8>>, SourceError> {
    // Bundles are as wide as the tiles of the lowest level.
    let width = TileId { level: 0, index }.width(size).ok_or(SourceError::Outside(size))?;
    let (resource, bytes) = read(source, |width| Resource::Entries(index, width), width, MAX_BUNDLE_BYTES)?;
    let bundle = EntryBundle::parse(resource.width(), &bytes).map_err(|cause| SourceError::Bundle {
        what: resource.to_string(),
        cause,
        gzip: bytes.starts_with(&[0x1f, 0x8b, 0x08]),
    })?;
    let mut entries = bundle.into_entries();
    entries.truncate(usize::from(width.get()));
    Ok(entries)
}

/// A tile, as far as it belongs to a tree of `size` entries.
pub(crate) fn tile(source: &dyn Source, id: TileId, size: TreeSize) -> Result<HashTile, SourceError> {
    let width = id.width(size).ok_or(SourceError::Outside(size))?;
    let limit = usize::try_from(FULL_WIDTH).unwrap_or(usize::MAX).saturating_mul(32);
    let (resource, mut bytes) = read(source, |width| Resource::Hashes(id, width), width, limit)?;
    let parse = |width: TileWidth, bytes: &[u8]| {
        HashTile::parse(id, width, bytes)
            .map_err(|cause| SourceError::Tile { what: resource.to_string(), cause })
    };
    parse(resource.width(), &bytes)?;
    bytes.truncate(usize::from(width.get()).saturating_mul(32));
    parse(width, &bytes)
}

/// Reads a partial tile or, where it is gone because the log has grown, the full one (C2SP tlog-tiles).
fn read(
    source: &dyn Source,
    named: impl Fn(TileWidth) -> Resource,
    width: TileWidth,
    limit: usize,
) -> Result<(Resource, Vec<u8>), SourceError> {
    let resource = named(width);
    match source.read(&resource.to_string(), limit) {
        Err(SourceError::Missing(partial)) if !width.is_full() => {
            let full = u16::try_from(FULL_WIDTH).ok().and_then(|width| TileWidth::new(width).ok());
            let full = named(full.unwrap_or(width));
            match source.read(&full.to_string(), limit) {
                Err(SourceError::Missing(full)) => {
                    Err(SourceError::Missing(format!("{partial} (and also {full})")))
                }
                read => Ok((full, read?)),
            }
        }
        read => Ok((resource, read?)),
    }
}
