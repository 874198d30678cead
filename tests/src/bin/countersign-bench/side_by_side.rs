//! The table: every row on every log, in turns.

use countersign_tests::bench::machine::Machine;
use countersign_tests::bench::rounds::{Run, capacity};
use countersign_tests::bench::rows::{self, On, Row};
use countersign_tests::bench::subject::{Stand, Subject, Tessera};
use countersign_tests::bench::{BenchError, report};

use super::Args;
use super::output::{self, Lines};

pub(super) fn measure(args: &Args) -> Result<(), BenchError> {
    let data = output::data(args);
    let machine = Machine::here(&data);
    let mut lines = Lines::open(args, &machine)?;
    let tessera =
        Tessera { conformance: args.tessera_conformance.clone(), tuned: args.tessera_tuned.clone() };
    let stand = Stand::start(&data, &tessera, On::Countersign.name())?;
    let chosen: Vec<&Row> =
        if args.rows.is_empty() { rows::ROWS.iter().collect() } else { args.rows.clone() };
    // In the order of the table whatever the order of the arguments: reading needs something written.
    let rows: Vec<&Row> = rows::ROWS.iter().filter(|row| chosen.contains(row)).collect();
    let of = |row: &Row| -> Vec<&Subject> {
        stand.subjects.iter().filter(|subject| row.on.contains(&subject.on)).collect()
    };
    for subject in &stand.subjects {
        warm_up(args, subject)?;
    }
    let runs: usize = rows.iter().map(|row| of(row).len()).sum();
    let bar = output::bar(u64::from(args.rounds).saturating_mul(runs as u64));
    let mut samples = Vec::new();
    for round in 1..=args.rounds {
        for row in &rows {
            for subject in of(row) {
                bar.set_message(format!("{} on {}", row.name, subject.name));
                let capacity = capacity(&samples, &subject.name);
                let run = Run { row, subject, round, duration: args.duration, capacity };
                if let Some(sample) = run.measure()? {
                    lines.add(&sample)?;
                    samples.push(sample);
                }
                bar.inc(1);
            }
        }
    }
    bar.finish_and_clear();
    let text = report::text(&machine, &output::command(args), &output::how(args), &samples);
    output::show(args, report::TABLE, &text)
}

/// Loads a log once, unmeasured: caches fill, and there is something to read.
fn warm_up(args: &Args, subject: &Subject) -> Result<(), BenchError> {
    let Some(row) = rows::named("single") else { return Ok(()) };
    let run = Run { row, subject, round: 0, duration: args.duration.min(WARM_UP), capacity: None };
    run.measure().map(drop)
}

const WARM_UP: std::time::Duration = std::time::Duration::from_secs(2);
