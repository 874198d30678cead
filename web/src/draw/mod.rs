//! Drawings, in SVG without styles of their own: colours and lines come from the stylesheet.

mod glyph;
mod ladder;

pub(crate) use glyph::glyph;
pub(crate) use ladder::{Ladder, Rung, rungs};
