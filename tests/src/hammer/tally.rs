//! What was seen during a run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::answers::{Heads, Wrong};
use super::kept::Kept;

/// The longest time that a histogram tells apart; longer ones count as this long.
const LONGEST: Duration = Duration::from_mins(5);

/// Times, in microseconds, to three digits.
#[derive(Debug)]
pub struct Times(Option<Histogram<u64>>);

impl Default for Times {
    fn default() -> Self {
        Self(Histogram::new_with_bounds(1, micros(LONGEST), 3).ok())
    }
}

impl Times {
    /// Counts one.
    pub fn record(&mut self, time: Duration) {
        if let Some(times) = &mut self.0 {
            times.saturating_record(micros(time).max(1));
        }
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// The time within which this share of them was, `0.0 ..= 1.0`.
    pub fn quantile(&self, share: f64) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |times| Duration::from_micros(times.value_at_quantile(share)))
    }

    /// The longest.
    pub fn max(&self) -> Duration {
        self.0.as_ref().map_or(Duration::ZERO, |times| Duration::from_micros(times.max()))
    }

    /// Counts what others counted as well.
    pub fn merge(&mut self, other: Self) {
        if let (Some(times), Some(others)) = (&mut self.0, other.0) {
            // Both have the same bounds, so that every value of the one fits the other.
            let _ = times.add(others);
        }
    }
}

/// What was seen during a run, or is found in a part of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// How long each request took that brought an acknowledgement, from when it was due. Requests that were due
    /// and never sent are in it with the time that they had waited, which is the least they would have taken.
    pub latency: Times,
    /// How long each refusal took, from when the request was sent.
    pub refusals: Times,
    /// How many refusals under pressure, 429 and 503, came without the header `Retry-After`.
    pub without_retry_after: u64,
    /// How many answers were judged during the run, because the memory for keeping them was full.
    pub judged_at_once: u64,
    /// How many answers came with each status; a batch counts each of its statements.
    pub statuses: BTreeMap<u16, u64>,
    /// How many refusals came with each code.
    pub codes: BTreeMap<String, u64>,
    /// How many requests brought no answer, by reason.
    pub silences: BTreeMap<String, u64>,
    /// How many requests were due and never sent, because every connection was busy to the end.
    pub unsent: u64,
    /// Where each acknowledged statement is said to be, by its number.
    pub acknowledged: HashMap<u64, u64>,
    /// The statements that were refused, and so must not be in the log.
    pub refused: HashSet<u64>,
    /// The heads in the answers.
    pub heads: Heads,
    /// The first answer that was false on its face, with the number of its statement.
    pub wrong: Option<(u64, Wrong)>,
    /// The answers that are still to be judged.
    pub(super) kept: Vec<Kept>,
}

impl Tally {
    /// Adds what was found in another part.
    pub fn merge(&mut self, other: Self) {
        self.latency.merge(other.latency);
        self.refusals.merge(other.refusals);
        for (status, count) in other.statuses {
            add(&mut self.statuses, status, count);
        }
        for (code, count) in other.codes {
            add(&mut self.codes, code, count);
        }
        for (reason, count) in other.silences {
            add(&mut self.silences, reason, count);
        }
        self.without_retry_after = self.without_retry_after.saturating_add(other.without_retry_after);
        self.judged_at_once = self.judged_at_once.saturating_add(other.judged_at_once);
        self.unsent = self.unsent.saturating_add(other.unsent);
        self.acknowledged.extend(other.acknowledged);
        self.refused.extend(other.refused);
        self.heads.merge(other.heads);
        self.wrong = self.wrong.take().or(other.wrong);
        self.kept.extend(other.kept);
    }
}

/// Counts `count` more of `key`.
pub(super) fn add<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K, count: u64) {
    let total = counts.entry(key).or_default();
    *total = total.saturating_add(count);
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_all_connections_are_ranked_together() {
        let mut all = Tally::default();
        for connection in 0..10 {
            let mut one = Tally::default();
            for number in 1..=100 {
                one.latency.record(Duration::from_millis(number));
                one.acknowledged.insert(connection * 100 + number, number);
            }
            add(&mut one.statuses, 201, 100);
            all.merge(one);
        }
        assert_eq!((all.latency.count(), all.acknowledged.len()), (1000, 1000));
        assert_eq!(all.statuses, BTreeMap::from([(201, 1000)]));
        let near = |time: Duration, millis: u64| time.as_millis().abs_diff(u128::from(millis)) <= 1;
        assert!(near(all.latency.quantile(0.5), 50));
        assert!(near(all.latency.quantile(0.99), 99));
        assert!(near(all.latency.max(), 100));
    }

    #[test]
    fn times_beyond_the_bounds_count_as_the_bounds() {
        let mut times = Times::default();
        times.record(Duration::ZERO);
        times.record(Duration::from_secs(100_000));
        assert_eq!(times.count(), 2);
        assert!(times.max() >= LONGEST);
    }
}
