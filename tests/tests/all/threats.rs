//! docs/THREATS.md names tests. They exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The names of all functions in the project that are marked as tests.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "data", "node_modules"].contains(&name.as_str()) {
                tests_below(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let mut marked = false;
            for line in std::fs::read_to_string(&path).unwrap().lines().map(str::trim) {
                if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
                    if std::mem::take(&mut marked) {
                        found.insert(rest.split('(').next().unwrap().to_owned());
                    }
                } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                    marked = true;
                }
            }
        }
    }
}

#[test]
fn every_hazard_names_tests_that_are_there() {
    let mut known = BTreeSet::new();
    tests_below(&top(), &mut known);
    let page = std::fs::read_to_string(top().join("docs/THREATS.md")).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| H"))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert!(rows.len() > 20, "only {} hazards were found", rows.len());
    for (at, row) in rows.iter().enumerate() {
        assert_eq!(row.len(), 5, "{row:?}");
        assert_eq!(row[0], format!("H{}", at + 1));
        let named: Vec<&str> = row[4].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "{} names no test", row[0]);
        for test in named {
            assert!(known.contains(test), "{} names {test}, which is not a test", row[0]);
        }
        for loss in row[2].split(", ") {
            assert!(page.contains(&format!("| {loss} | **")), "{} leads to {loss}, which is no loss", row[0]);
        }
    }
}
