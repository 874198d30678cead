//! Bundles: what holds, what does not, and that nothing in one can be changed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_tests::stories::{ORIGIN, Party, Said, Sealed, Story, Told, registrations, trust_policy};
use countersign_verifier::bundle::{Bundle, BundleError};
use countersign_verifier::lineage::LineageVerdict;
use countersign_verifier::merkle::LeafIndex;
use countersign_verifier::quorum::Policy;
use countersign_verifier::replay::Engine;
use countersign_verifier::report::{
    Answer, BundleReport, Finding, Stage, check_bundle, check_bundle_and_replay,
};
use countersign_verifier::statement::{Kind, RefRole, Statement};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::schema::assert_is_report;

fn check(bytes: &[u8]) -> BundleReport {
    let report = check_bundle(bytes, &Policy::parse(trust_policy().as_bytes()).unwrap());
    assert_is_report(&serde_json::to_value(&report).unwrap());
    report
}

fn finding(report: &BundleReport, stage: Stage) -> &Finding {
    &report.stages.iter().find(|line| line.stage == stage).unwrap().finding
}

/// The stages that fail.
fn failing(report: &BundleReport) -> Vec<Stage> {
    report.stages.iter().filter(|line| line.failed()).map(|line| line.stage).collect()
}

fn verdict(report: &BundleReport) -> Option<LineageVerdict> {
    report.lineage.as_ref().map(|judged| judged.verdict)
}

fn indexes(bytes: &[u8]) -> Vec<u64> {
    Bundle::parse(bytes).unwrap().entries().map(|step| step.index.get()).collect()
}

/// A bundle of its members, whatever they are.
#[derive(Clone)]
struct Members {
    format: String,
    execution: String,
    checkpoint: String,
    entries: Vec<(u64, String)>,
    multiproof: Vec<String>,
}

impl Members {
    fn of(bytes: &[u8]) -> Self {
        let value: Value = serde_json::from_slice(bytes).unwrap();
        let text = |member: &Value| member.as_str().unwrap().to_owned();
        let entry = |one: &Value| (one["index"].as_u64().unwrap(), text(&one["statement"]));
        Self {
            format: text(&value["format"]),
            execution: text(&value["execution"]),
            checkpoint: text(&value["checkpoint"]),
            entries: value["entries"].as_array().unwrap().iter().map(entry).collect(),
            multiproof: value["multiproof"].as_array().unwrap().iter().map(text).collect(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let entries = self
            .entries
            .iter()
            .map(|(index, statement)| format!("{{\"index\":{index},\"statement\":{}}}", json!(statement)));
        format!(
            "{{\"format\":{},\"execution\":{},\"checkpoint\":{},\"entries\":[{}],\"multiproof\":{}}}",
            json!(self.format),
            json!(self.execution),
            json!(self.checkpoint),
            entries.collect::<Vec<_>>().join(","),
            json!(self.multiproof)
        )
        .into_bytes()
    }

    /// Changes something, and says what the reader makes of it.
    fn refused(&self, change: impl FnOnce(&mut Self)) -> BundleError {
        let mut changed = self.clone();
        change(&mut changed);
        let bytes = changed.bytes();
        let report = check(&bytes);
        assert_eq!((report.answer(), failing(&report)), (Answer::DoesNotHold, vec![Stage::Format]));
        assert!(report.lineage.is_none() && report.story.is_empty());
        Bundle::parse(&bytes).unwrap_err()
    }
}

#[test]
fn what_was_governed_and_what_was_denied_holds() {
    for (story, expected, steps) in
        [(Story::governed(), LineageVerdict::Governed, 6), (Story::denied(), LineageVerdict::Denied, 5)]
    {
        let bytes = story.tell().bundle();
        let bundle = Bundle::parse(&bytes).unwrap();
        assert_eq!(bundle.to_bytes(), bytes);
        assert_eq!(Members::of(&bytes).bytes(), bytes, "the encoding is the one that is documented");
        assert_eq!(bundle.steps().count(), steps);
        let report = check(&bytes);
        assert_eq!((report.answer(), verdict(&report)), (Answer::Holds, Some(expected)), "{report:#?}");
        assert!(matches!(finding(&report, Stage::PolicyReplay), Finding::NotChecked(_)));
        assert_eq!(report.story.len(), steps);
        assert_eq!(report.head.as_ref().unwrap().cosignatures.len(), 2);
    }
    // The genesis, who signed (1 requester, 2 authority, 3 enforcer), the policy, and the steps; neither the other
    // enforcer nor the overseer, who signed nothing.
    assert_eq!(indexes(&Story::governed().tell().bundle()), [0, 1, 2, 3, 6, 7, 8, 9, 10, 11, 12]);
}

#[test]
fn a_decision_that_the_logged_policy_does_not_come_to_fails_its_stage_and_no_other() {
    let policy = Policy::parse(trust_policy().as_bytes()).unwrap();
    let replayed = |story: &Story| {
        let report = check_bundle_and_replay(&story.tell().bundle(), &policy);
        assert_is_report(&serde_json::to_value(&report).unwrap());
        report
    };
    let engine = serde_json::to_value(Engine::version()).unwrap();
    let governed = Story::governed().set("decision", json!({ "engine": engine, "entities": [] }));
    let report = replayed(&governed);
    assert!(matches!(finding(&report, Stage::PolicyReplay), Finding::Pass(_)), "{report:#?}");
    // The policy permits reading and nothing else.
    let write = json!({ "action": { "name": "write" } });
    let other = governed.clone().set("intent", write.clone()).set("authorization", write);
    let report = replayed(&other);
    assert_eq!(failing(&report), [Stage::PolicyReplay], "{report:#?}");
    assert_eq!((report.answer(), verdict(&report)), (Answer::DoesNotHold, Some(LineageVerdict::Governed)));
    // What it rests on is not stated, or it was another engine's: then nothing is known, and nothing fails.
    for story in [
        Story::governed(),
        governed.clone().set("decision", json!({ "entities": { "sha256": "00".repeat(32) } })),
        governed.set("decision", json!({ "engine": { "name": "cedar", "sdk": "0.0.1", "language": "0.1" } })),
    ] {
        let report = replayed(&story);
        assert!(matches!(finding(&report, Stage::PolicyReplay), Finding::NotChecked(_)), "{report:#?}");
        assert_eq!(report.answer(), Answer::Holds);
    }
}

#[test]
fn each_verdict_has_its_answer() {
    let open = Story::denied().without("verification").without("outcome").without("close");
    let partial = Story::governed().without("verification");
    let violated = Story::governed().set("authorization", json!({"action": {"name": "write"}}));
    for (story, verdict_expected, answer) in [
        (open, LineageVerdict::Open, Answer::Undecided),
        (partial, LineageVerdict::Partial, Answer::Undecided),
        (violated, LineageVerdict::Violated, Answer::DoesNotHold),
    ] {
        let report = check(&story.tell().bundle());
        assert_eq!((verdict(&report), report.answer()), (Some(verdict_expected), answer), "{report:#?}");
    }
}

#[test]
fn a_bundle_has_one_encoding_and_nothing_too_much_or_too_little() {
    let bytes = Story::governed().tell().bundle();
    let members = Members::of(&bytes);
    let parse = |bytes: &[u8]| Bundle::parse(bytes).unwrap_err();
    let text = String::from_utf8(bytes.clone()).unwrap();
    for spelling in [
        format!("{text}\n"),
        format!(" {text}"),
        text.replace("\"entries\":[", "\"entries\": ["),
        text.replace("\"index\":7", "\"index\":7.0"),
        text.replace("story/one", "story\\/one"),
        text.replace("story/one", "story\\u002fone"),
    ] {
        assert_ne!(spelling, text);
        let error = parse(spelling.as_bytes());
        assert!(matches!(error, BundleError::NotCanonical { .. } | BundleError::Syntax { .. }), "{error}");
    }
    // The same members in another order, one more, one twice, one less.
    let (head, tail) = text.split_once(",\"execution\":\"story/one\"").unwrap();
    let moved = format!("{{\"execution\":\"story/one\",{}{tail}", head.strip_prefix('{').unwrap());
    assert!(matches!(parse(moved.as_bytes()), BundleError::NotCanonical { .. }));
    for broken in [
        text.replacen('{', "{\"note\":1,", 1),
        text.replacen('{', "{\"format\":\"countersign-bundle/v1\",", 1),
        format!("{head}{tail}"),
        text.replace("{\"index\":7,", "{\"index\":7,\"index\":7,"),
        "[]".to_owned(),
        String::new(),
    ] {
        assert!(matches!(parse(broken.as_bytes()), BundleError::Syntax { .. }), "{broken}");
    }

    let refused = |change: fn(&mut Members)| members.refused(change);
    let format = refused(|members| members.format = "countersign-bundle/v2".to_owned());
    assert!(matches!(format, BundleError::Format { .. }));
    assert!(matches!(
        refused(|members| members.execution = "story/two".to_owned()),
        BundleError::NoExecution(_)
    ));
    assert!(matches!(
        refused(|members| members.execution = "two words".to_owned()),
        BundleError::Execution(_)
    ));
    assert!(matches!(refused(|members| members.checkpoint.truncate(40)), BundleError::Checkpoint(_)));
    assert!(matches!(refused(|members| members.entries.swap(0, 1)), BundleError::Order { .. }));
    assert!(matches!(
        refused(|members| members.entries.insert(1, members.entries[0].clone())),
        BundleError::Order { .. }
    ));
    assert!(matches!(refused(|members| members.entries[5].0 = 1 << 53), BundleError::Index(_)));
    assert!(matches!(refused(|members| members.entries[5].1.push('\n')), BundleError::Base64(_)));
    assert!(matches!(refused(|members| members.entries[5].1 = "AA==".into()), BundleError::Statement { .. }));
    assert!(matches!(refused(|members| drop(members.multiproof.pop())), BundleError::ProofLength { .. }));
    assert!(matches!(
        refused(|members| members.multiproof.push(members.multiproof[0].clone())),
        BundleError::ProofLength { .. }
    ));
    assert!(matches!(refused(|members| members.multiproof[0].push('=')), BundleError::Hash(1)));
    // Genesis, a registration, the policy: each is missed. A step of the execution is not, but its place is: the
    // number of hashes no longer fits.
    for at in [0, 1, 2, 3, 4] {
        let error = members.refused(|members| drop(members.entries.remove(at)));
        assert!(matches!(error, BundleError::Missing(_)), "{at}: {error}");
    }
    assert!(matches!(refused(|members| drop(members.entries.remove(9))), BundleError::ProofLength { .. }));
    assert!(matches!(parse(&vec![b' '; (32 << 20) + 1]), BundleError::TooLarge(_)));
}

#[test]
fn what_nothing_stands_on_is_refused_although_it_is_in_the_log() {
    let told = Story::governed().tell();
    let sealed = told.sealed();
    let bytes = told.bundle();
    let own: BTreeMap<LeafIndex, Statement> =
        Bundle::parse(&bytes).unwrap().entries().map(|step| (step.index, step.statement.clone())).collect();
    // The other enforcer's registration, 4, and the overseer's, 5.
    for index in [4, 5] {
        let index = LeafIndex::new(index).unwrap();
        let mut entries = own.clone();
        entries.insert(index, told.entries[usize::try_from(index.get()).unwrap()].statement().clone());
        let error = sealed.bundle_of(sealed.head(ORIGIN, 2), entries).unwrap_err();
        assert_eq!(error, BundleError::Surplus(index));
    }
    // An older registration of a key that was registered again before it signed.
    let again = registrations().into_iter().find(|said| said.label == "requester").unwrap();
    let again = Said { label: "again".to_owned(), ..again };
    let story = Story::governed().before("intent", again);
    let told = story.tell();
    let bytes = told.bundle();
    assert!(!indexes(&bytes).contains(&1) && indexes(&bytes).contains(&told.index("again").get()));
    assert_eq!(check(&bytes).answer(), Answer::Holds);
}

#[test]
fn entries_that_prove_nothing_fail_their_stage_and_no_other() {
    let told = Story::governed().tell();
    let sealed = told.sealed();
    let report = |head| check(&sealed.bundle(head).unwrap().to_bytes());

    // One witness of three: the log has it all the same, and what it comes to is said.
    let lonely = report(sealed.head(ORIGIN, 1));
    assert_eq!(failing(&lonely), [Stage::WitnessQuorum]);
    assert_eq!((verdict(&lonely), lonely.head.as_ref()), (Some(LineageVerdict::Governed), None));
    // Another log: nothing is told of what it says.
    let foreign = report(sealed.head("log.example/another", 2));
    assert_eq!(failing(&foreign), [Stage::LogSignature, Stage::IssuerRoles]);
    assert!(matches!(finding(&foreign, Stage::Inclusion), Finding::NotChecked(_)));
    assert!(foreign.lineage.is_none() && foreign.story.is_empty());
    // Another tree of the same size.
    let other = Story::governed().set("outcome", json!({"exit_code": 7})).tell().sealed();
    let elsewhere = report(other.head(ORIGIN, 2));
    assert_eq!(failing(&elsewhere), [Stage::Inclusion]);
    assert!(elsewhere.lineage.is_none());

    // The log took a statement with a false signature.
    let forged = |label: &str| {
        let mut entries: Vec<Vec<u8>> =
            told.entries.iter().map(|entry| entry.statement().bytes().to_vec()).collect();
        let entry = &mut entries[usize::try_from(told.index(label).get()).unwrap()];
        *entry.last_mut().unwrap() ^= 1;
        let sealed = Sealed::of(entries);
        check(&sealed.bundle(sealed.head(ORIGIN, 2)).unwrap().to_bytes())
    };
    for label in ["close", "requester"] {
        let report = forged(label);
        assert_eq!(failing(&report), [Stage::StatementSignatures], "{report:#?}");
        assert!(report.lineage.is_none());
    }
}

#[test]
fn who_signed_without_the_role_is_named() {
    let fails = |story: Story, says: &str| {
        let report = check(&story.tell().bundle());
        assert_eq!(failing(&report), [Stage::IssuerRoles], "{report:#?}");
        let Finding::Fail(reason) = finding(&report, Stage::IssuerRoles) else { unreachable!() };
        assert!(reason.contains(says), "{reason}");
        assert!(report.lineage.is_none());
    };
    let by_enforcer = Story::governed().change("authorization", |said| said.by = Party::Enforcer);
    fails(by_enforcer, "expected the role authority");
    let mut revoked = registrations().into_iter().find(|said| said.label == "authority").unwrap();
    revoked.label = "revoked".to_owned();
    revoked.payload.insert("status".into(), "revoked".into());
    fails(Story::governed().before("authorization", revoked), "was revoked");
    let story = Story::governed();
    let again = story.copy("outcome", "again");
    fails(story.before("close", again), "has the outcome");
}

#[test]
fn what_was_left_out_leaves_it_undecided() {
    let report = check(&Story::governed().lost("verification").tell().bundle());
    assert_eq!(report.answer(), Answer::Undecided);
    assert!(matches!(finding(&report, Stage::IssuerRoles), Finding::NotChecked(_)), "{report:#?}");
    // A policy that the cited one replaces is no part of it.
    let story = Story::governed();
    let second =
        Said { payload: story.copy("policy", "policy-2").payload, ..story.copy("policy", "policy-2") };
    let story = story
        .before("intent", second.naming(RefRole::Replaces, "policy"))
        .refer("decision", RefRole::Policy, "policy-2")
        .refer("authorization", RefRole::Policy, "policy-2");
    let told = story.tell();
    assert!(!indexes(&told.bundle()).contains(&told.index("policy").get()));
    assert_eq!(check(&told.bundle()).answer(), Answer::Holds);
}

#[test]
fn the_story_of_a_hostile_statement_stays_on_its_line() {
    let hostile = "x\u{202e}\n</style><script>alert(1)</script>|`".repeat(4);
    let story = Story::governed()
        .set("intent", json!({"subject": {"type": "agent", "id": hostile}}))
        .set("authorization", json!({"subject": {"type": "agent", "id": hostile}}));
    let report = check(&story.tell().bundle());
    assert_eq!(report.answer(), Answer::Holds);
    for told in &report.story {
        assert!(told.sentence.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{told:?}");
        assert!(told.sentence.len() < 700, "{told:?}");
    }
}

fn some_bundle() -> &'static [u8] {
    static BUNDLE: std::sync::LazyLock<Vec<u8>> = std::sync::LazyLock::new(|| {
        // Larger trees have proofs with more in them.
        let filler = (0..20).map(|number| {
            Said::new(
                &format!("filler-{number}"),
                Kind::Intent,
                Party::Requester,
                json!({
                    "subject": {"type": "agent", "id": number.to_string()},
                    "action": {"name": "read"}, "resource": {"type": "document", "id": "report.pdf"},
                }),
            )
        });
        let told: Told = filler.fold(Story::governed(), |story, said| story.before("close", said)).tell();
        told.bundle()
    });
    &BUNDLE
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// There is no byte in a bundle that does not matter, to an auditor whose policy knows all its witnesses.
    #[test]
    fn any_changed_byte_is_refused(at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let mut bytes = some_bundle().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert_eq!(check(&bytes).answer(), Answer::DoesNotHold, "byte {}", at);
    }

    #[test]
    fn any_missing_or_added_byte_is_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let bytes = some_bundle();
        let at = at.index(bytes.len());
        prop_assert!(Bundle::parse(&bytes[..at]).is_err());
        let mut added = bytes.to_vec();
        added.insert(at, byte);
        prop_assert_eq!(check(&added).answer(), Answer::DoesNotHold);
        added.remove(at);
        added.remove(at);
        prop_assert_eq!(check(&added).answer(), Answer::DoesNotHold);
    }
}

#[test]
fn every_byte_around_the_statements_matters() {
    let bytes = some_bundle();
    assert_eq!(check(bytes).answer(), Answer::Holds);
    let text = std::str::from_utf8(bytes).unwrap();
    let (entries, proof) = (text.find("\"entries\"").unwrap() + 60, text.find("\"multiproof\"").unwrap());
    for at in (0..entries).chain(proof..bytes.len()) {
        let mut changed = bytes.to_vec();
        changed[at] ^= 2;
        assert_eq!(check(&changed).answer(), Answer::DoesNotHold, "byte {at}");
    }
    let statement = Members::of(bytes).entries.pop().unwrap().1;
    assert!(STANDARD.decode(statement).is_ok());
}
