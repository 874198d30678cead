//! Sentences put together from what is known, each part marked as what it is.

use askama::Template;
use serde::{Serialize, Serializer};

use super::link;
use super::stamp::{Stamp, thousands};
use super::text::Text;

/// How much of a free text stands in a sentence. The whole of it is with the entry.
const FREE_TEXT: usize = 160;

/// One part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Words of the explorer.
    Words(String),
    /// A value from the log.
    Value(Text),
    /// A value from the log that only says of which sort another value is.
    Sort(Text),
    /// A value from the log with the page about it.
    Link { href: String, text: Text },
    /// A hash or another value that people copy.
    Code(Text),
    /// A time.
    Time(Stamp),
}

/// A sentence for people. On a page its values stand out from its words; in JSON it is one string.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "sentence.html")]
pub(crate) struct Sentence {
    parts: Vec<Part>,
}

impl Sentence {
    pub(crate) fn of(words: impl Into<String>) -> Self {
        Self::default().words(words)
    }

    #[must_use]
    pub(crate) fn words(mut self, words: impl Into<String>) -> Self {
        self.parts.push(Part::Words(words.into()));
        self
    }

    #[must_use]
    pub(crate) fn value(mut self, value: &str) -> Self {
        self.parts.push(Part::Value(Text::new(value).cut(FREE_TEXT)));
        self
    }

    #[must_use]
    pub(crate) fn sort(mut self, value: &str) -> Self {
        self.parts.push(Part::Sort(Text::new(value).cut(FREE_TEXT)));
        self
    }

    #[must_use]
    pub(crate) fn code(mut self, value: impl Into<String>) -> Self {
        self.parts.push(Part::Code(Text::new(value)));
        self
    }

    #[must_use]
    pub(crate) fn time(mut self, seconds: u64) -> Self {
        self.parts.push(Part::Time(Stamp(seconds)));
        self
    }

    #[must_use]
    pub(crate) fn number(self, number: u64) -> Self {
        self.words(thousands(number))
    }

    /// An issuer, with the list of what it signed.
    #[must_use]
    pub(crate) fn issuer(self, name: &str) -> Self {
        self.link(link::issuer(name), name)
    }

    /// An execution, with its page.
    #[must_use]
    pub(crate) fn execution(self, id: &str) -> Self {
        self.link(link::execution(id), id)
    }

    #[must_use]
    pub(crate) fn link(mut self, href: String, text: &str) -> Self {
        self.parts.push(Part::Link { href, text: Text::new(text) });
        self
    }

    /// The sentence as one text, for titles and JSON.
    pub(crate) fn plain(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Value(value)
                | Part::Sort(value)
                | Part::Code(value)
                | Part::Link { text: value, .. } => {
                    text.push_str(&value.to_string());
                }
                Part::Time(time) => text.push_str(&time.to_string()),
            }
        }
        text
    }
}

impl Serialize for Sentence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.plain())
    }
}

/// A labelled fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) value: Sentence,
}
