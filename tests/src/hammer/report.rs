//! What a run came to, for people and for scripts.

use core::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::Tally;
use super::tally::Times;
use super::truth::Truth;

/// What a run came to.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How many statements a second were acknowledged, to the last answer.
    pub per_second: f64,
    /// How many statements were acknowledged.
    pub acknowledged: u64,
    /// How long it took, to the last answer.
    #[serde(serialize_with = "millis")]
    pub took: Duration,
    /// From due to acknowledged, a request.
    pub latency: Quantiles,
    /// From sent to refused, a request.
    pub refusals: Quantiles,
    /// How many statements were answered with each status.
    pub statuses: Vec<(u16, u64)>,
    /// How many refusals came with each code.
    pub codes: Vec<(String, u64)>,
    /// How many requests brought no answer, by reason.
    pub silences: Vec<(String, u64)>,
    /// How many requests were due and never sent.
    pub unsent: u64,
    /// What the load tool itself computed for each acknowledged statement. It has its share of the same processors
    /// when it runs on the log's own machine.
    pub own_cpu: Micros,
    /// The median time of a synced 4 KiB write just before and just after.
    pub fsync_median: [Micros; 2],
    /// What was found true afterwards.
    pub truth: Verified,
}

/// Some quantiles.
#[derive(Debug, Serialize)]
pub struct Quantiles {
    /// How many there are.
    pub count: u64,
    /// Half are within.
    pub p50: Micros,
    /// 9 of 10 are within.
    pub p90: Micros,
    /// 99 of 100 are within.
    pub p99: Micros,
    /// 999 of 1,000 are within.
    #[serde(rename = "p99.9")]
    pub p99_9: Micros,
    /// All are within.
    pub max: Micros,
}

/// A time, in microseconds where it is written for scripts.
#[derive(Debug, Clone, Copy)]
pub struct Micros(pub Duration);

/// What was found true afterwards, in figures.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// How many acknowledged statements were read back.
    pub entries: u64,
    /// How many were there although their answers were lost.
    pub unacknowledged: u64,
    /// How many heads were consistent.
    pub heads: u64,
    /// Whether signatures were checked against a policy.
    pub signatures: bool,
    /// The size of the published head.
    pub published: u64,
}

impl Report {
    /// Puts together what was seen and found. `own_cpu` is what the load tool computed during the run.
    pub fn new(
        tally: &Tally,
        took: Duration,
        own_cpu: Duration,
        fsync: [Duration; 2],
        truth: &Truth,
    ) -> Self {
        let acknowledged = tally.acknowledged.len() as u64;
        let each = u32::try_from(acknowledged).unwrap_or(u32::MAX).max(1);
        #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
        let per_second = acknowledged as f64 / took.as_secs_f64().max(f64::EPSILON);
        Self {
            per_second,
            acknowledged,
            took,
            latency: Quantiles::of(&tally.latency),
            refusals: Quantiles::of(&tally.refusals),
            statuses: tally.statuses.iter().map(|(status, count)| (*status, *count)).collect(),
            codes: tally.codes.iter().map(|(code, count)| (code.clone(), *count)).collect(),
            silences: tally.silences.iter().map(|(why, count)| (why.clone(), *count)).collect(),
            unsent: tally.unsent,
            own_cpu: Micros(own_cpu / each),
            fsync_median: fsync.map(Micros),
            truth: Verified {
                entries: truth.entries,
                unacknowledged: truth.unacknowledged,
                heads: truth.heads,
                signatures: truth.signatures,
                published: truth.published.size.get(),
            },
        }
    }
}

impl Quantiles {
    fn of(times: &Times) -> Self {
        let at = |share| Micros(times.quantile(share));
        Self {
            count: times.count(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: Micros(times.max()),
        }
    }
}

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX))
    }
}

fn millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ms", self.0.as_secs_f64() * 1000.0)
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p99_9, max, .. } = self;
        write!(f, "p50 {p50}  p90 {p90}  p99 {p99}  p99.9 {p99_9}  max {max}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = self.fsync_median;
        writeln!(
            f,
            "throughput  {:.0} acknowledged/s ({} in {:.1?})",
            self.per_second, self.acknowledged, self.took
        )?;
        writeln!(f, "latency     {}", self.latency)?;
        if self.refusals.count > 0 {
            writeln!(f, "refused in  {}", self.refusals)?;
        }
        let statuses: Vec<String> =
            self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        writeln!(f, "statuses    {}", statuses.join("  "))?;
        for (what, count) in &self.codes {
            writeln!(f, "            {count} x {what}")?;
        }
        for (why, count) in &self.silences {
            writeln!(f, "no answer   {count} x {why}")?;
        }
        if self.unsent > 0 {
            writeln!(f, "not sent    {} requests were due while every connection was busy", self.unsent)?;
        }
        let own_cpu = self.own_cpu.0.as_micros();
        writeln!(f, "own cost    {own_cpu} us of CPU time for each, in this program")?;
        writeln!(f, "fsync       median {before} before, {after} after (4 KiB, fdatasync)")?;
        let Verified { entries, unacknowledged, heads, signatures, published } = &self.truth;
        writeln!(
            f,
            "verified    {entries} acknowledged entries read back from a published tree of {published}"
        )?;
        if *unacknowledged > 0 {
            writeln!(f, "            {unacknowledged} more are in it whose answers were lost")?;
        }
        let signed =
            if *signatures { "signed as the policy asks" } else { "signatures not checked: no --policy" };
        write!(f, "            {heads} heads seen, all of this tree; {signed}")
    }
}
