//! The operators' manual and what is deployed, held to the code.

use std::collections::BTreeSet;
use std::process::Command;

use countersign_serving::{Bounds, Flags, Limit, span};

use crate::documents::{assert_rendered_below, read};

/// The headings of one depth in a document.
fn headings(text: &str, depth: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.strip_prefix(depth)?.strip_prefix(' ')).map(str::to_owned).collect()
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
    codes.extend(countersign_web::REASON_CODES.iter().map(ToString::to_string));
    codes.extend(countersign_gate::decide::http::CODES.iter().map(ToString::to_string));
    codes.extend(["signing-stopped", "rolled-back", "logs-unreadable"].map(str::to_owned));
    assert_eq!(documented, codes);
}

#[test]
fn every_doubt_is_in_the_manual_and_the_other_way_round() {
    let manual = read("docs/OPERATIONS.md");
    let (_, table) = manual.split_once("\n| reason | what to do |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let documented: Vec<&str> =
        rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2)).collect();
    assert_eq!(documented, countersign_gate::decide::Doubt::CODES);
}

#[test]
fn the_limits_are_those_of_the_code() {
    let table = |limits: Vec<Limit>| {
        let rows: Vec<String> = limits.iter().map(ToString::to_string).collect();
        format!("| limit | default | flag |\n|---|---|---|\n{}", rows.join("\n"))
    };
    for (heading, limits) in [
        ("### Every server", Flags::limits(&Bounds::DEFAULT)),
        ("### The log", countersign_log::http::limits()),
        ("### The witness", countersign_witness::http::limits()),
        ("### The decision point", countersign_gate::decide::http::limits()),
    ] {
        assert_rendered_below(heading, "docs/OPERATIONS.md", &table(limits));
    }
    let own = countersign_witness::http::BOUNDS;
    assert_eq!(own, Bounds { header: own.header, ..Bounds::DEFAULT }, "the manual names one difference");
    let header = format!("A witness waits for a header for {},", span(own.header));
    assert!(read("docs/OPERATIONS.md").contains(&header), "{header}");
}

#[test]
fn units_are_hardened() {
    let folder = tempfile::tempdir().unwrap();
    for (unit, program) in [
        ("log", "countersign-log"),
        ("witness", "countersign-witness"),
        ("explorer", "countersign-explorer"),
        ("monitor", "countersign-verify"),
        ("decide", "countersign"),
    ] {
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
        let program = format!("/usr/local/bin/{program} ");
        let here = folder.path().join(&name);
        std::fs::write(&here, text.replace(&program, "/bin/true ")).unwrap();
        let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&here).output() else {
            continue;
        };
        assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    }
}
