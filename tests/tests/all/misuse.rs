//! What people get wrong: a clear message, the right exit code, and nothing broken.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use countersign_tests::harness::{Program, Ran, System, get, run};

/// The exit codes of FORMATS: 1 usage, 2 could not check, 4 local state damaged.
const USAGE: i32 = 1;
const COULD_NOT: i32 = 2;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[track_caller]
fn assert_says(ran: &Ran, code: i32, words: &[&str]) {
    let said = ran.fails(code).to_lowercase();
    for word in words {
        assert!(said.contains(word), "expected {word:?} in: {said}");
    }
    assert!(ran.stdout.is_empty(), "{ran:?}");
}

#[test]
fn a_second_process_on_the_same_data_does_not_start() {
    let system = System::start();
    let (data, policy) = (system.log.data(), system.policy_file());
    let second = run(
        Program::Log,
        ["serve", "--data", text(data), "--listen", "127.0.0.1:0", "--witnesses", text(&policy)],
    );
    assert_says(&second, COULD_NOT, &["another process", "end it first"]);
    let data = system.witnesses[0].data();
    let second = run(Program::Witness, ["serve", "--data", text(data), "--listen", "127.0.0.1:0"]);
    assert_says(&second, COULD_NOT, &["one process"]);
    // The first ones did not notice.
    assert_eq!(get(system.log.url(), "/readyz").status.as_u16(), 200);
    assert_eq!(system.size(), 1);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let mut system = System::start();
    system.log.stop();
    let key = system.log.data().join("log.key");
    std::fs::set_permissions(&key, Permissions::from_mode(0o640)).unwrap();
    let ran = run(Program::Log, system.log.serve_args());
    assert_says(&ran, COULD_NOT, &["chmod 600", "640"]);
    std::fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
    system.log.start();

    let witness = &mut system.witnesses[0];
    witness.stop();
    let key = witness.data().join("witness.key");
    std::fs::set_permissions(&key, Permissions::from_mode(0o604)).unwrap();
    let ran = run(Program::Witness, ["serve", "--data", text(witness.data()), "--listen", "127.0.0.1:0"]);
    assert_says(&ran, COULD_NOT, &["chmod 600", "604"]);

    let operator = system.log.data().join("operator.pem");
    std::fs::set_permissions(&operator, Permissions::from_mode(0o644)).unwrap();
    let ran = run(
        Program::Countersign,
        [
            "issuer",
            "add",
            "--log",
            system.log.url(),
            "--operator-key",
            text(&operator),
            "--name",
            "x",
            "--public-key",
            text(&operator),
            "--roles",
            "requester",
        ],
    );
    assert_says(&ran, COULD_NOT, &["chmod 600", "644"]);
}

#[test]
fn init_never_overwrites() {
    let mut system = System::start();
    system.log.stop();
    let key = |system: &System| std::fs::read(system.log.data().join("log.key")).unwrap();
    let before = key(&system);
    let again =
        run(Program::Log, ["init", "--data", text(system.log.data()), "--origin", "log.example/other"]);
    assert_ne!(again.code, Some(0), "{again:?}");
    assert!(again.stderr.contains("already"), "{again:?}");
    assert_eq!(key(&system), before);
    let data = system.witnesses[0].data();
    let again = run(Program::Witness, ["init", "--data", text(data), "--name", "w9.example"]);
    assert_ne!(again.code, Some(0), "{again:?}");
    assert!(again.stderr.contains("already"), "{again:?}");
    // Both go on as before.
    system.log.start();
    assert_eq!(system.size(), 1);

    let out = system.folder().join("key.pem");
    run(Program::Countersign, ["keygen", "--out", text(&out)]).holds();
    let before = std::fs::read(&out).unwrap();
    let again = run(Program::Countersign, ["keygen", "--out", text(&out)]);
    assert_says(&again, COULD_NOT, &["already"]);
    assert_eq!(std::fs::read(&out).unwrap(), before);
}

#[test]
fn a_log_wants_to_know_its_witnesses() {
    let mut system = System::start();
    system.log.stop();
    let data = text(system.log.data());
    let serve = |policy: &[&str]| {
        run(Program::Log, [&["serve", "--data", data, "--listen", "127.0.0.1:0"], policy].concat())
    };
    assert_says(&serve(&[]), USAGE, &["--witnesses", "quorum"]);
    let file = system.folder().join("broken");
    let missing = system.folder().join("missing");
    assert_says(&serve(&["--witnesses", text(&missing)]), COULD_NOT, &["missing"]);
    for (policy, said) in [
        ("nonsense\n", "line 1"),
        ("quorum two\n", "line 1"),
        ("", "quorum"),
        (&format!("witness w {}\nquorum w\n", system.witnesses[0].vkey()), "url"),
    ] {
        std::fs::write(&file, policy).unwrap();
        assert_says(&serve(&["--witnesses", text(&file)]), USAGE, &[said]);
    }
}

#[test]
fn places_that_are_not_are_said_to_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let policy = folder.path().join("policy");
    std::fs::write(&policy, "quorum none\n").unwrap();
    let serve = ["serve", "--data", text(&nowhere), "--listen", "127.0.0.1:0"];
    let log = run(Program::Log, serve.iter().chain(&["--witnesses", text(&policy)]));
    assert!(matches!(log.code, Some(USAGE | COULD_NOT)), "{log:?}");
    assert!(log.stderr.contains("init"), "{log:?}");
    assert!(!nowhere.exists(), "serve made a folder for a log that was never founded");
    let witness = run(Program::Witness, serve);
    assert!(matches!(witness.code, Some(USAGE | COULD_NOT)), "{witness:?}");
    assert!(witness.stderr.contains("init"), "{witness:?}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let mut system = System::start();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    system.log.stop();
    let policy = system.policy_file();
    let log = run(
        Program::Log,
        ["serve", "--data", text(system.log.data()), "--listen", &address, "--witnesses", text(&policy)],
    );
    assert!(matches!(log.code, Some(USAGE | COULD_NOT)), "{log:?}");
    assert!(log.stderr.contains(&address), "{log:?}");
    system.log.start();
}

#[test]
fn every_program_explains_itself() {
    use Program::{Countersign, Explorer, Hammer, Log, Verify, Witness};
    for program in [Log, Witness, Countersign, Verify, Explorer, Hammer] {
        let help = run(program, ["--help"]);
        assert!(help.holds().contains("Usage"), "{help:?}");
        assert!(run(program, ["--version"]).holds().starts_with(program.name()));
        let nonsense = run(program, ["--no-such-flag"]);
        assert_says(&nonsense, USAGE, &["--no-such-flag"]);
    }
    for (program, command) in [
        (Log, "init"),
        (Log, "serve"),
        (Witness, "init"),
        (Witness, "add-log"),
        (Witness, "serve"),
        (Countersign, "keygen"),
        (Countersign, "sign"),
        (Countersign, "submit"),
        (Countersign, "run"),
        (Verify, "proof"),
    ] {
        assert!(run(program, [command, "--help"]).holds().contains("Usage"), "{command}");
    }
}
