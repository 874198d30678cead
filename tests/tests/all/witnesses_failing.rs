//! Witnesses that are away, slow, silent or talk nonsense: nothing is lost, nothing forks, and it recovers.

use std::time::{Duration, Instant};

use countersign_tests::client::Answer;
use countersign_tests::harness::{Setup, Stage, System, execution, get, post, register};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::cosignature::{self, Timestamp};
use countersign_verifier::note::{KeyName, NoteSigner, SignedNote};
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::detour::{Behaviour, Detour};
use crate::submitting::{json, taken};
use crate::tree;

/// How long the logs of these tests wait for a quorum.
const WAIT: &str = "1s";

fn setup() -> Setup {
    Setup {
        log_flags: vec!["--wait-timeout", WAIT],
        log_warnings: vec!["the witness does not cosign"],
        ..Setup::default()
    }
}

fn statement(requester: &Issuer) -> Vec<u8> {
    let id = execution("witnesses");
    requester.state(Kind::Intent, &id, None, Value::Object(request())).unwrap().into_bytes()
}

fn submit(system: &System, statement: &[u8], wait: &str) -> Answer {
    let path = format!("/entries?wait={wait}");
    post(system.log.url(), &path, "application/cose", statement.to_vec())
}

#[track_caller]
fn assert_cosigned(system: &System, requester: &Issuer) {
    let statement = statement(requester);
    let answer = submit(system, &statement, "cosigned");
    assert_eq!(taken(system, &answer, statement).status, 201);
}

/// Asserts that an entry is taken, although no quorum comes about, and that it can be sent again for its proof.
#[track_caller]
fn assert_accepted(system: &System, requester: &Issuer) -> (Vec<u8>, u64) {
    let before = system.size();
    let statement = statement(requester);
    let answer = submit(system, &statement, "cosigned");
    assert_eq!(answer.status.as_u16(), 202, "{}", String::from_utf8_lossy(&answer.body));
    assert!(answer.header("retry-after").is_some());
    let index = json(&answer)["index"].as_u64().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/entries/{index}").as_str()));
    let again = submit(system, &statement, "sequenced");
    assert_eq!((again.status.as_u16(), json(&again)["index"].as_u64()), (200, Some(index)));
    assert_eq!(system.size(), before, "a head without its quorum was published");
    (statement, index)
}

/// Waits until the witnesses have caught up, and asserts that nothing that was accepted moved.
#[track_caller]
fn assert_recovered(system: &System, requester: &Issuer, accepted: &[(Vec<u8>, u64)], before: &Checkpoint) {
    let size = accepted.iter().map(|(_, index)| index + 1).max().unwrap();
    let head = system.log.published(system.policy(), size);
    for (statement, index) in accepted {
        let answer = submit(system, statement, "cosigned");
        let taken = taken(system, &answer, statement.clone());
        assert_eq!((taken.status, taken.index), (200, *index));
    }
    assert_cosigned(system, requester);
    tree::assert_consistent(system, before, head.checkpoint());
    let ready = get(system.log.url(), "/readyz");
    assert_eq!(ready.status.as_u16(), 200, "{}", String::from_utf8_lossy(&ready.body));
    tree::rehash(system);
}

fn head(system: &System) -> Checkpoint {
    system.log.checkpoint(system.policy()).unwrap().checkpoint().clone()
}

/// Waits until the log says that it is not ready, and returns why.
#[track_caller]
fn not_ready(system: &System) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = get(system.log.url(), "/readyz");
        if answer.status.as_u16() == 503 {
            return String::from_utf8_lossy(&answer.body).into_owned();
        }
        assert!(Instant::now() < deadline, "the log is ready without a quorum: {answer:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn one_may_be_away_and_two_are_waited_for() {
    let mut setup = setup();
    setup.log_warnings.push("path=\"/readyz\"");
    let mut system = System::start_with(&setup);
    let requester = register(&system, "requester", &["requester"]);
    system.witnesses[2].stop();
    assert_cosigned(&system, &requester);
    let before = head(&system);
    system.witnesses[1].kill();
    let accepted = [assert_accepted(&system, &requester), assert_accepted(&system, &requester)];
    let why = not_ready(&system);
    assert!(why.contains("quorum-missing") && why.contains("w2.example"), "{why}");
    system.witnesses[1].start();
    system.witnesses[2].start();
    assert_recovered(&system, &requester, &accepted, &before);
}

#[test]
fn a_log_that_is_restarted_without_its_quorum_keeps_what_it_accepted() {
    let mut system = System::start_with(&setup());
    let requester = register(&system, "requester", &["requester"]);
    let before = head(&system);
    system.witnesses.iter_mut().for_each(countersign_tests::harness::Witness::stop);
    let accepted = [assert_accepted(&system, &requester)];
    system.log.kill();
    system.log.start();
    // What was published stays published, also while nobody cosigns.
    assert_eq!(head(&system), before);
    let more = assert_accepted(&system, &requester);
    system.witnesses.iter_mut().for_each(countersign_tests::harness::Witness::start);
    let [first] = accepted;
    assert_recovered(&system, &requester, &[first, more], &before);
}

#[test]
fn a_frozen_witness_holds_nobody_up() {
    let system = System::start_with(&setup());
    let requester = register(&system, "requester", &["requester"]);
    system.witnesses[0].freeze();
    for _ in 0..5 {
        let begun = Instant::now();
        assert_cosigned(&system, &requester);
        assert!(begun.elapsed() < Duration::from_millis(900), "the quorum waited for the frozen witness");
    }
    system.witnesses[0].thaw();
    assert_cosigned(&system, &requester);
    tree::rehash(&system);
}

/// A system whose log reaches each witness by a detour.
fn with_detours(behaviours: [Behaviour; 3]) -> (System, [Detour; 3]) {
    let stage = Stage::set();
    let [first, second, third] = behaviours;
    let [a, b, c] = stage.witnesses();
    let detours =
        [Detour::before(a.url(), first), Detour::before(b.url(), second), Detour::before(c.url(), third)];
    let ways = [0, 1, 2].map(|at: usize| detours.get(at).map(Detour::url));
    let system = stage.start(&Setup { detours: ways, ..setup() });
    system.log.published(system.policy(), 1);
    (system, detours)
}

#[test]
fn slow_witnesses_make_it_slow_and_no_more() {
    let slow = || Behaviour::Delay(Duration::from_millis(150));
    let (system, detours) = with_detours([slow(), slow(), slow()]);
    let requester = register(&system, "requester", &["requester"]);
    let before = head(&system);
    for _ in 0..3 {
        assert_cosigned(&system, &requester);
    }
    for detour in &detours {
        detour.behave(Behaviour::Pass);
    }
    assert_cosigned(&system, &requester);
    tree::assert_consistent(&system, &before, &head(&system));
    tree::rehash(&system);
}

/// What a witness must not say, and what nobody may take for a cosignature.
fn nonsense(system: &System) -> Vec<(&'static str, Behaviour)> {
    let answer = |status, body: &str| Behaviour::Answer(status, "text/plain", body.as_bytes().to_vec());
    let size = Behaviour::Answer(409, "text/x.tlog.size", b"999999999\n".to_vec());
    let note = SignedNote::parse(&get(system.log.url(), "/checkpoint").body).unwrap();
    let head = Checkpoint::parse(note.text()).unwrap();
    let now = Timestamp::new(countersign_tests::clock::now().get()).unwrap();
    let impostor = NoteSigner::from_seed(KeyName::new(system.witnesses[1].name()).unwrap(), true, &[9; 32]);
    let by_impostor = cosignature::cosign(&head, now, &impostor).unwrap().to_string();
    let of_an_old_head = note.signatures()[1..].iter().map(ToString::to_string).collect::<String>();
    vec![
        ("empty", answer(200, "")),
        ("text", answer(200, "this is no cosignature\n")),
        ("half a line", answer(200, "\u{2014} w2.example")),
        ("another key under the name", answer(200, &by_impostor)),
        ("cosignatures of an older head", answer(200, &of_an_old_head)),
        ("a size that is not", size),
        ("a size that is no number", Behaviour::Answer(409, "text/x.tlog.size", b"many\n".to_vec())),
        ("conflict without a size", answer(409, "no")),
        ("not found", answer(404, "who are you")),
        ("forbidden", answer(403, "")),
        ("unprocessable", answer(422, "")),
        ("its own fault", answer(500, "oops")),
        ("a redirect", answer(302, "")),
        ("far too much", Behaviour::Answer(200, "text/plain", vec![b'x'; 8 << 20])),
        ("bytes", Behaviour::Answer(200, "application/octet-stream", (0..=255).collect())),
        ("silence", Behaviour::Hang),
    ]
}

#[test]
fn nonsense_counts_for_nothing_and_is_survived() {
    let (mut system, detours) = with_detours([Behaviour::Pass, Behaviour::Pass, Behaviour::Pass]);
    let requester = register(&system, "requester", &["requester"]);
    let before = head(&system);
    let mut accepted = Vec::new();
    for (what, behaviour) in nonsense(&system) {
        // With two others well, the nonsense of one is nobody's trouble.
        detours[1].behave(behaviour.clone());
        assert_cosigned(&system, &requester);
        if matches!(what, "another key under the name" | "cosignatures of an older head" | "silence") {
            // With one other well, there is no quorum, whatever the nonsense claims.
            detours[2].behave(behaviour);
            accepted.push(assert_accepted(&system, &requester));
            detours[2].behave(Behaviour::Pass);
            system.log.published(system.policy(), accepted.last().unwrap().1 + 1);
        }
    }
    detours[1].behave(Behaviour::Pass);
    assert_recovered(&system, &requester, &accepted, &before);
    // The one that talked nonsense is asked again, and its word is needed as soon as another is away.
    system.witnesses[0].kill();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let statement = statement(&requester);
        if submit(&system, &statement, "cosigned").status.as_u16() == 201 {
            break;
        }
        assert!(Instant::now() < deadline, "the witness that talked nonsense is not asked again");
    }
}
