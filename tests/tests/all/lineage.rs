//! The rules of lineage, each from both sides, and the table that states them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use countersign_tests::stories::{Case, Party, Said, Story, Told, cases};
use countersign_verifier::lineage::{FindingCode, Judgement, LineageVerdict, NotOneExecution, Step, judge};
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::statement::{Kind, RefRole};
use proptest::prelude::*;
use serde_json::json;

/// Judges the execution of a story; what belongs to no execution lies outside of it.
fn judgement(told: &Told) -> Judgement {
    let outside: BTreeMap<LeafHash, (LeafIndex, Kind)> = told
        .indexed()
        .filter(|(_, statement)| statement.statement().execution().is_none())
        .map(|(index, statement)| (statement.entry_id(), (index, statement.statement().kind())))
        .collect();
    let steps: Vec<Step<'_>> = told
        .indexed()
        .filter(|(_, statement)| statement.statement().execution().is_some())
        .map(|(index, one)| Step { index, entry: one.entry_id(), statement: one.statement() })
        .collect();
    judge(&steps, |entry| outside.get(&entry).copied()).unwrap()
}

#[test]
fn every_story_is_judged_as_it_says() {
    for Case { name, told, verdict, findings, .. } in cases() {
        let judged = judgement(&told);
        let expected: Vec<_> = findings.iter().map(|(label, code)| (told.index(label), *code)).collect();
        let found: Vec<_> = judged.findings.iter().map(|finding| (finding.index, finding.code)).collect();
        assert_eq!((judged.verdict, found), (verdict, expected), "{name}: {judged:#?}");
        for finding in &judged.findings {
            assert!(finding.sentence.ends_with('.') && !finding.sentence.contains('\n'), "{finding:?}");
        }
    }
}

#[test]
fn every_rule_has_a_story_on_each_side() {
    let cases = cases();
    for code in FindingCode::ALL {
        let about = cases.iter().filter(|case| case.rule == Some(*code));
        let (fires, quiet): (Vec<&Case>, Vec<&Case>) =
            about.partition(|case| case.findings.iter().any(|(_, found)| found == code));
        assert!(!fires.is_empty(), "no story breaks {code}");
        assert!(!quiet.is_empty(), "no story comes close to {code}");
    }
    let mut names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|one, other| one < other), "two stories have one name: {names:?}");
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The rows of the table of rules, cell by cell.
fn table() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(top().join("docs/LINEAGE.md")).unwrap();
    text.lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// The texts between backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_table_states_the_rules_that_the_code_holds() {
    let table = table();
    let codes: Vec<&str> = table.iter().flat_map(|row| quoted(&row[0])).collect();
    let expected: Vec<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(codes, expected, "docs/LINEAGE.md and FindingCode list the same rules in the same order");
    let cases = cases();
    for (code, row) in FindingCode::ALL.iter().zip(&table) {
        let [_, severity, when, held, fires, quiet] = &row[..] else { panic!("{row:?}") };
        assert_eq!(*severity, code.severity().to_string(), "{code}");
        assert!(!when.is_empty(), "{code}");
        // `file::function`: the function is there and makes this finding.
        let (file, function) = quoted(held)[0].split_once("::").unwrap();
        let source = top().join(format!("verifier/src/lineage/{file}.rs"));
        let source = std::fs::read_to_string(&source).unwrap();
        let body =
            source.split_once(&format!("fn {function}(")).unwrap_or_else(|| panic!("{held} is not there")).1;
        let body = body.split("\n    }\n").next().unwrap();
        assert!(body.contains(&format!("FindingCode::{code:?}")), "{held} does not make {code}");
        // Each side names a story that is about this rule.
        for (cell, side) in [(fires, true), (quiet, false)] {
            let story = cases.iter().find(|case| case.rule == Some(*code) && case.name == cell);
            let story = story.unwrap_or_else(|| panic!("{code}: no story {cell:?}"));
            assert_eq!(story.findings.iter().any(|(_, found)| found == code), side, "{code}: {cell}");
        }
    }
}

/// What goes wrong in one strand of a story.
type Mishap = fn(Story, &str) -> Story;

/// One thing that goes wrong in one strand of an execution, and the rule that finds it in that strand's outcome.
const MISHAPS: &[(FindingCode, Mishap)] = &[
    (FindingCode::StartedAtMissing, |story, strand| {
        story.set(&format!("outcome{strand}"), json!({"started_at": null, "finished_at": null}))
    }),
    (FindingCode::OutcomeUnknown, |story, strand| {
        story.set(&format!("outcome{strand}"), json!({"status": "unknown"}))
    }),
    (FindingCode::OutcomeWithoutVerification, |story, strand| {
        story.without(&format!("verification{strand}"))
    }),
    (FindingCode::ExecutedAfterFailedVerification, |story, strand| {
        let fails = json!({"result": "fail", "code": "scope_invalid", "checkpoint": null});
        story.set(&format!("verification{strand}"), fails)
    }),
    (FindingCode::VerifiedWithoutWaiting, |story, strand| {
        story.set(&format!("verification{strand}"), json!({"mode": "async", "checkpoint": null}))
    }),
    (FindingCode::DecisionDenies, |story, strand| {
        story.set(&format!("decision{strand}"), json!({"decision": "deny", "code": "needs_approval"}))
    }),
    (FindingCode::ActionMismatch, |story, strand| {
        story.set(&format!("authorization{strand}"), json!({"action": {"name": "write"}}))
    }),
    (FindingCode::OutsideWindow, |story, strand| {
        story.change(&format!("authorization{strand}"), |said| said.window = (Party::Enforcer, 100, 200))
    }),
    (FindingCode::AudienceMismatch, |story, strand| {
        story.change(&format!("verification{strand}"), |said| said.by = Party::OtherEnforcer)
    }),
    (FindingCode::RevokedBeforeExecution, |story, strand| {
        let halt = json!({"action": "halt", "reason": "overspent"});
        let halt = Said::new("halt", Kind::Enforcement, Party::Overseer, halt);
        let halt = halt.at(1).naming(RefRole::Target, &format!("authorization{strand}"));
        story.before(&format!("verification{strand}"), halt)
    }),
];

/// The steps of so many strands, told into each other in any way.
fn told_into_each_other() -> impl Strategy<Value = (usize, Vec<usize>)> {
    (1..5_usize).prop_flat_map(|strands| {
        let order: Vec<usize> = (0..strands).flat_map(|strand| [strand; 5]).collect();
        (Just(strands), Just(order).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Strands do not get in each other's way, and what goes wrong in one is found there and nowhere else.
    #[test]
    fn what_goes_wrong_in_one_strand_is_found_there(
        (strands, order) in told_into_each_other(),
        strand in any::<prop::sample::Index>(),
        mishap in 0..MISHAPS.len(),
    ) {
        let story = Story::strands(&order);
        let judged = judgement(&story.tell());
        prop_assert_eq!((judged.verdict, judged.findings), (LineageVerdict::Governed, vec![]));

        let strand = format!("/{}", strand.index(strands));
        let (code, change) = MISHAPS[mishap];
        let told = change(story, &strand).tell();
        let judged = judgement(&told);
        let found: Vec<_> = judged.findings.iter().map(|finding| (finding.index, finding.code)).collect();
        prop_assert_eq!(found, vec![(told.index(&format!("outcome{strand}")), code)]);
    }

    /// Whatever is left out or stands in the wrong place, there is a verdict, and it follows from the findings.
    #[test]
    fn any_selection_in_any_order_has_a_verdict_that_follows_from_its_findings(
        (_, order) in told_into_each_other(),
        kept in prop::collection::vec(any::<bool>(), 30),
        places in Just((0..30_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let told = Story::strands(&order).tell();
        let steps: Vec<_> = told.entries.iter().filter(|one| one.statement().execution().is_some()).collect();
        let mixed = places.iter().filter_map(|place| steps.get(*place)).zip(&kept);
        let mixed: Vec<Step<'_>> = (0..)
            .map_while(LeafIndex::new)
            .zip(mixed.filter(|(_, kept)| **kept))
            .map(|(index, (one, _))| Step { index, entry: one.entry_id(), statement: one.statement() })
            .collect();
        let Ok(judged) = judge(&mixed, |_| None) else {
            prop_assert!(mixed.is_empty());
            return Ok(());
        };
        let keys: Vec<_> = judged.findings.iter().map(|finding| (finding.index, finding.code)).collect();
        prop_assert!(keys.is_sorted_by(|one, other| one < other), "{keys:?}");
        let ended = mixed.iter().any(|step| matches!(step.statement.kind(), Kind::Outcome | Kind::Close));
        let ran = mixed.iter().any(|step| step.statement.kind() == Kind::Outcome);
        let any = |severity: &str| keys.iter().any(|(_, code)| code.severity().to_string() == severity);
        let expected = match (any("violation"), ended, any("gap"), ran) {
            (true, ..) => LineageVerdict::Violated,
            (_, false, ..) => LineageVerdict::Open,
            (_, _, true, _) => LineageVerdict::Partial,
            (_, _, _, true) => LineageVerdict::Governed,
            _ => LineageVerdict::Denied,
        };
        prop_assert_eq!(judged.verdict, expected);
    }
}

#[test]
fn what_is_not_one_execution_in_order_is_not_judged() {
    let told = Story::governed().tell();
    let steps = |wanted: fn(Kind) -> bool| -> Vec<Step<'_>> {
        let indexed = told.indexed().filter(|(_, one)| wanted(one.statement().kind()));
        indexed
            .map(|(index, one)| Step { index, entry: one.entry_id(), statement: one.statement() })
            .collect()
    };
    let error = |steps: &[Step<'_>]| judge(steps, |_| None).unwrap_err();
    assert_eq!(error(&[]), NotOneExecution::Empty);
    let mut execution =
        steps(|kind| RefRole::ALL.iter().any(|role| kind == Kind::Close || role.kind() == Some(kind)));
    execution.retain(|step| step.statement.kind() != Kind::Policy);
    assert!(judge(&execution, |_| None).is_ok());
    assert!(matches!(error(&steps(|kind| kind == Kind::Genesis)), NotOneExecution::None { .. }));
    let foreign: Vec<Step<'_>> = [&execution[..1], &steps(|kind| kind == Kind::Policy)].concat();
    assert!(matches!(error(&foreign), NotOneExecution::Foreign { .. }));
    let again = [execution[0], execution[0]];
    assert!(matches!(error(&again), NotOneExecution::Order { .. }));
    execution.reverse();
    assert!(matches!(error(&execution), NotOneExecution::Order { .. }));
}
