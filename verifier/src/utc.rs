//! Times as people read them: absolute, in UTC.

use core::fmt;

/// A time in seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(pub u64);

/// The first second of the year 10000, which no longer has a date of the usual form.
const END: u64 = 253_402_300_800;

impl Utc {
    /// RFC 3339, such as `2026-01-01T00:00:00Z`; `None` from the year 10000 on.
    pub fn rfc3339(self) -> Option<String> {
        let (year, month, day, hour, minute, second) = self.civil()?;
        Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"))
    }

    fn civil(self) -> Option<(u64, u64, u64, u64, u64, u64)> {
        if self.0 >= END {
            return None;
        }
        let (days, rest) = (self.0 / 86_400, self.0 % 86_400);
        // Counting from 1 March of the year 0 puts the leap day at the end of the year, and 146,097 days make 400 years.
        let days = days.saturating_add(719_468);
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let leap_corrected = day_of_era
            .saturating_sub(day_of_era / 1_460)
            .saturating_add(day_of_era / 36_524)
            .saturating_sub(day_of_era / 146_096);
        let year_of_era = leap_corrected / 365;
        let before_year =
            year_of_era.saturating_mul(365).saturating_add(year_of_era / 4).saturating_sub(year_of_era / 100);
        let day_of_year = day_of_era.saturating_sub(before_year);
        let from_march = day_of_year.saturating_mul(5).saturating_add(2) / 153;
        let day = day_of_year
            .saturating_sub(from_march.saturating_mul(153).saturating_add(2) / 5)
            .saturating_add(1);
        let month = if from_march < 10 { from_march.saturating_add(3) } else { from_march.saturating_sub(9) };
        let year = era.saturating_mul(400).saturating_add(year_of_era).saturating_add(u64::from(month <= 2));
        Some((year, month, day, rest / 3_600, rest / 60 % 60, rest % 60))
    }
}

impl fmt::Display for Utc {
    /// Such as `2026-01-01 00:00:00 UTC`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some((year, month, day, hour, minute, second)) => {
                write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
            }
            None => write!(f, "{} seconds after 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_825_600, "2000-02-29T12:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Utc(seconds).rfc3339().as_deref(), Some(text));
        }
        assert_eq!(Utc(951_825_600).to_string(), "2000-02-29 12:00:00 UTC");
        assert_eq!(Utc(END).rfc3339(), None);
        assert_eq!(Utc(u64::MAX).to_string(), "18446744073709551615 seconds after 1970");
    }

    proptest! {
        #[test]
        fn days_follow_each_other(day in 0_u64..2_932_895) {
            let (year, month, date, ..) = Utc(day * 86_400).civil().unwrap();
            let (next_year, next_month, next_date, ..) = Utc((day + 1) * 86_400).civil().unwrap();
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month { 2 if leap => 29, 2 => 28, 4 | 6 | 9 | 11 => 30, _ => 31 };
            let expected = if date < last { (year, month, date + 1) }
                else if month < 12 { (year, month + 1, 1) } else { (year + 1, 1, 1) };
            prop_assert_eq!((next_year, next_month, next_date), expected);
        }
    }
}
