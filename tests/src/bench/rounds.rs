//! Measuring in turns.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::rows::{On, Pace, Row};
use super::sample::{Figure, Sample, Spread};
use super::subject::Subject;
use super::{BenchError, disk};
use crate::harness::{Program, Ran, get, run_for};

/// The longest that one run with all its signing and checking may take.
const PATIENCE: Duration = Duration::from_mins(30);
/// How long a flood may take to begin: its statements are signed first.
const FLOOD_PATIENCE: Duration = Duration::from_mins(1);
/// How much longer a flood goes on than what is measured beside it.
const FLOOD_LASTS: Duration = Duration::from_secs(5);
/// How many entries show that a flood has begun.
const FLOODED: u64 = 500;

/// One run of the load tool.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// What is measured.
    pub row: &'a Row,
    /// On which log.
    pub subject: &'a Subject,
    /// The round, from 1.
    pub round: u32,
    /// For how long it loads the log.
    pub duration: Duration,
    /// What the row `single` brought a second on this log: needed by rows that are a multiple of it.
    pub capacity: Option<f64>,
}

impl Run<'_> {
    /// Measures. `None` where the row needs a capacity that is not known.
    pub fn measure(&self) -> Result<Option<Sample>, BenchError> {
        let before = disk::used(&self.subject.data);
        let (args, ran) = match self.row.pace {
            Pace::Args(args) => self.hammer(args, &[]),
            Pace::TimesCapacity(times, args) => {
                let Some(capacity) = self.capacity else { return Ok(None) };
                let rate = format!("{:.0}", (capacity * f64::from(times)).max(1.0));
                self.hammer(args, &["--rate".to_owned(), rate])
            }
            Pace::BesideWork(args) => self.beside_work(args),
            Pace::BesideFlood(args, flood) => self.beside_flood(args, flood)?,
        };
        let grown = disk::used(&self.subject.data).saturating_sub(before);
        let command = format!("{} {}", Program::Hammer.name(), args.join(" "));
        let mut sample = Sample {
            row: self.row.name.to_owned(),
            subject: self.subject.name.clone(),
            round: self.round,
            command,
            disk_each: None,
            failed: None,
            report: serde_json::Value::Null,
        };
        if ran.code != Some(0) {
            // What others do under a load that they are not made for is a result. What ours does is a fault.
            if self.subject.on == On::Countersign {
                let (row, subject) = (sample.row, sample.subject);
                return Err(BenchError::Hammer { row, subject, code: ran.code, stderr: ran.stderr });
            }
            sample.failed = Some(ran.stderr);
            return Ok(Some(sample));
        }
        sample.report = serde_json::from_str(&ran.stdout)?;
        let acknowledged = sample.report.get("acknowledged").and_then(serde_json::Value::as_f64);
        #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
        let each = acknowledged.filter(|count| *count > 0.0).map(|count| grown as f64 / count);
        // Beside a flood most of what grows is the flood's.
        sample.disk_each = each.filter(|_| !matches!(self.row.pace, Pace::BesideFlood(..)));
        Ok(Some(sample))
    }

    fn hammer(&self, row: &[&str], more: &[String]) -> (Vec<String>, Ran) {
        let mut args = self.args("hammer", row, self.duration);
        args.extend_from_slice(more);
        let ran = run_for(PATIENCE, Program::Hammer, &args);
        (args, ran)
    }

    /// Runs the row in the name of one issuer, while every processor has something else to compute.
    fn beside_work(&self, row: &[&str]) -> (Vec<String>, Ran) {
        let args = self.args("modest", row, self.duration);
        let done = AtomicBool::new(false);
        let ran = std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, NonZeroUsize::get) {
                scope.spawn(|| {
                    let mut number = 0_u64;
                    while !done.load(Ordering::Relaxed) {
                        number = std::hint::black_box(number.wrapping_add(1));
                    }
                });
            }
            let ran = run_for(PATIENCE, Program::Hammer, &args);
            done.store(true, Ordering::Relaxed);
            ran
        });
        (args, ran)
    }

    /// Runs the row in the name of one issuer, while another one submits as much as it can.
    fn beside_flood(&self, row: &[&str], flood: &[&str]) -> Result<(Vec<String>, Ran), BenchError> {
        let flood = self.args("flood", flood, self.duration.saturating_add(FLOOD_LASTS));
        let before = self.size();
        let flooding = std::thread::spawn(move || run_for(PATIENCE, Program::Hammer, &flood));
        let begun = Instant::now();
        while self.size() < before.saturating_add(FLOODED) {
            if begun.elapsed() > FLOOD_PATIENCE || flooding.is_finished() {
                return Err(BenchError::NoFlood);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let args = self.args("modest", row, self.duration);
        let ran = run_for(PATIENCE, Program::Hammer, &args);
        match flooding.join() {
            Ok(flood) if flood.code == Some(0) => Ok((args, ran)),
            Ok(flood) => Err(self.failed(flood)),
            Err(_) => Err(BenchError::NoFlood),
        }
    }

    fn failed(&self, ran: Ran) -> BenchError {
        let (row, subject) = (format!("{}, the flood", self.row.name), self.subject.name.clone());
        BenchError::Hammer { row, subject, code: ran.code, stderr: ran.stderr }
    }

    /// How many entries the log has published, by what its newest head says.
    fn size(&self) -> u64 {
        let answer = get(&self.subject.url, "/checkpoint");
        let text = String::from_utf8_lossy(&answer.body);
        text.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or(0)
    }

    fn args(&self, issuer: &str, row: &[&str], duration: Duration) -> Vec<String> {
        let Subject { on, url, policy, data, processes, keys, .. } = self.subject;
        let path = |path: &Path| path.display().to_string();
        let mut args: Vec<String> = ["--log", url].map(str::to_owned).into();
        if self.row.entry_bytes > 0 {
            let key = path(&keys.join(format!("{issuer}.pem")));
            let (policy, bytes) = (path(policy), self.row.entry_bytes.to_string());
            let writes = ["--key", &key, "--iss", issuer, "--policy", &policy, "--entry-bytes", &bytes];
            args.extend(writes.map(str::to_owned));
        }
        if *on != On::Countersign {
            args.extend(["--protocol", "tessera"].map(str::to_owned));
        }
        args.extend(row.iter().map(ToString::to_string));
        let (millis, probe) = (format!("{}ms", duration.as_millis()), path(data));
        args.extend(["--duration", &millis, "--data-probe", &probe, "--json"].map(str::to_owned));
        args.extend(processes.iter().flat_map(|process| ["--process".to_owned(), process.clone()]));
        args
    }
}

/// What the row `single` brought a second on a log until now.
pub fn capacity(samples: &[Sample], subject: &str) -> Option<f64> {
    let single = samples.iter().filter(|sample| sample.row == "single" && sample.subject == subject);
    Spread::of(single, Figure::PerSecond).map(|spread| spread.median)
}
