//! What is to be reached, and whether it was.

use core::fmt::Write as _;

use super::rows::On;
use super::sample::{Figure, Number, Sample, Spread};

/// From this time of a synced write on, in microseconds, the disk is what limits Tessera, and not the processor.
const SLOW_SYNC: f64 = 2_000.0;

/// One bar and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    /// What is demanded.
    pub demand: String,
    /// What was measured.
    pub measured: String,
    /// Whether that is enough.
    pub holds: bool,
}

/// The bars that these samples have figures for.
pub fn judge(samples: &[Sample]) -> Vec<Bar> {
    let figures = Figures { samples };
    let mut bars = Vec::new();
    let sync = figures.ours("single", Figure::Fsync).unwrap_or(0.0);
    let factor = if sync >= SLOW_SYNC { 1.5 } else { 1.1 };
    let versus = |row, figure, other| figures.ratio(row, figure, other);
    let single = versus("single", Figure::PerSecond, On::TesseraDefault);
    bars.extend(at_least(format!("single submissions: {factor} x Tessera"), single, factor, " x"));
    let batch = figures.ours("batch", Figure::PerSecond);
    bars.extend(at_least("batches: 25,000 statements a second".to_owned(), batch, 25_000.0, ""));
    for (quantile, share) in [("p50", 1.0 / 5.0), ("p99", 1.0 / 3.0)] {
        let ratio = versus("cosigned", Figure::Latency(quantile), On::TesseraTuned);
        let demand =
            format!("1,000/s until published, {quantile}: {} of Tessera tuned for it", Number(share));
        bars.extend(at_most(demand, ratio, share, " of it"));
    }
    let writer = versus("writer", Figure::PerSecond, On::TesseraTuned);
    bars.extend(at_least("one writer, until published: 3 x Tessera".to_owned(), writer, 3.0, " x"));
    let overload = figures.among("overload-3x", "single", Figure::PerSecond);
    let demand = "overload: 0.9 of the capacity is still acknowledged".to_owned();
    bars.extend(at_least(demand, overload, 0.9, " of it"));
    for row in ["overload-5000", "overload-3x"] {
        let silent = figures.ours(row, Figure::WithoutRetryAfter);
        bars.extend(at_most(format!("{row}: every refusal says when to retry"), silent, 0.0, " do not"));
    }
    for (row, flood) in [("modest-flooded", "a flood"), ("modest-batches", "a flood of batches")] {
        for (by, when) in [("modest", "alone"), ("modest-busy", "with busy processors")] {
            let demand = format!("beside {flood}: the p99 of a modest issuer at most 1.5 times that {when}");
            let longer = figures.among(row, by, Figure::Latency("p99"));
            bars.extend(at_most(demand, longer, 1.5, " times"));
        }
    }
    for row in ["read-checkpoint", "read-tile", "read-bundle"] {
        let ratio = versus(row, Figure::PerSecond, On::TesseraDefault);
        bars.extend(at_least(format!("{row}: 1.5 x Tessera"), ratio, 1.5, " x"));
    }
    bars
}

/// The bars as a table in Markdown.
pub fn table(bars: &[Bar]) -> String {
    let mut text = "| bar | measured | |\n|---|---:|---|\n".to_owned();
    for Bar { demand, measured, holds } in bars {
        let _ = writeln!(text, "| {demand} | {measured} | {} |", if *holds { "holds" } else { "**missed**" });
    }
    text
}

/// A bar that is held from above.
pub fn at_most(demand: String, value: Option<f64>, most: f64, unit: &str) -> Option<Bar> {
    let value = value?;
    Some(Bar { demand, measured: format!("{}{unit}", Number(value)), holds: value <= most })
}

/// A bar that is held from below.
pub fn at_least(demand: String, value: Option<f64>, least: f64, unit: &str) -> Option<Bar> {
    let value = value?;
    Some(Bar { demand, measured: format!("{}{unit}", Number(value)), holds: value >= least })
}

struct Figures<'a> {
    samples: &'a [Sample],
}

impl Figures<'_> {
    fn ours(&self, row: &str, figure: Figure) -> Option<f64> {
        self.of(row, On::Countersign, figure)
    }

    fn of(&self, row: &str, on: On, figure: Figure) -> Option<f64> {
        let of_both = |sample: &&Sample| sample.row == row && sample.subject == on.name();
        Spread::of(self.samples.iter().filter(of_both), figure).map(|spread| spread.median)
    }

    /// Ours, divided by theirs.
    fn ratio(&self, row: &str, figure: Figure, other: On) -> Option<f64> {
        divided(self.ours(row, figure)?, self.of(row, other, figure)?)
    }

    /// One row of ours, divided by another.
    fn among(&self, row: &str, by: &str, figure: Figure) -> Option<f64> {
        divided(self.ours(row, figure)?, self.ours(by, figure)?)
    }
}

fn divided(one: f64, by: f64) -> Option<f64> {
    (by > 0.0).then(|| one / by)
}

#[cfg(test)]
mod tests {
    use super::super::sample::tests::sample;
    use super::*;

    #[test]
    fn bars_hold_or_are_missed_and_are_left_out_without_figures() {
        let ours = On::Countersign.name();
        let mut samples = vec![
            sample("single", ours, 1, 9_000.0, 900),
            sample("single", On::TesseraDefault.name(), 1, 8_500.0, 900),
            sample("batch", ours, 1, 26_000.0, 900),
            sample("cosigned", ours, 1, 1_000.0, 30_000),
            sample("cosigned", On::TesseraTuned.name(), 1, 1_000.0, 100_000),
        ];
        let holds = |samples: &[Sample]| judge(samples).iter().map(|bar| bar.holds).collect::<Vec<_>>();
        // 1.06 times is not 1.1 times; a p50 of three tenths is not one of a fifth, but as a p99 it is under a third.
        assert_eq!(holds(&samples), [false, true, false, true]);
        samples[0] = sample("single", ours, 1, 10_000.0, 900);
        assert_eq!(holds(&samples), [true, true, false, true]);
        assert!(judge(&[]).is_empty());
        let text = table(&judge(&samples));
        assert!(text.contains("| batches: 25,000 statements a second | 26,000 | holds |"), "{text}");
    }
}
