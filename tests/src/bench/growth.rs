//! The same loads on logs that are larger and larger, side by side.

use core::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use super::bars::{self, Bar};
use super::rounds::Run;
use super::rows::{self, Row};
use super::sample::{Figure, Number, Sample, Spread};
use super::subject::{Stand, Subject, Tessera};
use super::{BenchError, disk, table};
use crate::harness::{Program, run_for};

/// How many entries are made in one go: they are signed beforehand and have to be in within four minutes.
const PART: u64 = 250_000;
/// How many bytes the entries have that a log is built of.
const ENTRY_BYTES: u64 = 1024;
/// The longest that one part may take, with its signing and its checking.
const PATIENCE: Duration = Duration::from_mins(15);

/// A log that was built up, and what it was like just then.
#[derive(Debug)]
pub struct Grown {
    /// How many entries were asked for.
    pub size: u64,
    /// The log.
    pub stand: Stand,
    /// How long it took to start on so many entries, until it took requests.
    pub start: Duration,
    /// Bytes on disk for each byte of the entries.
    pub storage: Option<f64>,
}

impl Grown {
    /// Starts a log and submits entries in batches until it has at least `size`. `progress` is told of each part.
    pub fn build(data: &Path, size: u64, progress: &dyn Fn(u64)) -> Result<Self, BenchError> {
        let name = name(size);
        let mut stand = Stand::start(data, &Tessera::default(), &name)?;
        if let Some(ours) = stand.ours() {
            let mut left = size;
            while left > 0 {
                let part = left.min(PART);
                submit(ours, part)?;
                progress(part);
                left = left.saturating_sub(part);
            }
        }
        let entries = stand.size();
        let start = stand.restart();
        let storage = stand.ours().filter(|_| size > 0).map(|ours| {
            let bytes = entries.saturating_mul(ENTRY_BYTES);
            #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
            let ratio = disk::used(&ours.data) as f64 / bytes.max(1) as f64;
            ratio
        });
        Ok(Self { size, stand, start, storage })
    }
}

/// What a log is called that has so many entries.
pub fn name(size: u64) -> String {
    match size {
        0 => "empty".to_owned(),
        size if size.is_multiple_of(1_000_000) => format!("{} million", size / 1_000_000),
        #[expect(clippy::cast_precision_loss, reason = "a figure to be read")]
        size => Number(size as f64).to_string(),
    }
}

fn submit(ours: &Subject, count: u64) -> Result<(), BenchError> {
    let path = |path: &Path| path.display().to_string();
    let (key, policy) = (path(&ours.keys.join("hammer.pem")), path(&ours.policy));
    let (count, bytes) = (count.to_string(), ENTRY_BYTES.to_string());
    let log = ["--log", &ours.url, "--key", &key, "--policy", &policy, "--data-probe", &path(&ours.data)];
    let load = ["--connections", "4", "--batch", "1024", "--wait", "sequenced", "--duration", "4m"];
    let what = ["--statements", &count, "--entry-bytes", &bytes, "--json"];
    let ran = run_for(PATIENCE, Program::Hammer, log.iter().chain(&load).chain(&what));
    if ran.code == Some(0) {
        return Ok(());
    }
    let (row, subject) = ("building".to_owned(), ours.name.clone());
    Err(BenchError::Hammer { row, subject, code: ran.code, stderr: ran.stderr })
}

/// Measures every row of growth on every log in turn, for `rounds` rounds. `each` sees every sample as it comes. A log
/// that should be empty is made anew for every round, below the folder `data`.
pub fn measure(
    data: &Path,
    logs: &mut [Grown],
    rounds: u32,
    duration: Duration,
    each: &mut dyn FnMut(&Sample),
) -> Result<Vec<Sample>, BenchError> {
    let mut samples = Vec::new();
    for round in 1..=rounds {
        for empty in logs.iter_mut().filter(|grown| grown.size == 0 && round > 1) {
            *empty = Grown::build(data, 0, &|_| ())?;
        }
        for row in rows() {
            for subject in logs.iter().filter_map(|grown| grown.stand.ours()) {
                let run = Run { row, subject, round, duration, capacity: None };
                if let Some(sample) = run.measure()? {
                    each(&sample);
                    samples.push(sample);
                }
            }
        }
    }
    Ok(samples)
}

/// The rows that are measured on each.
pub fn rows() -> Vec<&'static Row> {
    rows::GROWTH.iter().filter_map(|name| rows::named(name)).collect()
}

/// Everything as text: the table, what starting took, and the bars.
pub fn text(logs: &[Grown], samples: &[Sample]) -> String {
    let mut text = table::figures(&rows(), samples);
    text.push_str("\n| log | start ms | disk, for each byte of entries |\n|---|---:|---:|\n");
    for Grown { size, start, storage, .. } in logs {
        let storage = storage.map(|ratio| Number(ratio).to_string()).unwrap_or_default();
        let _ = writeln!(text, "| {} | {} | {storage} |", name(*size), Number(start.as_secs_f64() * 1e3));
    }
    text.push_str("\nAgainst the bars:\n\n");
    text.push_str(&bars::table(&judge(logs, samples)));
    text
}

/// Whether the largest log is as good as the smallest.
fn judge(logs: &[Grown], samples: &[Sample]) -> Vec<Bar> {
    let (Some(small), Some(large)) = (logs.first(), logs.last()) else { return Vec::new() };
    let mut bars = Vec::new();
    let ratio = |row: &str, figure| {
        let of = |size| {
            let of_both = |sample: &&Sample| sample.row == row && sample.subject == name(size);
            Spread::of(samples.iter().filter(of_both), figure).map(|spread| spread.median)
        };
        Some(of(large.size)? / of(small.size)?)
    };
    let (small_name, large_name) = (name(small.size), name(large.size));
    for row in rows() {
        let demand = |what| format!("{}: {what} of {large_name} within a fifth of {small_name}", row.name);
        let throughput = ratio(row.name, Figure::PerSecond);
        bars.extend(bars::at_least(demand("throughput"), throughput, 0.8, " of it"));
        let p99 = ratio(row.name, Figure::Latency("p99"));
        bars.extend(bars::at_most(demand("p99"), p99, 1.2, " of it"));
    }
    let resident = samples.iter().filter_map(|sample| sample.figure(Figure::Resident)).reduce(f64::max);
    let resident = resident.map(|bytes| bytes / 1e6);
    bars.extend(bars::at_most("memory: 400 MB".to_owned(), resident, 400.0, " MB"));
    let start = Some(large.start.as_secs_f64());
    bars.extend(bars::at_most(format!("start with {large_name}: 2 s"), start, 2.0, " s"));
    let demand = "disk: 1.3 bytes for each byte of entries".to_owned();
    bars.extend(bars::at_most(demand, large.storage, 1.3, ""));
    bars
}
