//! Where figures go.

use core::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use countersign_tests::bench::machine::Machine;
use countersign_tests::bench::sample::Sample;
use countersign_tests::bench::{BenchError, report};
use countersign_verifier::program::print_line;
use indicatif::{ProgressBar, ProgressStyle};

use super::Args;

/// The folder in which logs lie while they are measured.
pub(super) fn data(args: &Args) -> PathBuf {
    args.data.clone().unwrap_or_else(std::env::temp_dir)
}

/// How often and how long, in words.
pub(super) fn how(args: &Args) -> String {
    let times = if args.rounds == 1 { "Once".to_owned() } else { format!("{} rounds in turns", args.rounds) };
    format!(
        "{times}, {:?} of load each time, on loopback; load and logs share the processors.",
        args.duration
    )
}

/// The command that brings the same figures again.
pub(super) fn command(args: &Args) -> String {
    let (rounds, seconds) = (args.rounds, args.duration.as_secs_f64());
    let mut command = format!("tests/bench/run --rounds {rounds} --duration {seconds}s");
    let mut add = |flag: &str, value: &dyn core::fmt::Display| {
        let _ = write!(command, " {flag} {value}");
    };
    if !args.rows.is_empty() {
        let names: Vec<&str> = args.rows.iter().map(|row| row.name).collect();
        add("--rows", &names.join(","));
    }
    if !args.grow.is_empty() {
        let sizes: Vec<String> = args.grow.iter().map(ToString::to_string).collect();
        add("--grow", &sizes.join(","));
    }
    if let Some(data) = &args.data {
        add("--data", &data.display());
    }
    command
}

/// A line for every run, as it comes: what was measured until an end that came too early is not lost.
pub(super) struct Lines {
    file: Option<(File, PathBuf)>,
}

impl Lines {
    pub(super) fn open(args: &Args, machine: &Machine) -> Result<Self, BenchError> {
        let create = |path: &Path| File::create(path).map_err(at(path)).map(|file| (file, path.to_owned()));
        let mut lines = Self { file: args.json.as_deref().map(create).transpose()? };
        lines.write(&serde_json::to_string(machine)?)?;
        Ok(lines)
    }

    pub(super) fn add(&mut self, sample: &Sample) -> Result<(), BenchError> {
        self.write(&serde_json::to_string(sample)?)
    }

    fn write(&mut self, line: &str) -> Result<(), BenchError> {
        let Some((file, path)) = &mut self.file else { return Ok(()) };
        writeln!(file, "{line}").map_err(at(path))
    }
}

/// Shows the text, and puts it into the document if there is one.
pub(super) fn show(args: &Args, section: &'static str, text: &str) -> Result<(), BenchError> {
    print_line(text).map_err(|error| at(Path::new("standard output"))(std::io::Error::other(error)))?;
    args.write.as_deref().map_or(Ok(()), |path| report::write(path, section, text))
}

/// A bar on a terminal, and nothing elsewhere.
pub(super) fn bar(count: u64) -> ProgressBar {
    let bar = ProgressBar::new(count);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len}, {eta} left  {msg}")
    {
        bar.set_style(style);
    }
    bar
}

fn at(path: &Path) -> impl FnOnce(std::io::Error) -> BenchError {
    let path = path.to_owned();
    move |source| BenchError::File { path, source }
}
