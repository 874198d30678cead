//! Text that came from outside, made safe to look at.

use std::fmt;

use serde::{Serialize, Serializer};

/// A text from the log, the policy or a reader.
///
/// On pages, characters that have no shape of their own or that change the order of others are written out as
/// `[U+202E]`, so that nobody can make a page say something else than the bytes do; escaping for HTML comes on top,
/// by the templates. In JSON the text stands as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text {
    raw: String,
    /// How many characters are shown, if not all.
    shown: Option<usize>,
    keep_lines: bool,
}

impl Text {
    pub(crate) fn new(raw: impl Into<String>) -> Self {
        Self { raw: raw.into(), shown: None, keep_lines: false }
    }

    /// A text of several lines: line feeds stay line feeds.
    pub(crate) fn lines(raw: impl Into<String>) -> Self {
        Self { keep_lines: true, ..Self::new(raw) }
    }

    /// Shows the first `characters` only, with an ellipsis for the rest.
    pub(crate) fn cut(mut self, characters: usize) -> Self {
        self.shown = self.raw.char_indices().nth(characters).map(|_| characters);
        self
    }

    /// Whether a part of it is not shown.
    pub(crate) const fn is_cut(&self) -> bool {
        self.shown.is_some()
    }

    pub(crate) fn raw(&self) -> &str {
        &self.raw
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.raw.chars().take(self.shown.unwrap_or(usize::MAX)) {
            if is_visible(character) || (self.keep_lines && character == '\n') {
                write!(f, "{character}")?;
            } else {
                write!(f, "[U+{:04X}]", u32::from(character))?;
            }
        }
        if self.is_cut() { f.write_str("…") } else { Ok(()) }
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.raw)
    }
}

/// Whether a character shows itself and nothing else: no controls, no bidirectional formatting, nothing invisible.
fn is_visible(character: char) -> bool {
    !(character.is_control()
        || matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        let shown = |text: &str| Text::new(text).to_string();
        assert_eq!(shown("run 1/ä/中"), "run 1/ä/中");
        assert_eq!(
            shown("a\u{202e}b\u{2066}c\n\u{0}\u{200b}"),
            "a[U+202E]b[U+2066]c[U+000A][U+0000][U+200B]"
        );
        assert_eq!(Text::lines("a\nb\r").to_string(), "a\nb[U+000D]");
        assert_eq!(Text::new("abc").cut(3).to_string(), "abc");
        assert_eq!(Text::new("äbcd").cut(3).to_string(), "äbc…");
        assert_eq!(serde_json::to_string(&Text::new("a\u{202e}").cut(1)).unwrap(), "\"a\u{202e}\"");
    }
}
