//! The text form of logs: lists in the format `logs/v0` of the witness network, and the file of this witness.

use core::fmt;
use std::num::NonZeroU32;

use countersign_verifier::checkpoint::{CheckpointError, Origin};
use countersign_verifier::note::{KeyError, VerifierKey};

const LIST_HEADER: &str = "logs/v0";
const FILE_HEADER: &str = "countersign-witness-logs/v1";
/// The largest number of requests a day that a log can announce.
const MOST_PER_DAY: u32 = i32::MAX as u32;

/// One log, or one further key of a log, as it stands in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, of any type.
    pub key: VerifierKey,
    /// The first line of its checkpoints.
    pub origin: Origin,
    /// How many add-checkpoint requests a day it announces; `None` when it does not say, which only an operator's own
    /// logs may do.
    pub per_day: Option<NonZeroU32>,
    /// Whom to ask about it.
    pub contact: Option<String>,
}

/// Why a text is not a list of logs. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct ListError {
    /// Which line.
    pub line: usize,
    /// What is wrong with it.
    pub cause: ListErrorCause,
}

/// What is wrong with a line of a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListErrorCause {
    /// Another first line.
    #[error("expected \"{0}\"")]
    Header(&'static str),
    /// A line out of place.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A key that cannot be read.
    #[error("the key: {0}")]
    Key(#[from] KeyError),
    /// An origin that cannot be one.
    #[error("the origin: {0}")]
    Origin(#[from] CheckpointError),
    /// A number of requests outside its range.
    #[error("qpd is a number from 1 to {MOST_PER_DAY}")]
    PerDay,
}

/// Reads a list in the format `logs/v0`: the header; comments after `#` and blank lines anywhere; for each log `vkey`,
/// then `origin` if it is not the name of the key, then `qpd` and `contact`.
pub fn parse_list(text: &str) -> Result<Vec<Entry>, ListError> {
    parse(text, LIST_HEADER, true)
}

/// Reads the file of a witness: the same form under a header of its own, where `qpd` and `contact` may be missing and
/// an origin may come again with another key.
pub(super) fn parse_file(text: &str) -> Result<Vec<Entry>, ListError> {
    parse(text, FILE_HEADER, false)
}

/// Writes what [`parse_file`] reads.
pub(super) fn print_file(entries: &[Entry]) -> String {
    let mut text = format!("{FILE_HEADER}\n");
    text.extend(entries.iter().map(Entry::to_string));
    text
}

impl fmt::Display for Entry {
    /// The lines of the entry, after a blank one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, origin, per_day, contact } = self;
        write!(f, "\nvkey {key}\norigin {origin}\n")?;
        per_day.iter().try_for_each(|per_day| writeln!(f, "qpd {per_day}"))?;
        contact.iter().try_for_each(|contact| writeln!(f, "contact {contact}"))
    }
}

/// A line that says something, and its number.
type Line<'a> = (usize, &'a str);

fn parse(text: &str, header: &'static str, is_list: bool) -> Result<Vec<Entry>, ListError> {
    let mut lines = text
        .lines()
        .zip(1_usize..)
        .map(|(line, number)| (number, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    let end = text.lines().count();
    let error = |line: Option<usize>, cause| ListError { line: line.unwrap_or(end).max(1), cause };
    match lines.next() {
        Some((_, line)) if line == header => {}
        other => return Err(error(other.map(|(line, _)| line), ListErrorCause::Header(header))),
    }
    let mut entries = Vec::new();
    while let Some((number, line)) = lines.next() {
        let at = |cause| ListError { line: number, cause };
        let key = line.strip_prefix("vkey ").ok_or(at(ListErrorCause::Expected("vkey <vkey>")))?;
        let key: VerifierKey = key.trim().parse().map_err(|cause: KeyError| at(cause.into()))?;
        let origin = match after(&mut lines, "origin ") {
            None => Origin::new(key.name().as_str()).map_err(|cause| at(cause.into()))?,
            Some((line, origin)) => {
                Origin::new(origin).map_err(|cause| ListError { line, cause: cause.into() })?
            }
        };
        let per_day = match after(&mut lines, "qpd ") {
            None => None,
            Some((line, text)) => {
                Some(read_per_day(text).ok_or(ListError { line, cause: ListErrorCause::PerDay })?)
            }
        };
        let contact = after(&mut lines, "contact ").map(|(_, contact)| contact.to_owned());
        if is_list && (per_day.is_none() || contact.is_none()) {
            let next = lines.peek().map(|(line, _)| *line);
            let missing = if per_day.is_none() { "qpd <number>" } else { "contact <text>" };
            return Err(error(next, ListErrorCause::Expected(missing)));
        }
        entries.push(Entry { key, origin, per_day, contact });
    }
    Ok(entries)
}

/// Takes the next line if it begins with this word.
fn after<'a>(
    lines: &mut std::iter::Peekable<impl Iterator<Item = Line<'a>>>,
    word: &str,
) -> Option<Line<'a>> {
    let (number, rest) = lines.peek().and_then(|(number, line)| Some((*number, line.strip_prefix(word)?)))?;
    lines.next();
    Some((number, rest.trim()))
}

fn read_per_day(text: &str) -> Option<NonZeroU32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|number: &NonZeroU32| is_plain && number.get() <= MOST_PER_DAY)
}
