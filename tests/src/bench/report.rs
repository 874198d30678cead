//! The text for `docs/PERFORMANCE.md`, and putting it there.

use std::path::Path;

use super::machine::Machine;
use super::rows::{self, Row};
use super::sample::Sample;
use super::{BenchError, bars, table};

/// The section of the document with the table.
pub const TABLE: &str = "measured";
/// The section with the growth.
pub const GROWTH: &str = "measured-growth";

/// What stands above figures: where they are from, and the command that brings them again.
pub fn heading(machine: &Machine, command: &str, how: &str) -> String {
    format!("{machine}.\n\n    {command}\n\n{how}\n\n")
}

/// The whole table, with the bars below it.
pub fn text(machine: &Machine, command: &str, how: &str, samples: &[Sample]) -> String {
    let measured: Vec<&Row> =
        rows::ROWS.iter().filter(|row| samples.iter().any(|sample| sample.row == row.name)).collect();
    let refusing: Vec<&Row> =
        measured.iter().copied().filter(|row| row.name.starts_with("overload")).collect();
    let mut text = heading(machine, command, how);
    text.push_str(&table::figures(&measured, samples));
    if !refusing.is_empty() {
        text.push_str("\nWhat became of what was too much:\n\n");
        text.push_str(&table::refusals(&refusing, samples));
    }
    let bars = bars::judge(samples);
    if !bars.is_empty() {
        text.push_str("\nAgainst the bars:\n\n");
        text.push_str(&bars::table(&bars));
    }
    text
}

/// Puts a text into a document, between the two comments that mark its section, in place of what was there.
pub fn write(path: &Path, section: &'static str, text: &str) -> Result<(), BenchError> {
    let document = std::fs::read_to_string(path).map_err(BenchError::file(path))?;
    let placed = place(&document, section, text)
        .ok_or_else(|| BenchError::NoPlace { path: path.to_owned(), section })?;
    std::fs::write(path, placed).map_err(BenchError::file(path))
}

fn place(document: &str, section: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {section} -->\n"), format!("<!-- /{section} -->"));
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::super::sample::tests::sample;
    use super::*;

    #[test]
    fn a_text_takes_the_place_of_the_last_one() {
        let document = "# A\n<!-- measured -->\nold\n<!-- /measured -->\nend\n";
        let placed = place(document, TABLE, "new").unwrap();
        assert_eq!(placed, "# A\n<!-- measured -->\n\nnew\n<!-- /measured -->\nend\n");
        assert_eq!(place(&placed, TABLE, "new"), Some(placed.clone()));
        assert_eq!(place(document, GROWTH, "new"), None);
    }

    #[test]
    fn figures_come_with_machine_and_command() {
        let machine = Machine::here(&std::env::temp_dir());
        let samples = [
            sample("single", "Countersign", 1, 8000.0, 900),
            sample("overload-3x", "Countersign", 1, 8000.0, 900),
        ];
        let text = text(&machine, "tests/bench/run", "How.", &samples);
        for part in [machine.kernel.as_str(), "    tests/bench/run\n", "| single sub", "too much:", "| bar |"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
