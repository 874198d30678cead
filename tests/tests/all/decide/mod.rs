//! `countersign decide`: the decision point, in front of a real log with real witnesses.

mod batches;
mod certification;
mod doors;
mod doubts;
mod ends;
mod intents;
mod point;

pub(crate) use point::{Point, asked};
