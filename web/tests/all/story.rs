//! What pages say in plain words, and which steps they draw as missing.

use std::collections::HashMap;

use countersign_verifier::bundle::Bundle;
use countersign_verifier::lineage::{Step, judge};
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::ask::{ask, explorer};
use crate::sample::sample;

/// The steps of an execution: kinds as they are, missing ones in brackets, gaps with an exclamation mark.
async fn steps(path: &str) -> (Vec<String>, Value) {
    let pages = explorer(&sample());
    let json = ask(&pages, path).await.json();
    let steps = json["steps"].as_array().unwrap().iter().map(|step| {
        if let Some(entry) = step.get("entry") {
            entry["kind"].as_str().unwrap().to_owned()
        } else {
            let missing = &step["missing"];
            format!(
                "[{}]{}",
                missing["kind"].as_str().unwrap(),
                if missing["gap"] == true { "!" } else { "" }
            )
        }
    });
    (steps.collect(), json)
}

#[tokio::test]
async fn missing_steps_are_drawn_where_they_belong() {
    for (execution, expected) in [
        ("run:2026-11-23/git-log", "intent decision authorization verification outcome close"),
        ("run:2026-11-23/upload", "intent decision outcome [close]"),
        ("run:2026-11-23/test", "intent decision authorization [verification]! outcome enforcement [close]"),
        ("smallest/use", "[intent]! [decision]! authorization [verification]! outcome [close]"),
        ("run:2026-11-23/deploy", "intent decision"),
    ] {
        let (found, json) = steps(&format!("/executions/{execution}.json")).await;
        assert_eq!(found.join(" "), expected, "{execution}");
        let size = json["size"].as_u64().unwrap();
        for missing in json["steps"].as_array().unwrap().iter().filter_map(|step| step.get("missing")) {
            let kind = missing["kind"].as_str().unwrap();
            assert_eq!(missing["what"], format!("No {kind} entry exists as of size {size}."));
        }
    }
}

/// The explorer judges as everybody else does, in the same words.
#[tokio::test]
async fn the_verdict_is_that_of_the_judge() {
    let pages = explorer(&sample());
    for (execution, expected) in [
        ("run:2026-11-23/git-log", "governed"),
        ("run:2026-11-23/upload", "denied"),
        ("run:2026-11-23/test", "partial"),
        ("smallest/use", "partial"),
        ("run:2026-11-23/deploy", "open"),
    ] {
        let json = ask(&pages, &format!("/executions/{execution}.json")).await.json();
        let bundle = ask(&pages, &format!("/executions/{execution}.bundle")).await;
        let bundle = Bundle::parse(&bundle.bytes).unwrap();
        let steps: Vec<Step<'_>> = bundle.steps().collect();
        let policies: HashMap<LeafHash, (LeafIndex, Kind)> = bundle
            .entries()
            .filter(|step| step.statement.kind() == Kind::Policy)
            .map(|step| (step.entry, (step.index, Kind::Policy)))
            .collect();
        let judgement = judge(&steps, |entry| policies.get(&entry).copied()).unwrap();
        assert_eq!(judgement.verdict.as_str(), expected, "{execution}: {judgement:#?}");
        assert_eq!(json["lineage"], serde_json::to_value(&judgement).unwrap(), "{execution}");
        let page = ask(&pages, &format!("/executions/{execution}")).await;
        assert!(page.text().contains(&format!("this execution is <strong>{expected}</strong>: ")));
        for finding in &judgement.findings {
            assert!(page.text().contains(&finding.sentence), "{execution}: {}", finding.sentence);
        }
    }
}

#[tokio::test]
async fn an_execution_is_told_in_plain_words() {
    let (_, json) = steps("/executions/run:2026-11-23/git-log.json").await;
    let summary: Vec<&str> =
        json["summary"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect();
    let [asked, decided, authorized, checked, happened] = summary[..] else { panic!("{summary:#?}") };
    assert_eq!(
        asked,
        "build-agent asked to let the agent build-agent perform execute on the command git log --oneline."
    );
    assert_eq!(decided, "pdp-1 decided to permit it: a policy permits it and none forbids it.");
    assert!(authorized.starts_with("pdp-1 authorized it until 2026-11-23 "), "{authorized}");
    assert!(authorized.ends_with(", under the control of gate-1."), "{authorized}");
    assert!(
        checked.starts_with("gate-1 recorded that the authorization held before anything ran."),
        "{checked}"
    );
    assert_eq!(happened, "gate-1 recorded the outcome: it ran, and its effect was observed (exit code 0).");
    assert_eq!(json["state"], "it ran, and its effect was observed");

    let (_, json) = steps("/executions/smallest/use.json").await;
    let allowed = "pdp-1 authorized the agent build-agent to perform send on the command invoice 2041, ";
    assert!(json["summary"][0].as_str().unwrap().starts_with(allowed), "{json:#}");
    let (_, json) = steps("/executions/run:2026-11-23/test.json").await;
    assert_eq!(json["state"], "results were isolated");
}

#[tokio::test]
async fn pages_say_what_is_recorded_and_never_that_it_is_checked() {
    let pages = explorer(&sample());
    for path in
        ["/", "/entries/0", "/entries/7", "/entries/9/proof", "/executions/run:2026-11-23/git-log", "/health"]
    {
        let answer = ask(&pages, path).await;
        let text = answer.text().to_lowercase();
        for claim in ["✓", "✔", "checked here", "proven", "trusted", "guaranteed"] {
            assert!(!text.contains(claim), "{path} claims {claim}");
        }
        assert!(text.contains("check"), "{path} does not say how to check");
    }
    let entry = ask(&pages, "/entries/7").await;
    assert!(
        entry.text().contains(
            "countersign-verify proof \\\n  --policy trust.policy \\\n  --entry 7.cose 7.tlog-proof"
        )
    );
    assert!(entry.text().contains(">recorded<") && entry.text().contains(">not checked<"));
}

#[tokio::test]
async fn times_are_absolute_and_in_utc() {
    let pages = explorer(&sample());
    let page = ask(&pages, "/health").await;
    assert!(page.text().contains("<time datetime=\"2026-11-23T09:00:01Z\">2026-11-23 09:00:01 UTC</time>"));
    assert!(page.text().contains("4 seconds ago"));
}

#[tokio::test]
async fn what_an_entry_stands_on_is_one_step_away() {
    let pages = explorer(&sample());
    let json = ask(&pages, "/executions/run:2026-11-23/git-log.json").await.json();
    let index = |at: usize| json["steps"][at]["entry"]["index"].as_u64().unwrap();
    let authorization = ask(&pages, &format!("/entries/{}.json", index(2))).await.json();
    let refs: Vec<(&str, u64)> = authorization["refs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reference| (reference["role"].as_str().unwrap(), reference["index"].as_u64().unwrap()))
        .collect();
    assert_eq!(refs, [("intent", index(0)), ("policy", 5), ("decision", index(1))]);
    let page = ask(&pages, &format!("/entries/{}", index(2))).await;
    assert!(page.text().contains(&format!("href=\"/entries/{}\"", index(1))));
    // The policy's text is there to be read.
    assert!(ask(&pages, "/entries/5").await.text().contains("// Reading is always fine.\npermit ("));
}
