//! Limits as the manual lists them.

use std::fmt;
use std::time::Duration;

/// One limit of a server, for the table in the manual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    what: &'static str,
    default: String,
    flag: Option<&'static str>,
}

impl Limit {
    /// What is limited, to how much unless a flag says otherwise, and which flag that is.
    pub fn new(what: &'static str, default: impl Into<String>, flag: Option<&'static str>) -> Self {
        Self { what, default: default.into(), flag }
    }
}

impl fmt::Display for Limit {
    /// A row of a table in Markdown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} | ", self.what, self.default)?;
        match self.flag {
            Some(flag) => write!(f, "`--{flag}` |"),
            None => f.write_str("fixed |"),
        }
    }
}

/// A number with its thousands apart.
pub fn count(number: impl fmt::Display) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    for (at, digit) in digits.char_indices() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes in the largest whole unit.
pub fn bytes(number: usize) -> String {
    for (unit, name) in [(1 << 20, "MiB"), (1 << 10, "KiB")] {
        if number >= unit && number.is_multiple_of(unit) {
            return format!("{} {name}", number.checked_div(unit).unwrap_or_default());
        }
    }
    format!("{} bytes", count(number))
}

/// A span of time in its largest whole unit.
pub fn span(span: Duration) -> String {
    let millis = span.as_millis();
    for (unit, name) in [(3_600_000, "h"), (60_000, "min"), (1_000, "s")] {
        if millis >= unit && millis.is_multiple_of(unit) {
            return format!("{} {name}", millis.checked_div(unit).unwrap_or_default());
        }
    }
    format!("{millis} ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_rows_for_people() {
        let limit = Limit::new("connections", count(1_048_576), Some("max-connections"));
        assert_eq!(limit.to_string(), "| connections | 1,048,576 | `--max-connections` |");
        let fixed = Limit::new("handshake", span(Duration::from_secs(90)), None);
        assert_eq!(fixed.to_string(), "| handshake | 90 s | fixed |");
        let spans = [1, 1_000, 60_000, 7_200_000].map(|millis| span(Duration::from_millis(millis)));
        assert_eq!(spans, ["1 ms", "1 s", "1 min", "2 h"]);
        assert_eq!([4095, 4096, 3 << 20].map(bytes), ["4,095 bytes", "4 KiB", "3 MiB"]);
        assert_eq!([count(0), count(999), count(1000)], ["0", "999", "1,000"]);
    }
}
