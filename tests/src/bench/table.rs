//! Samples as tables in Markdown.

use core::fmt::Write as _;

use super::rows::Row;
use super::sample::{Figure, Number, Sample, Spread};

/// From microseconds to milliseconds.
const MILLIS: f64 = 0.001;
/// From bytes to MiB.
const MIB: f64 = 1.0 / (1024.0 * 1024.0);

/// A column: its head, and what stands in it.
type Column = (&'static str, fn(&[&Sample]) -> String);

const COLUMNS: &[Column] = &[
    ("a second", |samples| spread(samples, Figure::PerSecond, 1.0)),
    ("p50 ms", |samples| spread(samples, Figure::Latency("p50"), MILLIS)),
    ("p90 ms", |samples| median(samples, Figure::Latency("p90"), MILLIS)),
    ("p99 ms", |samples| spread(samples, Figure::Latency("p99"), MILLIS)),
    ("p99.9 ms", |samples| median(samples, Figure::Latency("p99.9"), MILLIS)),
    ("CPU us: log", |samples| median(samples, Figure::Cpu("log"), 1.0)),
    ("witnesses", |samples| median(samples, Figure::Cpu("witnesses"), 1.0)),
    ("client", |samples| median(samples, Figure::OwnCpu, 1.0)),
    ("RSS MiB", |samples| median(samples, Figure::Resident, MIB)),
    ("disk B", |samples| median(samples, Figure::Disk, 1.0)),
    ("fsync ms", |samples| spread(samples, Figure::Fsync, MILLIS)),
];

const REFUSALS: &[Column] = &[
    ("acknowledged a second", |samples| spread(samples, Figure::PerSecond, 1.0)),
    ("refused", |samples| median(samples, Figure::Refused, 1.0)),
    ("refused in, p50 ms", |samples| median(samples, Figure::Refusal("p50"), MILLIS)),
    ("p99 ms", |samples| median(samples, Figure::Refusal("p99"), MILLIS)),
    ("without Retry-After", |samples| median(samples, Figure::WithoutRetryAfter, 1.0)),
    ("never sent", |samples| median(samples, Figure::Unsent, 1.0)),
    ("no answer", |samples| median(samples, Figure::Silent, 1.0)),
];

/// Every row on every log: medians over the rounds, and in brackets the least and the most.
pub fn figures(rows: &[&Row], samples: &[Sample]) -> String {
    table(rows, samples, COLUMNS)
}

/// What became of the requests that were too many.
pub fn refusals(rows: &[&Row], samples: &[Sample]) -> String {
    table(rows, samples, REFUSALS)
}

fn table(rows: &[&Row], samples: &[Sample], columns: &[Column]) -> String {
    let heads: Vec<&str> = columns.iter().map(|(head, _)| *head).collect();
    let mut text =
        format!("| what | log | {} |\n|---|---|{}\n", heads.join(" | "), "---:|".repeat(heads.len()));
    for row in rows {
        let of_row: Vec<&Sample> = samples.iter().filter(|sample| sample.row == row.name).collect();
        let mut subjects: Vec<&str> = Vec::new();
        for sample in &of_row {
            if !subjects.contains(&sample.subject.as_str()) {
                subjects.push(&sample.subject);
            }
        }
        for subject in subjects {
            let of_subject = of_row.iter().copied().filter(|sample| sample.subject == subject);
            let (good, failed): (Vec<&Sample>, Vec<&Sample>) =
                of_subject.partition(|sample| sample.failed.is_none());
            let name = format!("| {} | {subject} |", row.about);
            if good.is_empty() {
                let why = failed.first().and_then(|sample| sample.failed.as_deref()).unwrap_or_default();
                let _ = writeln!(text, "{name} failed: {} |", why.lines().next().unwrap_or_default());
                continue;
            }
            let cells: Vec<String> = columns.iter().map(|(_, cell)| cell(&good)).collect();
            let _ = writeln!(text, "{name} {} |", cells.join(" | "));
        }
    }
    text
}

fn spread(samples: &[&Sample], figure: Figure, factor: f64) -> String {
    let spread = Spread::of(samples.iter().copied(), figure);
    spread.map(|spread| spread.times(factor).to_string()).unwrap_or_default()
}

fn median(samples: &[&Sample], figure: Figure, factor: f64) -> String {
    let spread = Spread::of(samples.iter().copied(), figure);
    spread.map(|spread| Number(spread.median * factor).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::rows::named;
    use super::super::sample::tests::sample;
    use super::*;

    #[test]
    fn a_row_has_a_line_for_each_log_with_the_middle_of_its_rounds() {
        let mut failed = sample("single", "theirs", 1, 0.0, 0);
        failed.failed = Some("no answer\nand more".to_owned());
        let samples = [
            sample("single", "ours", 1, 8000.0, 4000),
            failed,
            sample("single", "ours", 2, 9000.0, 6000),
            sample("batch", "ours", 1, 30_000.0, 50_000),
        ];
        let text = figures(&[named("single").unwrap()], &samples);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(
            lines[2].contains("| ours | 8,500 (8,000 to 9,000) | 2.50 (2.00 to 3.00) | 5.00 |"),
            "{text}"
        );
        assert!(lines[3].contains("| theirs | failed: no answer |"), "{text}");
        let cells = |line: &str| line.matches('|').count();
        assert!(cells(lines[0]) == cells(lines[1]) && cells(lines[0]) == cells(lines[2]), "{text}");
    }
}
