//! The library's audit: in little memory, over any order of things, and against the state that a log itself keeps.

use std::convert::Infallible;

use countersign_verifier::admission::{MemoryState, State as _, admit};
use countersign_verifier::audit::{Audit, Entries, Found, Keys, Parsed, Restore};
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::statement::{Kind, Statement};
use serde_json::json;

use crate::fake_log::{AUTHORITY, ENFORCER, FakeLog, OVERSEER};

/// The entries in memory, counting how often one is asked for.
struct Kept<'a>(&'a [Vec<u8>], std::cell::Cell<usize>);

impl Entries for Kept<'_> {
    type Error = Infallible;

    fn entry(&self, index: LeafIndex) -> Result<Vec<u8>, Infallible> {
        self.1.set(self.1.get() + 1);
        Ok(self.0[usize::try_from(index.get()).unwrap()].clone())
    }
}

fn feed(audit: &mut Audit, entries: &[Vec<u8>], from: usize) -> (Vec<Found>, usize) {
    let kept = Kept(entries, std::cell::Cell::new(0));
    let mut found = Vec::new();
    let parsed: Vec<Parsed> = entries.iter().map(|entry| Parsed::read(entry)).collect();
    let mut keys = Keys::default();
    keys.learn(&parsed);
    for entry in parsed.into_iter().skip(from) {
        audit.absorb(keys.check(entry), &kept, &mut |one| found.push(one)).unwrap();
    }
    audit.settle(&kept, &mut |one| found.push(one)).unwrap();
    (found, kept.1.get())
}

/// The last judgement of every execution.
fn last_words(found: &[Found]) -> std::collections::BTreeMap<String, String> {
    let lineages = found.iter().filter_map(|one| match one {
        Found::Lineage(lineage) => Some((lineage.execution.to_string(), format!("{:?}", lineage.judgement))),
        Found::Violation(_) | Found::Decision(_) => None,
    });
    lineages.collect()
}

/// Executions that lie across each other, some of them with late measures, some never closed.
fn tangled() -> FakeLog {
    let mut log = FakeLog::founded();
    let mut done = Vec::new();
    for number in 0..30 {
        let name = format!("run/{number}");
        done.push((name.clone(), log.execute(&name)));
        log.state(AUTHORITY, Kind::Authorization, &format!("open/{}", number % 7), json!({
            "subject": {"type": "agent", "id": "a"}, "action": {"name": "b"}, "resource": {"type": "c", "id": "d"}}));
        if number % 3 == 0 {
            let (name, earlier) = &done[number / 2];
            log.state(
                OVERSEER,
                Kind::Enforcement,
                name,
                json!({"action": "quarantine", "reason": "late",
                "refs": {"target": earlier.outcome.to_string()}}),
            );
            log.state(
                ENFORCER,
                Kind::Outcome,
                name,
                json!({"status": "failed",
                "refs": {"authorization": earlier.authorization.to_string()}}),
            );
        }
    }
    log
}

#[test]
fn little_memory_finds_the_same() {
    let log = tangled();
    let mut large = Audit::new();
    let (expected, _) = feed(&mut large, &log.entries, 0);
    for room in [0, 5_000, 40_000] {
        let mut small = Audit::new().within(room);
        let (found, read_again) = feed(&mut small, &log.entries, 0);
        assert_eq!(last_words(&found), last_words(&expected), "{room} bytes");
        assert_eq!(small.ledger().verdicts(), large.ledger().verdicts());
        assert!(small.violations().eq(large.violations()));
        assert!(read_again > 0, "with {room} bytes nothing was read again");
    }
}

#[test]
fn it_is_taken_up_again_at_any_entry() {
    let log = tangled();
    let mut whole = Audit::new();
    feed(&mut whole, &log.entries, 0);
    for at in [0, 1, 4, 37, 100, log.entries.len()] {
        let mut audit = Audit::new();
        audit.keep_record();
        feed(&mut audit, &log.entries[..at], 0);
        let kept = Kept(&log.entries, std::cell::Cell::new(0));
        let (record, position) = audit.take_record(&kept, &mut |_| ()).unwrap();
        let mut restore = Restore::new();
        record.chunks(13).for_each(|part| restore.feed(part).unwrap());
        let mut resumed = restore.finish(&position).unwrap();
        feed(&mut resumed, &log.entries, at);
        assert_eq!(resumed.ledger().tree().root(), whole.ledger().tree().root());
        assert_eq!(resumed.ledger().verdicts(), whole.ledger().verdicts(), "at {at}");
        assert!(resumed.violations().eq(whole.violations()), "at {at}");
        let mut issuers: Vec<_> = resumed.ledger().issuers().collect();
        let mut expected: Vec<_> = whole.ledger().issuers().collect();
        issuers.sort_by_key(|(key, _)| *key);
        expected.sort_by_key(|(key, _)| *key);
        assert_eq!(issuers, expected, "at {at}");
    }
}

#[test]
fn it_remembers_what_the_log_itself_would() {
    let mut log = FakeLog::founded();
    let mut done = Vec::new();
    for number in 0..20 {
        done.push((format!("run/{number}"), log.execute(&format!("run/{number}"))));
    }
    let mut audit = Audit::new();
    feed(&mut audit, &log.entries, 0);
    let mut state = MemoryState::new();
    let mut keys = std::collections::HashMap::new();
    for issuer in [crate::fake_log::OPERATOR, crate::fake_log::REQUESTER, AUTHORITY, ENFORCER, OVERSEER] {
        keys.insert(issuer.0, issuer.public_key());
    }
    for entry in &log.entries {
        let statement = Statement::parse(entry).unwrap();
        let key = keys[statement.claims().issuer.as_str()];
        let statement = statement.verify(&key).unwrap();
        let effects = admit(&state, &statement).unwrap().effects;
        state.apply(effects);
    }
    let ledger = audit.ledger();
    assert_eq!(ledger.size(), state.size());
    for entry in &log.entries {
        let id = LeafHash::of(entry);
        assert_eq!(ledger.entry(&id), state.entry(&id));
        assert_eq!(ledger.outcome_of(&id), state.outcome_of(&id));
    }
    for (name, _) in &done {
        let name = name.parse().unwrap();
        assert_eq!(ledger.close_of(&name), state.close_of(&name));
    }
    for (key, record) in state.issuers() {
        assert_eq!(ledger.issuer(key), Ok(Some(record.clone())));
    }
    assert_eq!(ledger.close_of(&"none".parse().unwrap()), Ok(None));
    assert_eq!(ledger.entry(&LeafHash::of(b"no entry")), Ok(None));
}
