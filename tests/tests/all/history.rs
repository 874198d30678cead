//! A log whose data are not the newest: it must not sign a second history.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_tests::harness::{
    ORIGIN, Program, Setup, System, Witness, copy, execution, expect_code, get, post, register, run,
};
use countersign_tests::statements::{Issuer, request};
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
fn assert_convinces(system: &System, file: &Path) {
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
    std::fs::write(&changed, text.replacen("\\n3\\n", "\\n4\\n", 1)).unwrap();
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
    let setup = Setup {
        log_flags: vec!["--wait-timeout", "1s"],
        log_warnings: vec![
            "the witness does not cosign",
            "the log stops",
            "path=\"/readyz\"",
            "path=\"/entries\"",
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
    // Two machines serve one log, each from data of its own.
    system.log.start();
    let mut other = system.log.on_copy(twin, system.policy_file());
    other.start();
    let first = post(other.url(), "/entries", "application/cose", statement(&requester));
    assert_eq!(first.status.as_u16(), 201, "{}", String::from_utf8_lossy(&first.body));
    // The other one has another tree of the same size to offer, and finds nobody who would sign that.
    let second = post(system.log.url(), "/entries", "application/cose", statement(&requester));
    assert_ne!(second.status.as_u16(), 201, "a second history was cosigned");
    assert_eq!(system.size(), 2, "a second history was published");
    assert_ne!(get(system.log.url(), "/readyz").status.as_u16(), 200);
    for witness in &system.witnesses {
        // They hold the one head that they signed.
        let origin = countersign_verifier::checkpoint::Origin::new(ORIGIN).unwrap();
        let held = get(witness.url(), &format!("/{}/checkpoint", origin.hash()));
        assert_eq!(held.status.as_u16(), 200);
        let lines = String::from_utf8_lossy(&held.body).into_owned();
        assert_eq!(lines.lines().nth(1), Some("3"), "{lines}");
    }
    // Whoever was asked to sign the second one has kept the log's own signature on both, and so has the log.
    let kept = |witness: &&Witness| !evidence(&witness.data().join("evidence")).is_empty();
    let until = Instant::now() + Duration::from_secs(10);
    // The log stops at the first that shows it; the others may still be writing.
    while system.witnesses.iter().filter(kept).count() < 2 {
        assert!(Instant::now() < until, "the witnesses keep no evidence");
        std::thread::sleep(Duration::from_millis(5));
    }
    let folders = system.witnesses.iter().map(Witness::data).chain([system.log.data()]);
    let files: Vec<PathBuf> = folders.flat_map(|data| evidence(&data.join("evidence"))).collect();
    assert!(files.iter().any(|file| file.starts_with(system.log.data())), "{files:?}");
    for file in &files {
        assert_convinces(&system, file);
    }
}
