//! What all pages share: how they are asked for, answered, framed and refused.

mod answer;
mod ask;
mod assets;
mod frame;
pub(crate) mod link;
mod listing;
mod refusal;
mod sentence;
mod stamp;
mod text;

pub(crate) use answer::{Cache, file, page, raw, redirect};
pub(crate) use ask::Ask;
pub(crate) use assets::{SCRIPTS, serve as serve_asset};
pub(crate) use frame::{Frame, Section};
pub(crate) use listing::{EntryLine, entry_lines};
pub use refusal::PROBLEMS;
pub(crate) use refusal::{Explanation, Refusal, codes};
pub(crate) use sentence::{Fact, Sentence};
pub(crate) use stamp::{Stamp, span, thousands};
pub(crate) use text::Text;
