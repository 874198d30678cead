//! How many cosignatures a log may have a day.

use core::num::NonZeroU32;
use core::time::Duration;

const DAY: Duration = Duration::from_hours(24);
/// How much of the day's number may come at once: an hour's worth, and never less than [`LEAST_BURST`].
const BURSTS_A_DAY: u32 = 24;
/// Room for a few requests in a row, so that a log can catch up after an outage.
const LEAST_BURST: u32 = 10;

/// What one log has used of its requests a day.
///
/// Only cosignatures count, not refusals: those cost no write, and anybody could use up a log's share with them.
/// New heads and repeated ones have shares of their own, because anybody can repeat a published head, but only the
/// log can make a new one.
#[derive(Debug)]
pub(crate) struct Quota {
    per_day: NonZeroU32,
    growing: Meter,
    repeating: Meter,
}

/// A log has used up its share.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsedUp {
    pub(crate) per_day: u32,
    pub(crate) wait: Duration,
}

impl Quota {
    pub(crate) fn new(per_day: NonZeroU32) -> Self {
        Self { per_day, growing: Meter::default(), repeating: Meter::default() }
    }

    /// Takes one cosignature out of the share, at the time `now` of a clock that never goes back.
    pub(crate) fn take(&mut self, grows: bool, now: Duration) -> Result<(), UsedUp> {
        let per_day = self.per_day.get();
        let meter = if grows { &mut self.growing } else { &mut self.repeating };
        meter.take(per_day, now).map_err(|wait| UsedUp { per_day, wait })
    }
}

/// The time up to which cosignatures have been handed out, one each interval. It may run ahead by the burst.
#[derive(Debug, Default)]
struct Meter {
    handed_out_until: Duration,
}

impl Meter {
    fn take(&mut self, per_day: u32, now: Duration) -> Result<(), Duration> {
        let interval = DAY / per_day.max(1);
        let burst = (per_day / BURSTS_A_DAY).max(LEAST_BURST).min(per_day).max(1);
        let ahead_at_most = interval.saturating_mul(burst.saturating_sub(1));
        let until = self.handed_out_until.max(now);
        let ahead = until.saturating_sub(now);
        if ahead > ahead_at_most {
            return Err(ahead.saturating_sub(ahead_at_most));
        }
        self.handed_out_until = until.saturating_add(interval);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_log_that_keeps_to_its_number_never_waits() {
        let mut quota = Quota::new(NonZeroU32::new(8640).unwrap());
        for step in 0..20_000 {
            assert_eq!(quota.take(true, Duration::from_secs(10 * step)), Ok(()));
        }
    }

    #[test]
    fn repeating_a_head_takes_nothing_from_new_ones() {
        let mut quota = Quota::new(NonZeroU32::new(2).unwrap());
        let now = Duration::from_secs(1);
        assert_eq!(quota.take(false, now), Ok(()));
        assert_eq!(quota.take(false, now), Ok(()));
        assert_eq!(quota.take(false, now), Err(UsedUp { per_day: 2, wait: DAY / 2 }));
        assert_eq!(quota.take(true, now), Ok(()));
    }

    proptest! {
        #[test]
        fn no_day_has_more_than_the_number_and_one_burst(
            per_day in 1_u32..5_000,
            steps in proptest::collection::vec(0_u64..600, 1..2_000),
        ) {
            let mut quota = Quota::new(NonZeroU32::new(per_day).unwrap());
            let mut now = Duration::ZERO;
            let mut granted = Vec::new();
            for step in steps {
                now += Duration::from_secs(step);
                match quota.take(true, now) {
                    Ok(()) => granted.push(now),
                    // Who waits as long as told is served.
                    Err(UsedUp { wait, .. }) => {
                        now += wait;
                        prop_assert_eq!(quota.take(true, now), Ok(()));
                        granted.push(now);
                    }
                }
            }
            let burst = (per_day / BURSTS_A_DAY).max(LEAST_BURST).min(per_day) as usize;
            for (first, start) in granted.iter().enumerate() {
                let within = granted[first..].iter().take_while(|at| **at < *start + DAY).count();
                prop_assert!(within <= per_day as usize + burst, "{} of {}", within, per_day);
            }
        }
    }
}
