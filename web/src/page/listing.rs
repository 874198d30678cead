//! Lines of lists.

use serde::Serialize;

use super::link;
use super::stamp::Stamp;
use super::text::Text;
use crate::draw::glyph;
use crate::index::Line;
use crate::words;

/// An entry as a line of a list.
#[derive(Debug, Serialize)]
pub(crate) struct EntryLine {
    pub(crate) index: u64,
    pub(crate) kind: Option<&'static str>,
    /// What it says, in a few words.
    pub(crate) says: &'static str,
    pub(crate) subject: Option<Text>,
    pub(crate) issuer: Option<Text>,
    pub(crate) issued_at: Option<Stamp>,
    #[serde(skip)]
    pub(crate) heading: &'static str,
    #[serde(skip)]
    pub(crate) glyph: &'static str,
    #[serde(skip)]
    pub(crate) execution: Option<String>,
}

pub(crate) fn entry_lines(lines: Vec<Line>) -> Vec<EntryLine> {
    lines.into_iter().map(EntryLine::from).collect()
}

impl From<Line> for EntryLine {
    fn from(line: Line) -> Self {
        let kind = line.gist.kind();
        let execution = line.subject.as_deref().filter(|_| line.is_execution).map(link::execution);
        Self {
            index: line.index,
            kind: kind.map(countersign_verifier::statement::Kind::as_str),
            says: words::gist(line.gist),
            subject: line.subject.map(Text::new),
            issuer: line.issuer.map(Text::new),
            issued_at: line.issued_at.map(Stamp),
            heading: words::kind(kind),
            glyph: glyph(kind),
            execution,
        }
    }
}
