//! The operators' manual and what is deployed, held to the code.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The headings of one depth in a document.
fn headings(text: &str, depth: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix(depth)?.strip_prefix(' ')).map(str::to_owned).collect()
}

/// The names that begin with `countersign_` in a text.
fn names(text: &str) -> BTreeSet<String> {
    let of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("countersign_") {
        let name: String = text[at..].chars().take_while(|character| of_name(*character)).collect();
        found.insert(name);
    }
    found
}

/// Every name of a figure in the sources of the servers, where they stand as texts.
fn figures() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<PathBuf> =
        ["web/serving/src", "log-server/src", "witness/src"].map(|room| top().join(room)).to_vec();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(path).unwrap();
            let texts = text.split('"').skip(1).step_by(2);
            found.extend(texts.filter(|text| text.starts_with("countersign_")).map(str::to_owned));
        }
    }
    found
}

#[test]
fn alarms_and_dashboard_ask_for_figures_that_there_are() {
    let figures = figures();
    assert!(figures.len() > 30, "only {} figures are seen", figures.len());
    for file in
        ["docs/deploy/prometheus/alerts.yml", "docs/deploy/grafana/countersign.json", "docs/OPERATIONS.md"]
    {
        let asked = names(&read(file));
        assert!(!asked.is_empty(), "{file} asks for nothing");
        for name in asked {
            let base =
                ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
            assert!(figures.contains(base), "{file} asks for {name}, which nobody counts");
        }
    }
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("docs/deploy/grafana/countersign.json")).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 20);
}

#[test]
fn every_alarm_is_in_the_manual_and_the_other_way_round() {
    let alerts = read("docs/deploy/prometheus/alerts.yml");
    let alarms: BTreeSet<String> =
        alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).map(str::to_owned).collect();
    assert!(alarms.len() > 10);
    let manual = read("docs/OPERATIONS.md");
    let (_, section) = manual.split_once("\n## Alarms\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    assert_eq!(headings(section, "###"), alarms);
}

#[test]
fn every_reason_is_in_the_manual_and_the_other_way_round() {
    let manual = read("docs/OPERATIONS.md");
    let (_, section) = manual.split_once("\n## When /readyz says no\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let documented = headings(section, "####");
    // A code stands behind an arrow or `code: `; what is between quotes there and in kebab case is one.
    let kebab = |text: &&str| {
        text.contains('-') && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    let of = |path: &str, from: &str, to: &str| -> BTreeSet<String> {
        let text = read(path);
        let (_, part) = text.split_once(from).unwrap_or_else(|| panic!("{path} has no {from}"));
        let part = part.split(to).next().unwrap();
        part.split('"').skip(1).step_by(2).filter(kebab).map(str::to_owned).collect()
    };
    let mut codes = of("log-server/src/log/health.rs", "fn code(&self)", "/// What to do about it");
    codes.extend(of("log-server/src/log/handle.rs", "pub fn readiness(&self)", "/// The log's figures"));
    let listed = of("log-server/src/log/health.rs", "pub const REASON_CODES", "/// One reason why");
    assert_eq!(codes, listed, "the lists of codes are not what the log answers");
    codes.extend(["signing-stopped", "rolled-back", "logs-unreadable"].map(str::to_owned));
    assert_eq!(documented, codes);
}

#[test]
fn units_are_hardened() {
    let folder = tempfile::tempdir().unwrap();
    for unit in ["log", "witness", "explorer"] {
        let name = format!("countersign-{unit}.service");
        let text = read(&format!("docs/deploy/systemd/{name}"));
        for line in [
            "NoNewPrivileges=yes",
            "ProtectSystem=strict",
            "CapabilityBoundingSet=",
            "MemoryDenyWriteExecute=yes",
            "SystemCallFilter=@system-service",
            "LimitCORE=0",
            "UMask=0077",
        ] {
            assert!(text.lines().any(|one| one == line), "{name} has no {line}");
        }
        let program = format!("/usr/local/bin/countersign-{unit}");
        let here = folder.path().join(&name);
        std::fs::write(&here, text.replace(&program, "/bin/true")).unwrap();
        let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&here).output() else {
            continue;
        };
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}
