//! Staying with a log: `countersign-verify monitor`, over real logs, with a webhook that hears it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use countersign_tests::harness::{Process, Program, Ran, System, register, run};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::detour::{Behaviour, Detour};
use crate::parties::Parties;
use crate::schema::assert_is_report;

/// Who hears what a monitor finds, and may refuse to.
struct Hook {
    url: String,
    heard: Arc<Mutex<Heard>>,
    _runtime: Runtime,
}

#[derive(Default)]
struct Heard {
    refuses: bool,
    refused: usize,
    events: Vec<Value>,
}

impl Hook {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}/hook/of-nobody-else", listener.local_addr().unwrap());
        let router = Router::new().fallback(hear).with_state(Arc::clone(&heard));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, heard, _runtime: runtime }
    }

    fn refuse(&self, refuses: bool) {
        self.heard.lock().unwrap().refuses = refuses;
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let heard = self.heard.lock().unwrap();
        heard.events.iter().filter(|event| event["type"] == kind).cloned().collect()
    }
}

async fn hear(State(heard): State<Arc<Mutex<Heard>>>, body: Bytes) -> StatusCode {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let mut heard = heard.lock().unwrap();
    if heard.refuses {
        heard.refused += 1;
        return StatusCode::BAD_GATEWAY;
    }
    let events = body["events"].as_array().unwrap();
    assert!(!events.is_empty() && !body["text"].as_str().unwrap().is_empty(), "{body}");
    events.iter().for_each(assert_is_report);
    heard.events.extend(events.iter().cloned());
    StatusCode::NO_CONTENT
}

/// What a monitor complains of when nobody listens.
const UNHEARD: &str = "the webhook at 127.0.0.1 does not take what was found: it answers 502";

fn args(system: &System, log: &str, more: &[&str]) -> Vec<String> {
    let file = |name: &str| system.folder().join(name).to_str().unwrap().to_owned();
    let policy = system.policy_file().to_str().unwrap().to_owned();
    let mut args = vec!["monitor".to_owned(), "--policy".to_owned(), policy];
    args.extend(["--state".to_owned(), file("monitor.state"), "--evidence".to_owned(), file("evidence")]);
    args.extend(more.iter().map(ToString::to_string));
    args.push(log.to_owned());
    args
}

/// One look, in JSON.
fn look(system: &System, log: &str, more: &[&str]) -> (Ran, Vec<Value>) {
    let ran = run(Program::Verify, args(system, log, &[&["--once", "--json"], more].concat()));
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.iter().for_each(assert_is_report);
    (ran, lines)
}

/// A monitor that stays, and complains of nothing but what is `expected`.
fn stay(system: &System, log: &str, more: &[&str], expected: &[&str]) -> Process {
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    Process::start(
        Program::Verify,
        args(system, log, &[&["--json", "--interval", "100ms"], more].concat()),
        "monitor",
        &expected,
    )
}

#[track_caller]
fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !is_there() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn subjects(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["subject"].as_str().unwrap()).collect()
}

#[test]
fn each_look_tells_what_is_new_and_watched_for() {
    let system = System::start();
    let parties = Parties::register(&system);
    let one = parties.execute(&system, "one").id.to_string();
    let url = system.log.url();
    let watch = ["--watch", "issuer=requester", "--watch", "kind=close"];

    let (ran, lines) = look(&system, url, &watch);
    ran.holds();
    let (last, told) = lines.split_last().unwrap();
    assert_eq!(
        (&last["type"], &last["entries"], &last["new"]),
        (&"looked".into(), &system.size().into(), &last["entries"])
    );
    // The registration of the key, what was said with it, and the close by somebody else.
    assert_eq!(subjects(told), ["issuer:requester", &one, &one]);
    let kinds: Vec<_> = told.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["issuer", "intent", "close"]);
    assert_eq!(told[2]["watched"], serde_json::json!(["kind=close"]));

    let (ran, lines) = look(&system, url, &watch);
    ran.holds();
    assert_eq!((lines.len(), &lines[0]["new"]), (1, &0.into()), "{lines:#?}");

    // Somebody registers another key under a name that is watched for.
    register(&system, "requester", &["requester"]);
    let two = parties.execute(&system, "two").id.to_string();
    let (ran, lines) = look(&system, url, &watch);
    ran.holds();
    assert_eq!(subjects(lines.split_last().unwrap().1), ["issuer:requester", &two, &two]);
    // For people.
    let three = parties.execute(&system, "three").id;
    let watch = format!("execution={three}");
    let people = run(Program::Verify, args(&system, url, &["--once", "--watch", &watch]));
    let said = people.holds();
    assert_eq!(said.lines().count(), 7, "six entries of the execution and the sum: {said}");
    assert!(said.contains(&format!("intent about {three} by requester (execution={three})")), "{said}");
    assert!(said.ends_with("nothing that should not be there"), "{said}");
}

#[test]
fn who_breaks_the_rules_is_told_of_once_and_shown_to_others() {
    let system = System::start();
    let parties = Parties::register(&system);
    let url = system.log.url();
    look(&system, url, &[]).0.holds();
    let rogue = parties.execute_denied(&system, "rogue");
    let (ran, lines) = look(&system, url, &[]);
    assert_eq!(ran.code, Some(3), "{ran:#?}");
    let [lineage, last] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!(
        (&lineage["type"], &lineage["execution"], &lineage["verdict"]),
        (&"lineage".into(), &rogue.as_str().into(), &"violated".into())
    );
    assert_eq!(last["found"], 1);
    let kept = std::fs::read_dir(system.folder().join("evidence")).unwrap().count();
    assert_eq!(kept, 1, "the bundle of the execution");
    // It is not told again.
    let (ran, lines) = look(&system, url, &[]);
    ran.holds();
    assert_eq!((lines.len(), &lines[0]["found"]), (1, &0.into()));
}

#[test]
fn nothing_is_left_untold_when_it_is_killed_or_nobody_listens() {
    let system = System::start();
    let parties = Parties::register(&system);
    let (url, hook) = (system.log.url(), Hook::start());
    let more = ["--webhook", hook.url.as_str(), "--watch", "kind=intent"];
    let monitor = stay(&system, url, &more, &[UNHEARD]);
    parties.execute(&system, "heard");
    wait_for("the webhook hears of it", || hook.events("watched").len() == 1);
    hook.refuse(true);
    let unheard = parties.execute(&system, "unheard").id;
    wait_for("the webhook is tried", || hook.heard.lock().unwrap().refused > 0);
    monitor.kill();
    hook.refuse(false);
    let monitor = stay(&system, url, &more, &[UNHEARD]);
    wait_for("the other is told after all", || subjects(&hook.events("watched")).contains(&unheard.as_str()));
    // While it stays, it is told of what it could not say before.
    hook.refuse(true);
    let later = parties.execute(&system, "later").id;
    let before = hook.heard.lock().unwrap().refused;
    wait_for("the webhook is tried again", || hook.heard.lock().unwrap().refused > before + 4);
    hook.refuse(false);
    wait_for("it is told in the end", || subjects(&hook.events("watched")).contains(&later.as_str()));
    monitor.kill();
}

#[test]
fn a_log_that_cannot_be_reached_is_told_of_and_tried_again() {
    let system = System::start();
    let parties = Parties::register(&system);
    let (hook, between) = (Hook::start(), Detour::before(system.log.url(), Behaviour::Pass));
    let more = ["--webhook", hook.url.as_str(), "--watch", "kind=close"];
    let monitor = stay(&system, &between.url(), &more, &["the log could not be read"]);
    wait_for("it has looked", || monitor.output().contains("\"looked\""));
    between.behave(Behaviour::Answer(404, "text/plain", b"gone".to_vec()));
    wait_for("it tells that the log is gone", || hook.events("trouble").len() == 1);
    parties.execute(&system, "meanwhile");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(hook.events("trouble").len(), 1, "once");
    between.behave(Behaviour::Pass);
    wait_for("it goes on", || hook.events("recovered").len() == 1);
    wait_for("nothing is left out", || hook.events("watched").len() == 1);
    monitor.kill();
    // Whoever looks once learns it by the exit code.
    let (ran, lines) = look(&system, "http://127.0.0.1:1", &[]);
    assert!(ran.fails(2).contains("cannot be read") && lines.is_empty(), "{ran:#?}");
}

#[test]
fn a_second_history_ends_it_with_evidence_and_an_older_head_does_not() {
    let mut system = System::start();
    let parties = Parties::register(&system);
    let other = system.fork();
    let old = countersign_tests::harness::get(system.log.url(), "/checkpoint").body;
    parties.execute(&system, "one/way");
    let (hook, between) = (Hook::start(), Detour::before(system.log.url(), Behaviour::Pass));
    let more = ["--webhook", hook.url.as_str()];
    let monitor = stay(&system, &between.url(), &more, &["two histories", "the log went back"]);
    wait_for("it has looked", || monitor.output().contains("\"looked\""));
    // A cache that lags behind.
    between.behave(Behaviour::Replay("/checkpoint", old));
    wait_for("an older head is told of", || hook.events("trouble").len() == 1);
    between.behave(Behaviour::Pass);
    wait_for("it goes on", || hook.events("recovered").len() == 1);
    for number in 0..3 {
        parties.execute(&other, &format!("another/way/{number}"));
    }
    between.behave(Behaviour::Elsewhere(other.log.url().parse().unwrap()));
    assert_eq!(monitor.end().code(), Some(3));
    let ended = hook.events("ended");
    assert!(ended[0]["sentence"].as_str().unwrap().contains("signed two histories"), "{ended:#?}");
    let evidence = std::fs::read_dir(system.folder().join("evidence")).unwrap();
    let fork =
        evidence.map(|file| file.unwrap().path()).find(|path| path.extension() == Some("evidence".as_ref()));
    let policy = system.policy_file();
    let fork = fork.expect("evidence of the fork");
    run(Program::Verify, ["evidence", "--policy", policy.to_str().unwrap(), fork.to_str().unwrap()]).fails(3);
}
