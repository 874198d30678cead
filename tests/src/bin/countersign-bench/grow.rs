//! Logs of different sizes, side by side.

use countersign_tests::bench::growth::{self, Grown};
use countersign_tests::bench::machine::Machine;
use countersign_tests::bench::{BenchError, report};

use super::Args;
use super::output::{self, Lines};

pub(super) fn measure(args: &Args) -> Result<(), BenchError> {
    let data = output::data(args);
    let machine = Machine::here(&data);
    let mut lines = Lines::open(args, &machine)?;
    let mut logs = Vec::new();
    for size in &args.grow {
        let bar = output::bar(*size);
        bar.set_message("building");
        logs.push(Grown::build(&data, *size, &|part| bar.inc(part))?);
        bar.finish_and_clear();
    }
    let runs = growth::rows().len().saturating_mul(logs.len()) as u64;
    let bar = output::bar(u64::from(args.rounds).saturating_mul(runs));
    let mut unwritten = None;
    let samples = growth::measure(&data, &mut logs, args.rounds, args.duration, &mut |sample| {
        bar.set_message(format!("{} on {}", sample.row, sample.subject));
        bar.inc(1);
        if let Err(error) = lines.add(sample) {
            unwritten.get_or_insert(error);
        }
    })?;
    bar.finish_and_clear();
    unwritten.map_or(Ok(()), Err)?;
    let text = report::heading(&machine, &output::command(args), &output::how(args));
    output::show(args, report::GROWTH, &(text + &growth::text(&logs, &samples)))
}
