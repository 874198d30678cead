//! Copies of a log: made while it serves, checked, put to use again, also when they are older than they should be.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_tests::hammer::load::Wait;
use countersign_tests::harness::{
    Program, Ran, Setup, System, Witness, execution, expect_code, get, post, register, run,
};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::crashes::Load;
use crate::detour::{Behaviour, Detour};
use crate::submitting::{json, submit};
use crate::tree;

const SILENT_WITNESS: &str = "the witness does not cosign";
const STOPS: &str = "the log stops";

fn start() -> (System, Issuer) {
    let log_warnings = vec![SILENT_WITNESS, STOPS];
    let system = System::start_with(&Setup { log_warnings, ..Setup::default() });
    let requester = register(&system, "requester", &["requester"]);
    (system, requester)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn intent(requester: &Issuer) -> countersign_verifier::statement::VerifiedStatement {
    requester.state(Kind::Intent, &execution("kept"), None, Value::Object(request())).unwrap()
}

fn back_up(system: &System, to: &Path) -> Ran {
    run(Program::Log, ["backup", "--data", text(system.log.data()), "--to", text(to)])
}

fn restore(from: &Path, data: &Path) -> Ran {
    run(Program::Log, ["restore", "--data", text(data), "--from", text(from)])
}

fn fsck(system: &System, data: &Path) -> (Ran, Value) {
    let policy = system.policy_file();
    let ran = run(Program::Log, ["fsck", "--data", text(data), "--witnesses", text(&policy), "--json"]);
    let report = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:#?}"));
    (ran, report)
}

#[track_caller]
fn holds(system: &System, data: &Path) -> u64 {
    let (ran, report) = fsck(system, data);
    assert_eq!((ran.code, &report["findings"]), (Some(0), &Value::Array(vec![])), "{report:#}");
    assert_eq!(report["not_checked"], Value::Array(vec![]), "{report:#}");
    report["size"].as_u64().unwrap()
}

/// Puts the log's keys, which the operator keeps elsewhere, into a restored folder.
fn bring_keys(from: &Path, data: &Path) {
    for name in ["log.key", "operator.pem"] {
        std::fs::copy(from.join(name), data.join(name)).unwrap();
    }
}

/// The same log on other data, with the witnesses that it had. The one before is not used any more.
fn move_to(system: &mut System, data: PathBuf) {
    let mut log = system.log.on_copy(data, system.policy_file());
    log.expect_warning(SILENT_WITNESS);
    log.expect_warning(STOPS);
    log.start();
    system.log = log;
}

fn reasons(system: &System) -> String {
    let answer = get(system.log.url(), "/readyz");
    assert_eq!(answer.status.as_u16(), 503);
    String::from_utf8_lossy(&answer.body).into_owned()
}

#[test]
fn a_backup_under_load_has_all_that_was_acknowledged_before_it() {
    let (mut system, requester) = start();
    let copy = system.folder().join("backup");
    let first = submit(&system, intent(&requester));
    let load = Load::new(&requester, Wait::Sequenced);
    load.run(&mut system, |system| {
        std::thread::sleep(Duration::from_millis(600));
        back_up(system, &copy).holds();
        let size = holds(system, &copy);
        assert!(size > first.index, "{size}");
        assert!(holds(system, system.log.data()) >= size);
    });
    assert!(!copy.join("log.key").exists() && !copy.join("operator.pem").exists());
    assert_eq!(std::fs::read_dir(system.log.data().join("snapshots")).unwrap().count(), 0);

    // The next one goes on from there, and then everything that was acknowledged is in it.
    let last = submit(&system, intent(&requester));
    back_up(&system, &copy).holds();
    assert_eq!(holds(&system, &copy), last.index + 1);
    // A log that is not served is copied just so.
    system.log.stop();
    back_up(&system, &copy).holds();
    assert_eq!(holds(&system, &copy), last.index + 1);

    let elsewhere = system.folder().join("elsewhere");
    restore(&copy, &elsewhere).holds();
    bring_keys(system.log.data(), &elsewhere);
    assert!(elsewhere.join("restored").exists());
    move_to(&mut system, elsewhere.clone());
    let next = submit(&system, intent(&requester));
    assert_eq!(next.index, last.index + 1);
    assert!(!elsewhere.join("restored").exists(), "the witnesses confirmed it");
    let again = post(system.log.url(), "/entries", "application/cose", first.bytes.clone());
    assert_eq!((again.status.as_u16(), json(&again)["index"].as_u64()), (200, Some(first.index)));
    tree::rehash(&system);
}

#[test]
fn an_older_backup_never_signs_when_witnesses_have_seen_more() {
    let (mut system, requester) = start();
    let copy = system.folder().join("backup");
    submit(&system, intent(&requester));
    back_up(&system, &copy).holds();
    submit(&system, intent(&requester));
    system.log.stop();
    let elsewhere = system.folder().join("elsewhere");
    restore(&copy, &elsewhere).holds();
    bring_keys(system.log.data(), &elsewhere);
    let newest = system.log.data().to_owned();
    move_to(&mut system, elsewhere.clone());
    assert!(reasons(&system).contains("store-older-than-witnessed"), "{}", reasons(&system));
    let refused = post(system.log.url(), "/entries", "application/cose", intent(&requester).into_bytes());
    expect_code(&refused, 503, "log-stopped");
    system.log.stop();
    // Declaring does not help against a head that the log has signed.
    run(Program::Log, ["restore", "--data", text(&elsewhere), "--nothing-newer"]).holds();
    system.log.start();
    assert!(reasons(&system).contains("store-older-than-witnessed"));
    system.log.stop();
    let (ran, report) = fsck(&system, &elsewhere);
    assert_eq!(ran.code, Some(3), "{report:#}");
    assert_eq!(report["findings"][0]["part"], "evidence", "{report:#}");
    // The newest copy is the way on.
    move_to(&mut system, newest);
    submit(&system, intent(&requester));
}

#[test]
fn a_restored_log_waits_for_its_witnesses() {
    let (mut system, requester) = start();
    submit(&system, intent(&requester));
    system.log.stop();
    let (copy, elsewhere) = (system.folder().join("backup"), system.folder().join("elsewhere"));
    back_up(&system, &copy).holds();
    restore(&copy, &elsewhere).holds();
    bring_keys(system.log.data(), &elsewhere);
    // One of three is not enough: the two others could have made up a quorum for more.
    system.witnesses[1].kill();
    system.witnesses[2].kill();
    move_to(&mut system, elsewhere);
    let why = reasons(&system);
    assert!(why.contains("restored-unconfirmed") && why.contains("w2.example"), "{why}");
    let refused = post(system.log.url(), "/entries", "application/cose", intent(&requester).into_bytes());
    expect_code(&refused, 503, "log-stopped");
    let head = get(system.log.url(), "/checkpoint");
    assert_eq!(head.status.as_u16(), 200, "reads go on");
    system.log.stop();
    // Two of three are: the third is no quorum.
    system.witnesses[1].start();
    system.log.start();
    submit(&system, intent(&requester));
    system.witnesses[2].start();
}

/// Anything may stand before a witness, and a witness that was mended from its high-water mark knows what it cosigned and has
/// nothing to show for it. Neither says that nothing newer exists.
#[test]
fn an_older_backup_never_signs_on_the_word_of_those_who_show_nothing() {
    let (mut system, requester) = start();
    let (copy, elsewhere) = (system.folder().join("backup"), system.folder().join("elsewhere"));
    submit(&system, intent(&requester));
    back_up(&system, &copy).holds();
    let last = submit(&system, intent(&requester));
    system.log.stop();
    let newest = system.log.data().to_owned();
    for witness in &mut system.witnesses {
        witness.stop();
        std::fs::remove_dir_all(witness.data().join("db")).unwrap();
        let recover = ["recover", "--data", text(witness.data()), "--from", "high-water"];
        run(Program::Witness, recover).holds();
        witness.start();
    }
    restore(&copy, &elsewhere).holds();
    bring_keys(&newest, &elsewhere);
    move_to(&mut system, elsewhere.clone());
    let why = reasons(&system);
    let named = format!("it names size {}", last.index + 1);
    assert!(why.contains("restored-unconfirmed") && why.contains(&named), "{why}");
    system.log.stop();

    // The same, where nobody gets through to the witnesses.
    let direct = std::fs::read_to_string(system.policy_file()).unwrap();
    for (status, body) in [(503, "busy"), (404, "what witness"), (200, "welcome")] {
        let answer = Behaviour::Answer(status, "text/plain", body.into());
        let detours = [0, 1, 2].map(|at: usize| Detour::before(system.witnesses[at].url(), answer.clone()));
        let through = system.witnesses.iter().zip(&detours);
        let policy = through
            .fold(direct.clone(), |policy, (witness, detour)| policy.replace(witness.url(), &detour.url()));
        std::fs::write(system.policy_file(), policy).unwrap();
        system.log.start();
        let why = reasons(&system);
        assert!(why.contains("restored-unconfirmed") && why.contains(&status.to_string()), "{why}");
        let refused = post(system.log.url(), "/entries", "application/cose", intent(&requester).into_bytes());
        expect_code(&refused, 503, "log-stopped");
        system.log.stop();
    }
    assert!(elsewhere.join("restored").exists());
    std::fs::write(system.policy_file(), direct).unwrap();
    // With the newest data the witnesses show again what they cosigned, and the copy is found out.
    move_to(&mut system, newest);
    submit(&system, intent(&requester));
    system.log.stop();
    move_to(&mut system, elsewhere);
    assert!(reasons(&system).contains("store-older-than-witnessed"), "{}", reasons(&system));
}

#[test]
fn what_a_backup_lacks_comes_back_from_whoever_serves_the_log() {
    let (mut system, requester) = start();
    let (copy, elsewhere) = (system.folder().join("backup"), system.folder().join("elsewhere"));
    let first = submit(&system, intent(&requester));
    back_up(&system, &copy).holds();
    for _ in 0..3 {
        submit(&system, intent(&requester));
    }
    let last = submit(&system, intent(&requester));
    let policy = system.policy_file();
    let from = |from: &str, data: &Path| {
        let key = system.log.vkey();
        let args =
            ["restore", "--data", text(data), "--from", from, "--vkey", key, "--witnesses", text(&policy)];
        run(Program::Log, args)
    };
    // Onto an empty machine, from the log itself.
    let empty = system.folder().join("empty");
    from(system.log.url(), &empty).holds();
    // From a folder of tiles, as anybody can keep one; on top of an older copy.
    let tiles = tile_folder(&system, &system.folder().join("tiles"));
    restore(&copy, &elsewhere).holds();
    from(text(&tiles), &elsewhere).holds();
    for data in [&empty, &elsewhere] {
        bring_keys(system.log.data(), data);
        assert_eq!(holds(&system, data), last.index + 1);
    }
    // One who changes, cuts or invents something is refused, and what was there is as it was.
    let again = system.folder().join("again");
    restore(&copy, &again).holds();
    bring_keys(system.log.data(), &again);
    let before = holds(&system, &again);
    let width = (last.index + 1) % 256;
    let bundle = tiles.join(format!("tile/entries/000.p/{width}"));
    let original = std::fs::read(&bundle).unwrap();
    for at in [0, original.len() / 2, original.len() - 1] {
        let mut changed = original.clone();
        changed[at] ^= 1;
        std::fs::write(&bundle, changed).unwrap();
        from(text(&tiles), &again).fails(3);
        assert_eq!(holds(&system, &again), before);
    }
    std::fs::remove_file(&bundle).unwrap();
    from(text(&tiles), &again).fails(2);
    assert_eq!(holds(&system, &again), before);
    // A source that has less has nothing to give.
    std::fs::write(&bundle, original).unwrap();
    submit(&system, intent(&requester));
    from(system.log.url(), &empty).holds();
    assert!(from(text(&tiles), &empty).fails(1).contains("the source has"));

    system.log.stop();
    move_to(&mut system, empty);
    let next = submit(&system, intent(&requester));
    assert_eq!(next.index, last.index + 2);
    let again = post(system.log.url(), "/entries", "application/cose", first.bytes.clone());
    assert_eq!((again.status.as_u16(), json(&again)["index"].as_u64()), (200, Some(first.index)));
    tree::rehash(&system);
}

/// A restore is done as a whole or not at all. Who cut it off is told to run it again, and it begins anew.
#[test]
fn a_restore_that_was_interrupted_says_so_and_is_run_again() {
    let (mut system, requester) = start();
    let (copy, data) = (system.folder().join("backup"), system.folder().join("elsewhere"));
    back_up(&system, &copy).holds();
    let last = submit(&system, intent(&requester));
    let from = || {
        let (policy, key) = (system.policy_file(), system.log.vkey());
        let to = ["restore", "--data", text(&data), "--from", system.log.url(), "--vkey", key];
        run(Program::Log, to.into_iter().chain(["--witnesses", text(&policy)]))
    };
    let refused = || {
        let policy = system.policy_file();
        let served = run(Program::Log, ["serve", "--data", text(&data), "--witnesses", text(&policy)]);
        let why = served.fails(1).to_owned();
        assert!(why.contains("interrupted") && why.contains("restore again"), "{why}");
    };
    // On an empty machine, cut off while it built.
    std::fs::create_dir_all(data.join("db.new")).unwrap();
    std::fs::write(data.join("db.new/CURRENT"), "MANIFEST-000005\n").unwrap();
    bring_keys(system.log.data(), &data);
    refused();
    from().holds();
    assert_eq!(holds(&system, &data), last.index + 1);
    // Over an older copy, cut off between taking the old database away and putting the new one in its place.
    std::fs::remove_dir_all(&data).unwrap();
    restore(&copy, &data).holds();
    bring_keys(system.log.data(), &data);
    std::fs::rename(data.join("db"), data.join("db.old")).unwrap();
    std::fs::create_dir(data.join("db.new")).unwrap();
    refused();
    from().holds();
    assert_eq!(holds(&system, &data), last.index + 1);
    assert!(!data.join("db.new").exists() && !data.join("db.old").exists());
    system.log.stop();
    move_to(&mut system, data);
    assert_eq!(submit(&system, intent(&requester)).index, last.index + 1);
}

/// The files of a small log, as anybody can fetch them.
fn tile_folder(system: &System, folder: &Path) -> PathBuf {
    let width = system.size() % 256;
    for path in
        ["checkpoint".to_owned(), format!("tile/entries/000.p/{width}"), format!("tile/0/000.p/{width}")]
    {
        let answer = get(system.log.url(), &format!("/{path}"));
        assert_eq!(answer.status.as_u16(), 200, "{path}");
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, &answer.body).unwrap();
    }
    folder.to_owned()
}

#[test]
fn without_witnesses_the_operator_has_to_declare() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy, again) = (folder.path().join("a"), folder.path().join("b"), folder.path().join("c"));
    let policy = folder.path().join("policy");
    std::fs::write(&policy, "quorum none\n").unwrap();
    let mut log = countersign_tests::harness::Log::init("log.example/alone", data.clone(), policy.clone());
    let command = ["backup", "--data", text(&data), "--to", text(&copy), "--with-keys"];
    run(Program::Log, command).holds();
    for name in ["log.key", "operator.pem"] {
        assert_eq!(std::fs::metadata(copy.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // A copy is no log.
    let served = run(Program::Log, ["serve", "--data", text(&copy), "--witnesses", text(&policy)]);
    assert!(served.fails(1).contains("countersign-log restore"), "{served:?}");
    restore(&copy, &again).holds();
    log = log.on_copy(again.clone(), policy);
    log.expect_warning(STOPS);
    log.start();
    let why = get(log.url(), "/readyz");
    assert!(String::from_utf8_lossy(&why.body).contains("--nothing-newer"), "{:?}", why.body);
    log.stop();
    run(Program::Log, ["restore", "--data", text(&again), "--nothing-newer"]).holds();
    log.start();
    assert_eq!(get(log.url(), "/readyz").status.as_u16(), 200);
    log.stop();
    let nothing = run(Program::Log, ["restore", "--data", text(&again), "--nothing-newer"]);
    assert!(nothing.fails(1).contains("was not restored"), "{nothing:?}");
}

#[test]
fn nothing_is_written_over_that_is_not_this_logs_older_backup() {
    let (mut system, requester) = start();
    let folder = system.folder().to_owned();
    let copy = folder.join("backup");
    submit(&system, intent(&requester));
    // A folder with something else in it, or in the log's own.
    let other = folder.join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("letter"), "dear").unwrap();
    assert!(back_up(&system, &other).fails(1).contains("not a backup"));
    assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1);
    let inside = system.log.data().join("backup");
    assert!(back_up(&system, &inside).fails(1).contains("one in the other"));
    assert!(!inside.exists());
    // A backup of another log.
    let stranger = folder.join("stranger");
    run(Program::Log, ["init", "--data", text(&stranger), "--origin", "log.example/stranger"]).holds();
    run(Program::Log, ["backup", "--data", text(&stranger), "--to", text(&copy)]).holds();
    assert!(back_up(&system, &copy).fails(1).contains("log.example/stranger"));
    std::fs::remove_dir_all(&copy).unwrap();
    // A backup that has more than the log: then it is the log that lost something.
    let mut fork = system.fork();
    submit(&system, intent(&requester));
    back_up(&system, &copy).holds();
    fork.log.stop();
    let refused = back_up(&fork, &copy);
    assert!(refused.fails(4).contains("the log lost some"), "{refused:?}");
    // Or of another history.
    fork.log.start();
    submit(&fork, intent(&requester));
    submit(&fork, intent(&requester));
    let refused = back_up(&fork, &copy);
    assert!(refused.fails(4).contains("two histories"), "{refused:?}");
    system.log.stop();
    assert_eq!(holds(&system, &copy), holds(&system, system.log.data()));
    // Nor is a log written over by its backup.
    assert!(restore(&copy, system.log.data()).fails(1).contains("has a database already"));
    assert!(restore(&other, &folder.join("new")).fails(1).contains("has no log"));
    system.witnesses.iter_mut().for_each(Witness::stop);
}
