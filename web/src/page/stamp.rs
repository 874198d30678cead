//! Times, absolute and in UTC.

use std::fmt;

use countersign_verifier::utc::Utc;
use serde::Serialize;

/// A time in seconds since 1970-01-01T00:00:00Z. In JSON it stays that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Stamp(pub(crate) u64);

impl Stamp {
    /// The machine-readable form for `<time datetime>` (RFC 3339); `None` from the year 10000 on.
    pub(crate) fn datetime(self) -> Option<String> {
        Utc(self.0).rfc3339()
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Utc(self.0).fmt(f)
    }
}

/// A span of time in words, in the largest fitting unit.
pub(crate) fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// A whole number with its thousands set apart. Templates hold numbers behind any number of references.
pub(crate) fn thousands(number: impl fmt::Display) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_spans_are_readable() {
        let numbers = [(0, "0"), (999, "999"), (1_000, "1,000"), (20_000_000, "20,000,000")];
        for (number, text) in numbers {
            assert_eq!(thousands(number), text);
        }
        let spans = [
            (1, "1 second"),
            (119, "119 seconds"),
            (120, "2 minutes"),
            (7_200, "2 hours"),
            (172_800, "2 days"),
        ];
        for (seconds, text) in spans {
            assert_eq!(span(seconds), text);
        }
    }
}
