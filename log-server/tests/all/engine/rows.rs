//! Rows of the indexes that somebody wrote over, under checksums that hold: whoever asks gets no answer from them, and the
//! log stops.

use countersign_log::log::{Atomicity, Log, ReadError, SubmitError};
use countersign_verifier::admission::AdmitError;
use countersign_verifier::statement::VerifiedStatement;

use super::damage::assert_damage_is_told;
use super::desk::{Founded, config, enter, found};
use super::store::{Raw, flip, get, put, raw, rows};

const POLICY: &str = "quorum none\n";

/// A log with one execution, and the statements of it.
struct Governed {
    founded: Founded,
    intent: VerifiedStatement,
    authorization: VerifiedStatement,
}

const RUN: &str = "run/1";

async fn governed() -> Governed {
    let founded = found().await;
    let desk = &founded.desk;
    let intent = desk.intent(RUN);
    let authorization = desk.authorization(RUN, intent.entry_id());
    let outcome = desk.outcome(RUN, authorization.entry_id());
    let log = founded.open(POLICY).await;
    for statement in [&intent, &authorization, &outcome, &desk.close(RUN), &desk.intent("run/2")] {
        enter(&log, statement.clone()).await;
    }
    log.shutdown().await;
    drop(log);
    Governed { founded, intent, authorization }
}

impl Governed {
    /// Writes over a row of a copy, and hands it, open, to `ask`, which must be told of damage in `family`.
    async fn changed(
        &self,
        family: &str,
        change: &dyn Fn(&Raw),
        ask: impl AsyncFn(&Log) -> Result<(), ReadError>,
    ) {
        let copy = self.founded.copy();
        change(&raw(copy.path()));
        let log = Log::open(config(copy.path(), POLICY)).await.unwrap();
        assert!(log.stopped().is_none());
        let error = ask(&log).await.expect_err("what the row says is not so");
        assert!(matches!(error, ReadError::DamagedRow { row } if row == family), "{family}: {error}");
        assert_damage_is_told(&log).await;
        log.shutdown().await;
    }

    /// The same, where the sequencer meets the row: it stops the log, and says which it was.
    async fn submitted(&self, family: &str, change: &dyn Fn(&Raw), statement: &VerifiedStatement) {
        let copy = self.founded.copy();
        change(&raw(copy.path()));
        let log = Log::open(config(copy.path(), POLICY)).await.unwrap();
        let size = log.sequenced_head().checkpoint.size;
        let answer = log.submit(vec![statement.clone()], Atomicity::Each).await;
        let Err(SubmitError::Stopped(reason)) = answer else { panic!("{family}: {answer:?}") };
        assert!(reason.to_string().contains(&format!("damaged: {family}")), "{family}: {reason}");
        assert_damage_is_told(&log).await;
        assert_eq!(log.sequenced_head().checkpoint.size, size, "nothing is signed upon it");
        log.shutdown().await;
    }
}

/// Writes over a row.
type Change<'a> = &'a dyn Fn(&Raw, &[u8]);

/// The key of the row about the desk.
fn desk_row(db: &Raw) -> Box<[u8]> {
    rows(db, "issuers").into_iter().map(|(key, _)| key).find(|key| key.starts_with(b"desk\0")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_no_entry_made_is_neither_shown_nor_gone_by() {
    let governed = governed().await;
    let desk = &governed.founded.desk;
    let name = "desk".parse().unwrap();
    let last = |db: &Raw| get(db, "issuers", &desk_row(db)).len() - 1;
    let changes: [&dyn Fn(&Raw); 5] = [
        // The entry that it names, whether it is revoked, the key, a role.
        &|db| flip(db, "issuers", &desk_row(db), 7),
        &|db| flip(db, "issuers", &desk_row(db), 0),
        &|db| flip(db, "issuers", &desk_row(db), 8),
        &|db| flip(db, "issuers", &desk_row(db), last(db)),
        // The operator's own registration under the desk's name.
        &|db| {
            let rows = rows(db, "issuers");
            let (_, operator) = rows.iter().find(|(key, _)| key.starts_with(b"operator\0")).unwrap();
            put(db, "issuers", &desk_row(db), operator);
        },
    ];
    for (at, change) in changes.into_iter().enumerate() {
        // An index that no log has cannot be told from one that the tree is about to have, but for the sequencer.
        if at != 1 {
            governed.changed("issuers", change, async |log| log.issuer_keys(&name).map(drop)).await;
            let ask = async |log: &Log| match log.signing_key(desk.intent("run/3").statement()) {
                Ok(key) => panic!("{key:?}"),
                Err(AdmitError::State(error)) => Err(error),
                Err(AdmitError::Refused(refusal)) => panic!("{refusal}"),
            };
            governed.changed("issuers", change, ask).await;
        }
        governed.submitted("issuers", change, &desk.intent("run/3")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_where_an_entry_is_not_answers_no_duplicate_and_carries_no_reference() {
    let governed = governed().await;
    let desk = &governed.founded.desk;
    let id = governed.intent.entry_id();
    let duplicate = governed.intent.clone();
    let reference = desk.authorization("run/4", id);
    // Another entry, and beyond the end.
    for at in [7, 5] {
        let change: &dyn Fn(&Raw) = &|db| flip(db, "ids", id.as_bytes(), at);
        governed.submitted("ids", change, &duplicate).await;
        governed.submitted("ids", change, &reference).await;
    }
    // Its kind, and the execution that it is of.
    let change: &dyn Fn(&Raw) = &|db| flip(db, "ids", id.as_bytes(), 8);
    governed.submitted("ids", change, &desk.authorization("run/4", id)).await;
    let last = |db: &Raw| get(db, "ids", id.as_bytes()).len() - 1;
    let change: &dyn Fn(&Raw) = &|db| flip(db, "ids", id.as_bytes(), last(db));
    governed.submitted("ids", change, &desk.authorization("run/2", id)).await;
    // As it was written, the place is given.
    let log = governed.founded.open(POLICY).await;
    let again = enter(&log, duplicate).await;
    assert_eq!((again.new, log.entry_index(&id).unwrap()), (false, Some(again.index)));
    assert!(log.stopped().is_none());
    log.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_no_entry_left_refuses_nobody() {
    let governed = governed().await;
    let desk = &governed.founded.desk;
    let authorization = governed.authorization.entry_id();
    let outcome = [b"o".as_slice(), authorization.as_bytes()].concat();
    let close = |run: &str| [b"c".as_slice(), run.as_bytes()].concat();
    let other = *governed.intent.entry_id().as_bytes();
    // It names an entry that is not there, or one that is another.
    let changes: [Change<'_>; 2] =
        [&|db, row| flip(db, "marks", row, 3), &|db, row| put(db, "marks", row, &other)];
    for change in changes {
        governed.submitted("marks", &|db| change(db, &close(RUN)), &desk.intent(RUN)).await;
        // The execution is closed, which is looked at first: so that is taken away.
        let of_outcome = |db: &Raw| {
            super::store::delete(db, "marks", &close(RUN));
            change(db, &outcome);
        };
        governed.submitted("marks", &of_outcome, &desk.outcome(RUN, authorization)).await;
    }
    // The close of one execution is none of another.
    let borrowed = |db: &Raw| put(db, "marks", &close("run/2"), &get(db, "marks", &close(RUN)));
    governed.submitted("marks", &borrowed, &desk.intent("run/2")).await;
}
