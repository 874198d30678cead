//! The paths under which tiles are served.

use core::fmt;
use core::num::NonZeroU16;

use super::{FULL_WIDTH, TileId};
use crate::strict;

/// Why a path names nothing that a log serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Not of the form of a tile path.
    #[error("expected tile/<level>/<index>[.p/<width>] or tile/entries/<index>[.p/<width>]")]
    Form,
    /// A level above 63 or with leading zeros.
    #[error("the level is a decimal number from 0 to 63 without leading zeros")]
    Level,
    /// An index that is not in groups of three digits.
    #[error("the index is in groups of three digits, all but the last prefixed with x, the first not x000")]
    Index,
    /// A width outside 1 to 256, or 256 where a partial tile is named.
    #[error("the width of a partial tile is a decimal number from 1 to 255")]
    Width,
}

/// How many hashes or entries a tile has, `1 ..= 256`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TileWidth(NonZeroU16);

impl TileWidth {
    /// A width.
    pub fn new(width: u16) -> Result<Self, PathError> {
        match NonZeroU16::new(width) {
            Some(width) if u64::from(width.get()) <= FULL_WIDTH => Ok(Self(width)),
            _ => Err(PathError::Width),
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// Whether the tile is full, and so will never change.
    pub fn is_full(self) -> bool {
        u64::from(self.get()) == FULL_WIDTH
    }
}

/// What a tile path names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Resource {
    /// `tile/<level>/<index>`.
    Hashes(TileId, TileWidth),
    /// `tile/entries/<index>`: which bundle of 256 entries.
    Entries(u64, TileWidth),
}

impl Resource {
    /// Reads a path without leading slash, in its canonical form only.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        let (level, rest) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or(PathError::Form)?;
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, FULL_WIDTH),
            Some((index, width)) => {
                let width = strict::from_decimal(width).filter(|width| *width < FULL_WIDTH);
                (index, width.ok_or(PathError::Width)?)
            }
        };
        let width = TileWidth::new(u16::try_from(width).map_err(|_| PathError::Width)?)?;
        let index = parse_index(index).ok_or(PathError::Index)?;
        if level == "entries" {
            return Ok(Self::Entries(index, width));
        }
        let level = strict::from_decimal(level).filter(|level| *level <= 63).ok_or(PathError::Level)?;
        let level = u8::try_from(level).map_err(|_| PathError::Level)?;
        Ok(Self::Hashes(TileId { level, index }, width))
    }

    /// How many hashes or entries it has.
    pub fn width(&self) -> TileWidth {
        match self {
            Self::Hashes(_, width) | Self::Entries(_, width) => *width,
        }
    }
}

impl fmt::Display for Resource {
    /// The path, without leading slash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, width) = match self {
            Self::Hashes(TileId { level, index }, width) => {
                write!(f, "tile/{level}/")?;
                (index, width)
            }
            Self::Entries(index, width) => {
                write!(f, "tile/entries/")?;
                (index, width)
            }
        };
        write_index(*index, f)?;
        if width.is_full() { Ok(()) } else { write!(f, ".p/{}", width.get()) }
    }
}

fn parse_index(text: &str) -> Option<u64> {
    let mut groups = text.split('/').rev();
    let mut index = parse_group(groups.next()?)?;
    let mut scale = 1_u64;
    let mut highest = None;
    for group in groups {
        let group = parse_group(group.strip_prefix('x')?)?;
        scale = scale.checked_mul(1000)?;
        index = group.checked_mul(scale)?.checked_add(index)?;
        highest = Some(group);
    }
    (highest != Some(0)).then_some(index)
}

fn parse_group(text: &str) -> Option<u64> {
    (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn write_index(index: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut groups = Vec::new();
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(rest % 1000);
        rest /= 1000;
    }
    groups.iter().rev().try_for_each(|group| write!(f, "x{group:03}/"))?;
    write!(f, "{:03}", index % 1000)
}
