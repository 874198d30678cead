//! The figures of the servers: what is documented, what is served, and what alarms and dashboard ask for.

use std::collections::{BTreeMap, BTreeSet};

use countersign_serving::figures::{EVERYWHERE, Figure, Sort, manual};
use countersign_tests::harness::{System, execution, expect_code, get, post};

use crate::decide::{Point, asked};
use crate::documents::{assert_rendered, read};
use crate::explorer::Explorer;
use crate::parties::Parties;
use crate::submitting::submit;

const ALERTS: &str = "docs/deploy/prometheus/alerts.yml";
const DASHBOARD: &str = "docs/deploy/grafana/countersign.json";

fn of_log() -> Vec<&'static Figure> {
    countersign_log::http::figures().collect()
}

fn of_witness() -> Vec<&'static Figure> {
    countersign_witness::http::FIGURES.iter().collect()
}

fn of_decision_point() -> Vec<&'static Figure> {
    countersign_gate::decide::http::FIGURES.iter().collect()
}

/// Those of an explorer wherever it runs, alone or in a log.
fn of_explorer() -> Vec<&'static Figure> {
    countersign_web::FIGURES.iter().collect()
}

fn of_explorer_alone() -> Vec<&'static Figure> {
    countersign_web::OF_PROGRAM.iter().chain(countersign_web::FIGURES).collect()
}

fn of_all() -> Vec<&'static Figure> {
    [of_log(), of_witness(), of_decision_point(), of_explorer_alone(), EVERYWHERE.iter().collect()].concat()
}

/// The names that begin with `countersign_` in a text, without what a histogram adds to its own.
fn names(text: &str) -> BTreeSet<String> {
    let of_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let name = |(at, _): (usize, &str)| -> String {
        text[at..].chars().take_while(|character| of_name(*character)).collect()
    };
    let base = |name: String| {
        let ends = ["_bucket", "_sum", "_count"];
        ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
    };
    text.match_indices("countersign_").map(name).map(base).collect()
}

/// Each alarm, with the figures that it looks at.
fn alarms() -> Vec<(String, BTreeSet<String>)> {
    let text = read(ALERTS);
    let alarms = text.split("- alert: ").skip(1).map(|rule| {
        let (name, rule) = rule.split_once('\n').unwrap();
        (name.to_owned(), names(rule))
    });
    alarms.collect()
}

#[test]
fn every_figure_is_documented_as_the_programs_explain_it() {
    let alarms = alarms();
    let alarms_of = |figure: &Figure| -> Vec<String> {
        let about = alarms.iter().filter(|(_, names)| names.contains(figure.name));
        about.map(|(alarm, _)| format!("[{alarm}](OPERATIONS.md#{})", alarm.to_lowercase())).collect()
    };
    let chapter =
        |title: &str, figures: Vec<&'static Figure>| format!("## {title}\n\n{}", manual(figures, alarms_of));
    let text = [
        "# What servers count\n\n\
         `GET /metrics` of every server answers with these figures, for Prometheus. Counters begin at 0 with each start. A figure\n\
         with labels is there from the first time that it had something to count. This document is rendered from the programs; a\n\
         test holds it to them. [OPERATIONS.md](OPERATIONS.md#monitor) says how to use it.\n\n"
            .to_owned(),
        chapter("Every server", EVERYWHERE.iter().collect()),
        chapter("The log", of_log()),
        chapter("The witness", of_witness()),
        chapter("The decision point", of_decision_point()),
        chapter("The explorer", countersign_web::OF_PROGRAM.iter().collect()),
        "A log with the explorer in it has these too:\n\n".to_owned(),
        manual(of_explorer(), alarms_of),
    ];
    assert_rendered("docs/METRICS.md", &text.concat());
}

#[test]
fn alarms_and_dashboard_ask_for_figures_that_there_are() {
    let figures: BTreeSet<&str> = of_all().iter().map(|figure| figure.name).collect();
    for file in [ALERTS, DASHBOARD, "docs/OPERATIONS.md"] {
        let asked = names(&read(file));
        assert!(!asked.is_empty(), "{file} asks for nothing");
        for name in asked {
            assert!(figures.contains(name.as_str()), "{file} asks for {name}, which nobody counts");
        }
    }
    let dashboard: serde_json::Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 20);
    let labels: BTreeSet<&str> =
        of_all().iter().flat_map(|figure| figure.labels).map(|(label, _)| *label).collect();
    for file in [ALERTS, DASHBOARD] {
        for shown in read(file).split("{{").skip(1).filter_map(|text| text.split_once("}}")) {
            let label = shown.0.trim().trim_start_matches("$labels.");
            let is_label = label.bytes().all(|byte| byte.is_ascii_lowercase());
            let known = ["instance", "job"].contains(&label) || labels.contains(label);
            assert!(!is_label || known, "{file} shows the label {label}, which no figure has");
        }
    }
}

/// What `/metrics` serves: the names, and of what sort each is.
fn served(url: &str) -> BTreeMap<String, String> {
    let answer = get(url, "/metrics");
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let types: BTreeMap<String, String> = types.map(|(name, sort)| (name.into(), sort.into())).collect();
    assert_eq!(names(&text), types.keys().cloned().collect(), "{text}");
    for name in types.keys() {
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not explained");
    }
    types
}

/// Every figure, but those that are not there before they have something to count.
#[track_caller]
fn assert_serves(url: &str, figures: Vec<&'static Figure>, not_yet: &[&str]) {
    let all = figures.into_iter().chain(EVERYWHERE).filter(|figure| !not_yet.contains(&figure.name));
    let sort = |sort| match sort {
        Sort::Counter => "counter",
        Sort::Gauge => "gauge",
        Sort::Histogram => "histogram",
    };
    let expected: BTreeMap<String, String> =
        all.map(|figure| (figure.name.to_owned(), sort(figure.sort).to_owned())).collect();
    assert_eq!(served(url), expected);
}

#[test]
fn every_server_serves_every_figure_and_no_other() {
    let system = System::start();
    let explorer = Explorer::start(&system, system.log.url(), &[]);
    let parties = Parties::register(&system);
    submit(&system, parties.intent(&execution("counted")));
    expect_code(&post(system.log.url(), "/entries", "application/cose", "nonsense"), 400, "cose-malformed");
    get(system.log.url(), "/entries");
    assert_serves(system.log.url(), [of_log(), of_explorer()].concat(), &[]);
    let [witness, ..] = &system.witnesses;
    expect_code(&get(witness.url(), "/nowhere"), 404, "not-found");
    assert_serves(witness.url(), of_witness(), &[]);
    explorer.wait_for("following", 1);
    assert_serves(&explorer.url, of_explorer_alone(), &["countersign_refusals_total"]);
}

#[test]
fn a_decision_point_serves_every_figure_and_no_other() {
    let point = Point::start();
    assert_eq!(point.evaluate(&asked("alice", "read", "record-1"))["decision"], true);
    assert_eq!(post(&point.url, "/access/v1/evaluation", "text/plain", "").status.as_u16(), 415);
    assert_serves(&point.url, of_decision_point(), &[]);
    let text = String::from_utf8(get(&point.url, "/metrics").body.to_vec()).unwrap();
    for line in [
        "countersign_decisions_total{verdict=\"permit\",reason=\"permitted\"} 1",
        "countersign_refusals_total{code=\"unsupported-media-type\"} 1",
        "countersign_ready 1",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in {text}");
    }
}
