//! What an interrupted gate leaves behind, and what the next one makes of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use countersign_gate::clock::Clock;
use countersign_gate::config::Config;
use countersign_gate::enforcement::{UsedError, UsedSet};
use countersign_gate::exact::{ExactCommand, SearchPath};
use countersign_gate::lineage::{self, Gate};
use countersign_gate::report::Reporter;
use countersign_gate::state::{Journal, State, StateError};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::payload::{Action, Authorization, Decision, Entity, Intent};
use countersign_verifier::statement::{
    DecisionCode, Kind, Payload, RefRole, References, Statement, Subject, UnixSeconds, Validity, Verdict,
    VerificationCode,
};

use crate::setup::{Setup, assert_code, exists, party, text};
use crate::tree::now;

fn intent(execution: &str, at: UnixSeconds) -> Statement {
    let entity = |id: &str| Entity { entity_type: "Agent".to_owned(), id: id.to_owned(), properties: None };
    let payload = Payload::Intent(Intent {
        subject: entity("bot"),
        action: Action { name: "execute".to_owned(), properties: None },
        resource: entity("/bin/touch"),
        context: None,
        parent: None,
    });
    let subject = Subject::Execution(execution.parse().unwrap());
    party("requester").state(at, subject, None, &payload, &References::default()).unwrap().statement().clone()
}

fn journal(setup: &Setup, execution: &str) -> Journal {
    State::open(&setup.path("state")).unwrap().begin(&execution.parse().unwrap()).unwrap()
}

fn seconds_ago(seconds: u64) -> UnixSeconds {
    UnixSeconds::new(now().get() - seconds).unwrap()
}

#[test]
fn a_gate_that_is_killed_while_its_command_runs_leaves_an_unknown_outcome() {
    let setup = Setup::new();
    let script = "echo $$; exec sleep 60";
    let gate = ["run", "--config", "gate.toml", "--execution", "e-1", "--", "sh", "-c", script];
    let mut process = setup.program(&gate).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let pid = BufReader::new(process.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    // While it lives, nobody touches its execution.
    assert_code(&setup.run("e-2", &["touch", "made"]), 0);
    assert_eq!(setup.lineage("e-1").len(), 4);
    process.kill().unwrap();
    process.wait().unwrap();
    let pid = rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();

    let output = setup.run("e-3", &["touch", "made"]);
    assert_code(&output, 0);
    assert!(
        text(&output.stderr).contains("e-1 was cut off after its command had started"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(
        setup.lineage("e-1"),
        ["intent", "decision:permit", "authorization", "verification:ok", "outcome:unknown", "close:6"]
    );
    assert_eq!(setup.journals("open"), 0);
}

#[test]
fn a_gate_that_is_killed_before_its_command_runs_leaves_a_denial() {
    let setup = Setup::new();
    let mut left_behind = journal(&setup, "e-1");
    left_behind.add(vec![intent("e-1", now())]).unwrap();
    drop(left_behind);
    let output = setup.run("e-2", &["touch", "made"]);
    assert_code(&output, 0);
    assert!(text(&output.stderr).contains("e-1 was cut off before its command started"));
    assert_eq!(
        setup.lineage("e-1"),
        ["intent", "verification:authorization_missing", "outcome:not_executed", "close:4"]
    );
}

/// The log hears that nothing was executed by the authorization, so nothing may be, however long it would be good for.
#[test]
fn what_was_authorized_when_the_gate_was_killed_is_used_up() {
    let setup = Setup::new();
    assert_code(&setup.run("e-0", &["touch", "made"]), 0);
    let policy = {
        let log = setup.log.lock();
        let policy = log.tree.entries.iter().find(|entry| entry.kind() == Kind::Policy).unwrap();
        LeafHash::of(policy.bytes())
    };
    let at = now();
    let intent = intent("e-1", at);
    let Payload::Intent(asked) = intent.payload().clone() else { panic!() };
    let refs = |more: &[(RefRole, LeafHash)]| {
        [&[(RefRole::Intent, LeafHash::of(intent.bytes()))], more]
            .concat()
            .into_iter()
            .collect::<References>()
    };
    let decide = |validity: Option<&Validity>, payload: &Payload, references: &References| {
        let subject = Subject::Execution("e-1".parse().unwrap());
        let signed = party("authority").state(at, subject, validity.cloned(), payload, references).unwrap();
        signed.statement().clone()
    };
    let decision = Payload::Decision(Decision {
        decision: Verdict::Permit,
        code: DecisionCode::Permitted,
        reasons: None,
        errors: None,
        entities: None,
        context: None,
        engine: None,
    });
    let decision = decide(None, &decision, &refs(&[(RefRole::Policy, policy)]));
    let validity = Validity {
        audience: "enforcer".parse().unwrap(),
        not_before: at,
        expires: UnixSeconds::new(at.get() + 300).unwrap(),
    };
    let authorization = Payload::Authorization(Authorization {
        subject: asked.subject,
        action: asked.action,
        resource: asked.resource,
        action_digest: None,
        constraints: None,
    });
    let stands_on = refs(&[(RefRole::Decision, LeafHash::of(decision.bytes()))]);
    let authorization = decide(Some(&validity), &authorization, &stands_on);
    let entry = LeafHash::of(authorization.bytes());
    for statement in [&intent, &decision, &authorization] {
        setup.log.lock().tree.append(statement).unwrap();
    }
    let mut left_behind = journal(&setup, "e-1");
    left_behind.add(vec![intent.clone(), decision, authorization]).unwrap();
    drop(left_behind);

    assert_code(&setup.run("e-2", &["touch", "made"]), 0);
    assert!(setup.lineage("e-1").contains(&"outcome:not_executed".to_owned()), "{:?}", setup.lineage("e-1"));
    let used = UsedSet::open(&State::open(&setup.path("state")).unwrap().used_folder()).unwrap();
    let again = used.claim(entry, validity.expires);
    assert!(matches!(again, Err(UsedError::Again(used)) if used == entry), "{again:?}");
}

#[test]
fn statements_that_waited_too_long_are_made_anew() {
    let setup = Setup::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    setup.configure_for(&nowhere, "", r#"[["touch"]]"#);
    let hour_ago = Clock::new(|| seconds_ago(3600));
    let config = Config::read(&setup.path("gate.toml")).unwrap();
    let gate = Gate::open(config, hour_ago, Reporter::new(false)).unwrap();
    let folder = setup.path("").canonicalize().unwrap();
    let words = ["touch".into(), "made".into()];
    let command =
        ExactCommand::resolve(&words, &folder, &SearchPath::new(["/usr/bin".into(), "/bin".into()])).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let verdict = runtime.block_on(gate.run(&"e-1".parse().unwrap(), command)).unwrap();
    assert!(
        matches!(&verdict, lineage::Verdict::Denied(stop) if stop.code() == VerificationCode::AuthorizationMissing),
        "{verdict:?}"
    );
    assert!(!exists(&setup.path("made")));
    drop(gate);

    setup.configure("");
    assert_code(&setup.run("e-2", &["touch", "made"]), 0);
    assert_eq!(
        setup.lineage("e-1"),
        ["intent", "verification:authorization_missing", "outcome:not_executed", "close:4"]
    );
    assert_eq!((setup.journals("open"), setup.journals("refused")), (0, 0));
}

#[test]
fn what_the_log_has_already_is_found_whatever_its_age() {
    let setup = Setup::new();
    // The statement got there, and the process died before it knew.
    let statement = intent("e-1", seconds_ago(200));
    setup.log.lock().tree.append(&statement).unwrap();
    let mut left_behind = journal(&setup, "e-1");
    left_behind.add(vec![statement]).unwrap();
    drop(left_behind);
    assert_code(&setup.run("e-2", &["touch", "made"]), 0);
    assert_eq!(setup.lineage("e-1").first().map(String::as_str), Some("intent"));
    assert_eq!(setup.lineage("e-1").len(), 4);
}

#[test]
fn a_line_that_was_being_written_says_nothing() {
    let setup = Setup::new();
    let mut left_behind = journal(&setup, "e-1");
    left_behind.add(vec![intent("e-1", now())]).unwrap();
    let path = left_behind.path().to_owned();
    drop(left_behind);
    let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"{\"record\":\"started\",\"at\":17").unwrap();
    let journals = State::open(&setup.path("state")).unwrap().unfinished().unwrap();
    assert_eq!(journals.len(), 1);
    assert_eq!(journals[0].steps().len(), 1);
    assert_eq!(journals[0].started(), None);
    drop(journals);
    assert_code(&setup.run("e-2", &["touch", "made"]), 0);
    assert_eq!(setup.lineage("e-1").len(), 4);
}

#[test]
fn a_damaged_journal_stops_everything_loudly() {
    let setup = Setup::new();
    let mut left_behind = journal(&setup, "e-1");
    left_behind.add(vec![intent("e-1", now())]).unwrap();
    let path = left_behind.path().to_owned();
    drop(left_behind);
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len() - 10;
    bytes[end] = b'#';
    std::fs::write(&path, bytes).unwrap();
    let output = setup.run("e-2", &["touch", "made"]);
    assert_code(&output, 4);
    assert!(!exists(&setup.path("made")));
    let told = text(&output.stderr);
    assert!(told.contains("line 2 is damaged") && told.contains("hint:"), "{told}");
}

#[test]
fn one_journal_an_execution_and_one_process_a_journal() {
    let setup = Setup::new();
    let held = journal(&setup, "e-1");
    let state = State::open(&setup.path("state")).unwrap();
    assert!(matches!(state.begin(&"e-1".parse().unwrap()), Err(StateError::InUse(_))));
    assert!(state.unfinished().unwrap().is_empty());
    drop(held);
    assert!(matches!(state.begin(&"e-1".parse().unwrap()), Err(StateError::InUse(_))));
    let mut found = state.unfinished().unwrap();
    assert_eq!(found.len(), 1);
    state.end(found.remove(0)).unwrap();
    assert!(state.unfinished().unwrap().is_empty());
    assert!(state.begin(&"e-1".parse().unwrap()).is_ok());
}

#[test]
fn what_the_log_refuses_for_good_is_put_aside_and_does_not_block() {
    let setup = Setup::new();
    let by_nobody = {
        let subject = Subject::Execution("e-1".parse().unwrap());
        let stranger = crate::tree::issuer("stranger", [77; 32]);
        let payload = intent("e-1", now()).payload().clone();
        stranger.state(now(), subject, None, &payload, &References::default()).unwrap().statement().clone()
    };
    let mut left_behind = journal(&setup, "e-1");
    left_behind.add(vec![by_nobody]).unwrap();
    drop(left_behind);
    let output = setup.run("e-2", &["touch", "made"]);
    assert_code(&output, 0);
    assert!(
        text(&output.stderr).contains("the intent is put aside for good: the log refuses it"),
        "{}",
        text(&output.stderr)
    );
    // What stood on it is recorded without it.
    assert_eq!(
        setup.lineage("e-1"),
        ["verification:authorization_missing", "outcome:not_executed", "close:3"]
    );
    assert_eq!((setup.journals("open"), setup.journals("refused")), (0, 1));
}
