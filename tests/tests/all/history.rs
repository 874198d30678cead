//! A log whose data are not the newest: it must not sign a second history.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_tests::harness::{
    Log, ORIGIN, Program, Setup, System, Witness, copy, execution, expect_code, get, post, register, run,
};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::submitting::taken;

fn statement(requester: &Issuer) -> Vec<u8> {
    let id = execution("history");
    requester.state(Kind::Intent, &id, None, Value::Object(request())).unwrap().into_bytes()
}

#[track_caller]
fn submit(system: &System, statement: Vec<u8>) {
    let answer = post(system.log.url(), "/entries", "application/cose", statement.clone());
    taken(system, &answer, statement);
}

#[test]
fn a_log_that_was_set_back_signs_nothing_and_says_so() {
    let setup = Setup { log_warnings: vec!["path=\"/readyz\"", "path=\"/entries\""], ..Setup::default() };
    let mut system = System::start_with(&setup);
    let requester = register(&system, "requester", &["requester"]);
    let (data, older) = (system.log.data().to_owned(), system.folder().join("older"));
    system.log.stop();
    copy(&data, &older);
    system.log.start();
    let head = system.log.published(system.policy(), 2);
    submit(&system, statement(&requester));
    submit(&system, statement(&requester));
    system.log.stop();
    let newest = system.folder().join("newest");
    std::fs::rename(&data, &newest).unwrap();
    std::fs::rename(&older, &data).unwrap();

    system.log.expect_warning("the log stops");
    system.log.start();
    let ready = get(system.log.url(), "/readyz");
    expect_code(&ready, 503, "not-ready");
    // It says which witness saw what, what there is here, and what to do.
    let why = String::from_utf8_lossy(&ready.body).into_owned();
    for said in [
        "store-older-than-witnessed",
        "what witness w",
        "a head of size 4",
        "the store has 2 entries",
        "put back the newest copy of its data folder",
    ] {
        assert!(why.contains(said), "{said:?} is not in {why}");
    }
    let refused = post(system.log.url(), "/entries", "application/cose", statement(&requester));
    expect_code(&refused, 503, "log-stopped");
    assert!(refused.header("retry-after").is_some());
    // Reads go on, and a start changes nothing.
    assert_eq!(get(system.log.url(), "/entries/1.cose").status.as_u16(), 200);
    assert_eq!(get(system.log.url(), "/tile/0/000.p/2").status.as_u16(), 200);
    system.log.stop();
    system.log.start();
    expect_code(&get(system.log.url(), "/readyz"), 503, "not-ready");
    // What was published before is still there to be read.
    let shown = system.log.checkpoint(system.policy()).unwrap();
    assert_eq!(shown.checkpoint(), head.checkpoint());

    // With the newest data put back, it goes on as if nothing had happened.
    system.log.stop();
    std::fs::rename(&data, system.folder().join("set-aside")).unwrap();
    std::fs::rename(&newest, &data).unwrap();
    system.log.start();
    assert_eq!(get(system.log.url(), "/readyz").status.as_u16(), 200);
    submit(&system, statement(&requester));
    assert_eq!(system.size(), 5);
    crate::tree::assert_consistent(&system, head.checkpoint(), &crate::tree::rehash(&system).0);
}

/// Only the database is put back: what lies beside it knows better, also where no witness can be asked.
#[test]
fn a_database_that_was_set_back_alone_signs_nothing_without_its_witnesses() {
    let log_warnings = vec!["path=\"/readyz\"", "path=\"/entries\"", "the log stops", "witness"];
    let mut system = System::start_with(&Setup { log_warnings, ..Setup::default() });
    let requester = register(&system, "requester", &["requester"]);
    let (database, older) = (system.log.data().join("db"), system.folder().join("older"));
    system.log.stop();
    copy(&database, &older);
    system.log.start();
    submit(&system, statement(&requester));
    system.log.stop();
    std::fs::remove_dir_all(&database).unwrap();
    copy(&older, &database);
    system.witnesses.iter_mut().for_each(Witness::kill);
    system.log.start();
    let ready = get(system.log.url(), "/readyz");
    expect_code(&ready, 503, "not-ready");
    let why = String::from_utf8_lossy(&ready.body).into_owned();
    for said in ["store-forgot", "the store has 2 entries", "the head of size 3", "put back the newest copy"]
    {
        assert!(why.contains(said), "{said:?} is not in {why}");
    }
    expect_code(
        &post(system.log.url(), "/entries", "application/cose", statement(&requester)),
        503,
        "log-stopped",
    );
    assert_eq!(get(system.log.url(), "/entries/1.cose").status.as_u16(), 200);
}

/// A third party, who has the policy and the file and asks nobody, is convinced; by a changed file it is not.
#[track_caller]
fn assert_convinces(system: &System, smaller: usize, file: &Path) {
    let judge = |file: &Path| {
        let policy = system.policy_file();
        run(
            Program::Verify,
            [OsStr::new("evidence"), OsStr::new("--policy"), policy.as_os_str(), file.as_os_str()],
        )
    };
    let judged = judge(file);
    assert_eq!(judged.code, Some(3), "{judged:?}");
    assert!(judged.stdout.contains(ORIGIN) && judged.stdout.contains("No tree"), "{judged:?}");
    let changed = system.folder().join("changed.evidence");
    let text = std::fs::read_to_string(file).unwrap();
    std::fs::write(&changed, text.replacen(&format!("\\n{smaller}\\n"), "\\n9\\n", 1)).unwrap();
    assert_eq!(judge(&changed).code, Some(2), "{:?}", judge(&changed));
}

/// The files of evidence in a folder and the folders in it.
fn evidence(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = files.map(|file| file.unwrap().path());
    paths
        .flat_map(|path| if path.is_dir() { evidence(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|end| end == "evidence"))
        .collect()
}

#[test]
fn witnesses_sign_one_of_two_histories() {
    TwoHistories::meet(1, 1).assert_all_convict();
}

/// The second history is longer than what the witnesses have cosigned, so that no two heads of one size ever meet.
#[test]
fn witnesses_sign_one_of_two_histories_also_when_the_other_is_longer() {
    TwoHistories::meet(1, 3).assert_all_convict();
}

/// At a power of two, the proof that a witness is sent does not tell enough. The log has its own tiles, and auditors read them.
#[test]
fn what_a_witness_cannot_prove_the_log_does_and_an_auditor() {
    let mut histories = TwoHistories::meet(2, 5);
    let system = &mut histories.system;
    let suspicion = |witness: &&Witness| {
        let cases = std::fs::read_dir(witness.data().join("evidence").join(origin().hash()));
        let mut names = cases.into_iter().flatten().map(|file| file.unwrap().file_name());
        names.any(|name| name.to_string_lossy().starts_with("inconsistent-7-"))
    };
    eventually("a witness keeps the case", || system.witnesses.iter().find(suspicion).map(drop));
    assert!(system.witnesses.iter().all(|witness| evidence(&witness.data().join("evidence")).is_empty()));
    let files = evidence(&system.log.data().join("evidence"));
    assert_convinces(system, 4, files.first().expect("the log keeps evidence"));

    // The way of docs/OPERATIONS.md. The second history shows what it has to whoever asks for no witnesses.
    let alone = system.folder().join("alone");
    std::fs::write(&alone, format!("log {}\nquorum none\n", system.log.vkey())).unwrap();
    let (state, kept) = (system.folder().join("case.audit"), system.folder().join("kept"));
    let audit = |url: &str| {
        let files = [("--policy", &alone), ("--state", &state), ("--evidence", &kept)];
        let files = files.map(|(flag, file)| [OsStr::new(flag), file.as_os_str()]);
        run(
            Program::Verify,
            [OsStr::new("log")].into_iter().chain(files.into_iter().flatten()).chain([OsStr::new(url)]),
        )
    };
    let ran = audit(histories.other.url());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    system.log.stop();
    let second = system.folder().join("second");
    copy(system.log.data(), &second);
    std::fs::remove_dir_all(second.join("evidence")).unwrap();
    let mut second = system.log.on_copy(second, alone.clone());
    second.start();
    let policy = Policy::parse(&std::fs::read(&alone).unwrap()).unwrap();
    second.published(&policy, 7);
    let ran = audit(second.url());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert_convinces(system, 4, evidence(&kept).first().expect("the auditor keeps evidence"));
}

fn origin() -> Origin {
    Origin::new(ORIGIN).unwrap()
}

/// Waits until there is what is waited for.
#[track_caller]
fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < until, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Two machines that serve one log, each from data of its own.
struct TwoHistories {
    /// The log that the witnesses refuse, and the witnesses.
    system: System,
    /// The log with whose data they go on.
    other: Log,
    /// Up to where.
    cosigned: usize,
}

impl TwoHistories {
    /// Behind the entries that both have, the witnesses cosign `first`, and the second log has `more`, all at once.
    fn meet(first: usize, more: usize) -> Self {
        let setup = Setup {
            log_flags: vec!["--wait-timeout", "1s"],
            log_warnings: vec![
                "the witness does not cosign",
                "the log stops",
                "path=\"/readyz\"",
                "path=\"/entries",
            ],
            ..Setup::default()
        };
        let mut system = System::start_with(&setup);
        let requester = register(&system, "requester", &["requester"]);
        let (data, twin) = (system.log.data().to_owned(), system.folder().join("twin"));
        system.log.stop();
        copy(&data, &twin);
        for witness in &mut system.witnesses {
            witness.stop();
            witness.expect_warning("a log signed what it should not have");
            witness.start();
        }
        system.log.start();
        let mut other = system.log.on_copy(twin, system.policy_file());
        other.start();
        let batch = |count: usize| (0..count).flat_map(|_| statement(&requester)).collect::<Vec<u8>>();
        let submit = |url: &str, count| post(url, "/entries/batch", "application/cbor-seq", batch(count));
        let answer = submit(other.url(), first);
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status.is_success() && said.contains("\"proof\""), "{said}");
        // The other one has another tree to offer, and finds nobody who would sign that.
        let answer = submit(system.log.url(), more);
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(!said.contains("\"proof\""), "a second history was cosigned: {said}");
        assert_eq!(system.size(), 2, "a second history was published");
        // It finds out, and stops.
        eventually("the log says that there is a second history", || {
            let ready = get(system.log.url(), "/readyz");
            String::from_utf8_lossy(&ready.body).contains("store-contradicts-witnessed").then(|| {
                expect_code(&ready, 503, "not-ready");
            })
        });
        expect_code(
            &post(system.log.url(), "/entries", "application/cose", statement(&requester)),
            503,
            "log-stopped",
        );
        let cosigned = 2 + first;
        for witness in &system.witnesses {
            // They hold the one head that they signed last.
            let held = get(witness.url(), &format!("/{}/checkpoint", origin().hash()));
            assert_eq!(held.status.as_u16(), 200);
            let lines = String::from_utf8_lossy(&held.body).into_owned();
            assert_eq!(lines.lines().nth(1), Some(cosigned.to_string().as_str()), "{lines}");
        }
        Self { system, other, cosigned }
    }

    /// Whoever was asked to sign the second one has kept the log's own signature on both, and so has the log.
    fn assert_all_convict(&self) {
        let Self { system, cosigned, .. } = self;
        let kept = |witness: &&Witness| !evidence(&witness.data().join("evidence")).is_empty();
        // The log stops at the first that shows it; the others may still be writing.
        eventually("the witnesses keep evidence", || {
            (system.witnesses.iter().filter(kept).count() >= 2).then_some(())
        });
        let folders = system.witnesses.iter().map(Witness::data).chain([system.log.data()]);
        let files: Vec<PathBuf> = folders.flat_map(|data| evidence(&data.join("evidence"))).collect();
        assert!(files.iter().any(|file| file.starts_with(system.log.data())), "{files:?}");
        for file in &files {
            assert_convinces(system, *cosigned, file);
        }
    }
}
