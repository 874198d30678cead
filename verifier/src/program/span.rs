//! Spans of time on the command line, such as `500ms`, `10s`, `5m` and `1h`.

use std::time::Duration;

/// Why a text is not a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number and a unit, such as 500ms, 10s, 5m or 1h, and at most a day")]
pub struct SpanError;

const LONGEST: Duration = Duration::from_hours(24);

/// Reads `<number><ms|s|m|h>`, at most a day. Without a unit it is refused.
pub fn parse(text: &str) -> Result<Duration, SpanError> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit()).ok_or(SpanError)?;
    let (number, unit) = text.split_at(unit_at);
    let number: u64 = number.parse().map_err(|_| SpanError)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(SpanError),
    };
    let span = Duration::from_millis(number.checked_mul(milliseconds).ok_or(SpanError)?);
    if span <= LONGEST { Ok(span) } else { Err(SpanError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_number_and_a_unit() {
        for (text, milliseconds) in
            [("0s", 0), ("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("24h", 86_400_000)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in [
            "",
            "10",
            "s",
            "-1s",
            "+1s",
            "1.5s",
            "1 s",
            "1d",
            "1S",
            "25h",
            "99999999999999999999h",
            "18446744073709551615h",
        ] {
            assert_eq!(parse(text), Err(SpanError), "{text:?}");
        }
    }
}
