//! What a run came to, for people and for scripts.

use core::fmt;
use std::time::Duration;

use serde::Serialize;

use super::Tally;
use super::around::{Around, Micros, millis};
use super::reads::Reads;
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
    /// How many refusals under pressure, 429 and 503, came without `Retry-After`.
    pub without_retry_after: u64,
    /// How many answers were judged during the run, because the memory for keeping them was full.
    pub judged_at_once: u64,
    /// What went on around the run.
    #[serde(flatten)]
    pub around: Around,
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
    /// Puts together what was seen and found.
    pub fn new(tally: &Tally, took: Duration, around: Around, truth: &Truth) -> Self {
        let acknowledged = tally.acknowledged.len() as u64;
        Self {
            per_second: per_second(acknowledged, took),
            acknowledged,
            took,
            latency: Quantiles::of(&tally.latency),
            refusals: Quantiles::of(&tally.refusals),
            statuses: tally.statuses.iter().map(|(status, count)| (*status, *count)).collect(),
            codes: tally.codes.iter().map(|(code, count)| (code.clone(), *count)).collect(),
            silences: tally.silences.iter().map(|(why, count)| (why.clone(), *count)).collect(),
            unsent: tally.unsent,
            without_retry_after: tally.without_retry_after,
            judged_at_once: tally.judged_at_once,
            around,
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

/// What reading came to.
#[derive(Debug, Serialize)]
pub struct ReadReport {
    /// How many reads a second.
    pub per_second: f64,
    /// How many bytes each answer had, headers apart.
    pub bytes_each: u64,
    /// How long it took, to the last answer.
    #[serde(serialize_with = "millis")]
    pub took: Duration,
    /// From sent to answered.
    pub latency: Quantiles,
    /// What went on around the run.
    #[serde(flatten)]
    pub around: Around,
}

impl ReadReport {
    /// Puts together what was seen.
    pub fn new(reads: &Reads, took: Duration, around: Around) -> Self {
        let count = reads.latency.count();
        Self {
            per_second: per_second(count, took),
            bytes_each: reads.bytes.checked_div(count).unwrap_or(0),
            took,
            latency: Quantiles::of(&reads.latency),
            around,
        }
    }
}

fn per_second(count: u64, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
    let count = count as f64;
    count / took.as_secs_f64().max(f64::EPSILON)
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

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50, p90, p99, p99_9, max, .. } = self;
        write!(f, "p50 {p50}  p90 {p90}  p99 {p99}  p99.9 {p99_9}  max {max}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
        if self.without_retry_after > 0 {
            writeln!(f, "            {} refusals under pressure lack Retry-After", self.without_retry_after)?;
        }
        if self.judged_at_once > 0 {
            writeln!(f, "            {} answers were checked during the run", self.judged_at_once)?;
        }
        writeln!(f, "{}", self.around)?;
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

impl fmt::Display for ReadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "throughput  {:.0} reads/s of {} bytes each", self.per_second, self.bytes_each)?;
        writeln!(f, "latency     {}", self.latency)?;
        write!(f, "{}", self.around)
    }
}
