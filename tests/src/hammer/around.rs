//! What goes on around a run: what the machine gives, and what the processes on it use.

use core::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::probe;
use super::processes::{Usage, UsageError, Watched};

/// What the machine and the processes on it did during a run.
#[derive(Debug, Serialize)]
pub struct Around {
    /// How many microseconds the load tool itself computed for each statement or read. It has its share of the same processors when it
    /// runs on the log's own machine.
    pub own_cpu: f64,
    /// The median time of a synced 4 KiB write just before and just after.
    pub fsync_median: [Micros; 2],
    /// What the watched processes used.
    pub processes: Vec<Used>,
}

/// What processes of one name used during a run.
#[derive(Debug, Serialize)]
pub struct Used {
    /// Their name.
    pub name: String,
    /// Time on processors, in all.
    #[serde(serialize_with = "millis")]
    pub cpu: Duration,
    /// Microseconds on processors for each statement that was acknowledged, or each read.
    pub cpu_each: f64,
    /// Bytes of memory that were resident at the end.
    pub resident: u64,
    /// The most that ever were.
    pub most_resident: u64,
}

/// What was on the clocks when a run began.
#[derive(Debug)]
pub struct Before<'a> {
    watched: &'a [Watched],
    usages: Vec<Usage>,
    own_cpu: Duration,
    fsync: Duration,
}

impl<'a> Before<'a> {
    /// Reads the clocks. `fsync` was measured just before.
    pub fn now(watched: &'a [Watched], fsync: Duration) -> Result<Self, UsageError> {
        let usages = watched.iter().map(Watched::usage).collect::<Result<_, _>>()?;
        Ok(Self { watched, usages, own_cpu: probe::own_cpu_time(), fsync })
    }

    /// Reads them again: what was used since.
    pub fn until_now(self) -> Result<Since, UsageError> {
        let own_cpu = probe::own_cpu_time().saturating_sub(self.own_cpu);
        let used = self.watched.iter().zip(&self.usages).map(|(watched, before)| {
            let now = watched.usage()?;
            Ok((watched.name.clone(), now.cpu.saturating_sub(before.cpu), now))
        });
        Ok(Since { own_cpu, fsync: self.fsync, used: used.collect::<Result<_, _>>()? })
    }
}

/// What was used during a run.
#[derive(Debug)]
pub struct Since {
    own_cpu: Duration,
    fsync: Duration,
    used: Vec<(String, Duration, Usage)>,
}

impl Since {
    /// Divided by what was achieved. `fsync` was measured just after.
    pub fn each(self, achieved: u64, fsync: Duration) -> Around {
        #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
        let each = |cpu: Duration| cpu.as_secs_f64() * 1e6 / achieved.max(1) as f64;
        let used = self.used.into_iter().map(|(name, cpu, now)| Used {
            name,
            cpu,
            cpu_each: each(cpu),
            resident: now.resident,
            most_resident: now.most_resident,
        });
        Around {
            own_cpu: each(self.own_cpu),
            fsync_median: [self.fsync, fsync].map(Micros),
            processes: used.collect(),
        }
    }
}

/// A time, in microseconds where it is written for scripts.
#[derive(Debug, Clone, Copy)]
pub struct Micros(pub Duration);

impl Serialize for Micros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(self.0.as_micros()).unwrap_or(u64::MAX))
    }
}

pub(super) fn millis<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ms", self.0.as_secs_f64() * 1000.0)
    }
}

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "own cost    {:.1} us of CPU time for each, in this program", self.own_cpu)?;
        for Used { name, cpu_each, resident, most_resident, .. } in &self.processes {
            let [resident, most] = [resident, most_resident].map(|bytes| bytes / (1024 * 1024));
            writeln!(
                f,
                "{name:11} {cpu_each:.1} us of CPU time for each; {resident} MiB resident, {most} at most"
            )?;
        }
        let [before, after] = &self.fsync_median;
        write!(f, "fsync       median {before} before, {after} after (4 KiB, fdatasync)")
    }
}
