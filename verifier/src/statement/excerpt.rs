//! Offending values, cut to a length that an error message can carry.

use core::fmt;

use serde_json::Value;

/// At most 80 characters of an offending value, texts in quotes.
///
/// Statements come from outside, so their values are never echoed whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

/// The characters kept of an offending value.
const KEPT: usize = 80;

impl Excerpt {
    /// Quotes a text.
    pub(crate) fn of_text(text: &str) -> Self {
        let head: String = text.chars().take(KEPT).collect();
        let ellipsis = if head.len() < text.len() { "..." } else { "" };
        Self(format!("{head:?}{ellipsis}"))
    }

    /// Quotes texts, shows numbers and truth values, and says of arrays and objects how many items they have.
    pub(crate) fn of_json(value: &Value) -> Self {
        match value {
            Value::String(text) => Self::of_text(text),
            Value::Null => Self("null".to_owned()),
            Value::Bool(value) => Self(value.to_string()),
            Value::Number(number) => Self(number.to_string()),
            Value::Array(items) => Self(format!("an array of {}", items.len())),
            Value::Object(members) => Self(format!("an object of {}", members.len())),
        }
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
