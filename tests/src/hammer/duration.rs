//! Durations as people write them.

use core::time::Duration;

/// A text that is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a number and ms, s or m, such as 30s")]
pub struct NotADuration;

/// Reads `500ms`, `30s` or `2m`.
pub fn parse(text: &str) -> Result<Duration, NotADuration> {
    let unit = text.find(|c: char| !c.is_ascii_digit()).ok_or(NotADuration)?;
    let (number, unit) = text.split_at(unit);
    let number: u64 = number.parse().map_err(|_| NotADuration)?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs).ok_or(NotADuration),
        _ => Err(NotADuration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(parse("2m"), Ok(Duration::from_mins(2)));
        for text in ["", "30", "s", "1h", "-1s", "1.5s", "99999999999999999999s", "18446744073709551615m"] {
            assert_eq!(parse(text), Err(NotADuration), "{text}");
        }
    }
}
