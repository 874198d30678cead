//! What came out of one run, and of several.

use core::fmt;

use serde::Serialize;
use serde_json::Value;

/// One row, on one log, in one round.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    /// The row.
    pub row: String,
    /// The log.
    pub subject: String,
    /// The round, from 1.
    pub round: u32,
    /// The command that measured it. Key and folder are of a log that is gone.
    pub command: String,
    /// By how many bytes the log's folder grew for each acknowledged entry.
    pub disk_each: Option<f64>,
    /// Why there are no figures: only for logs that are not ours.
    pub failed: Option<String>,
    /// What `countersign-hammer --json` printed.
    pub report: Value,
}

/// One figure of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// Acknowledged or read, a second.
    PerSecond,
    /// A quantile of the time to the answer, by its name, such as `p99`: in microseconds.
    Latency(&'static str),
    /// A quantile of the time to a refusal.
    Refusal(&'static str),
    /// How many requests were refused.
    Refused,
    /// How many refusals under pressure lack `Retry-After`.
    WithoutRetryAfter,
    /// How many requests were due and never sent.
    Unsent,
    /// How many requests brought no answer.
    Silent,
    /// Processor time of the processes of this name, each entry or read: in microseconds.
    Cpu(&'static str),
    /// Processor time of the load tool itself.
    OwnCpu,
    /// Memory that the log had resident at the end, in bytes.
    Resident,
    /// The median time of a synced write, the mean of before and after: in microseconds.
    Fsync,
    /// Bytes on disk for each entry.
    Disk,
    /// Bytes of each answer to a read.
    Bytes,
}

impl Sample {
    /// A figure, if this run has it.
    pub fn figure(&self, figure: Figure) -> Option<f64> {
        let at = |pointer: &str| self.report.pointer(pointer).and_then(Value::as_f64);
        match figure {
            Figure::PerSecond => at("/per_second"),
            Figure::Latency(quantile) => at(&format!("/latency/{quantile}")),
            Figure::Refusal(quantile) => self.refused().and_then(|_| at(&format!("/refusals/{quantile}"))),
            Figure::Refused => at("/refusals/count"),
            Figure::WithoutRetryAfter => at("/without_retry_after"),
            Figure::Unsent => at("/unsent"),
            Figure::Silent => {
                let silences = self.report.get("silences")?.as_array()?;
                Some(
                    silences
                        .iter()
                        .filter_map(|silence| silence.get(1)?.as_f64())
                        .fold(0.0, |sum, n| sum + n),
                )
            }
            Figure::Cpu(name) => self.process(name, "cpu_each"),
            Figure::OwnCpu => at("/own_cpu"),
            Figure::Resident => self.process("log", "resident"),
            Figure::Fsync => Some(at("/fsync_median/0")?.midpoint(at("/fsync_median/1")?)),
            Figure::Disk => self.disk_each,
            Figure::Bytes => at("/bytes_each"),
        }
    }

    fn refused(&self) -> Option<f64> {
        self.figure(Figure::Refused).filter(|count| *count > 0.0)
    }

    fn process(&self, name: &str, member: &str) -> Option<f64> {
        let processes = self.report.get("processes")?.as_array()?;
        let process = processes.iter().find(|process| process.get("name").is_some_and(|it| it == name))?;
        process.get(member)?.as_f64()
    }
}

/// The rounds of one figure together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The middle one; of two middle ones the mean.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// The spread of a figure over samples; `None` if none of them has it.
    pub fn of<'a>(samples: impl IntoIterator<Item = &'a Sample>, figure: Figure) -> Option<Self> {
        let mut values: Vec<f64> = samples.into_iter().filter_map(|sample| sample.figure(figure)).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let lower = if values.len().is_multiple_of(2) { *values.get(middle.checked_sub(1)?)? } else { upper };
        Some(Self { median: lower.midpoint(upper), least: *values.first()?, most: *values.last()? })
    }

    /// The same in another unit.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        let Self { median, least, most } = self;
        Self { median: median * factor, least: least * factor, most: most * factor }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, least, most } = self;
        write!(f, "{}", Number(*median))?;
        if Number(*least).to_string() != Number(*most).to_string() {
            write!(f, " ({} to {})", Number(*least), Number(*most))?;
        }
        Ok(())
    }
}

/// A number with as many digits as are worth reading.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.0;
        if value == 0.0 {
            return f.write_str("0");
        }
        if value.abs() < 10.0 {
            return write!(f, "{value:.2}");
        }
        if value.abs() < 100.0 {
            return write!(f, "{value:.1}");
        }
        let digits = format!("{value:.0}");
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits.as_str()), |digits| ("-", digits));
        f.write_str(sign)?;
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A run that brought `per_second`, with a p99 of `p99` microseconds and a p50 of half of it.
    pub(in crate::bench) fn sample(
        row: &str,
        subject: &str,
        round: u32,
        per_second: f64,
        p99: u64,
    ) -> Sample {
        let report = json!({
            "per_second": per_second,
            "latency": {"count": 100, "p50": p99 / 2, "p90": p99, "p99": p99, "p99.9": p99, "max": p99},
            "refusals": {"count": 0, "p50": 0, "p99": 0},
            "silences": [["no answer", 3], ["broke off", 1]],
            "unsent": 0,
            "without_retry_after": 0,
            "own_cpu": 11,
            "fsync_median": [100, 300],
            "processes": [{"name": "log", "cpu_each": 70, "resident": 1_048_576_u64}],
        });
        let (row, subject) = (row.to_owned(), subject.to_owned());
        Sample { row, subject, round, command: String::new(), disk_each: Some(1300.0), failed: None, report }
    }

    #[test]
    fn figures_are_found_in_reports() {
        let sample = sample("single", "ours", 1, 8000.0, 900);
        assert_eq!(sample.figure(Figure::Latency("p99.9")), Some(900.0));
        assert_eq!(sample.figure(Figure::Cpu("log")), Some(70.0));
        assert_eq!(sample.figure(Figure::Cpu("witnesses")), None);
        assert_eq!(sample.figure(Figure::Fsync), Some(200.0));
        assert_eq!(sample.figure(Figure::Silent), Some(4.0));
        // Nothing was refused, so nothing is known of how fast.
        assert_eq!(sample.figure(Figure::Refusal("p50")), None);
    }

    #[test]
    fn rounds_have_a_middle_and_ends() {
        let spread = |values: &[f64]| {
            let samples: Vec<Sample> = values.iter().map(|value| sample("r", "s", 1, *value, 1)).collect();
            Spread::of(&samples, Figure::PerSecond)
        };
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, least: 1.0, most: 3.0 }));
        assert_eq!(spread(&[4.0, 2.0]), Some(Spread { median: 3.0, least: 2.0, most: 4.0 }));
        assert_eq!(spread(&[4.0, 2.0]).unwrap().to_string(), "3.00 (2.00 to 4.00)");
        assert_eq!(spread(&[4.0]).unwrap().to_string(), "4.00");
    }

    #[test]
    fn numbers_are_short() {
        let text = [0.0, 0.126, 9.0, 12.34, 99.0, 123.4, 1234.0, 1_234_567.0, -1234.0]
            .map(|n| Number(n).to_string());
        assert_eq!(text, ["0", "0.13", "9.00", "12.3", "99.0", "123", "1,234", "1,234,567", "-1,234"]);
    }
}
