//! `countersign-explorer`: a stranger's pages about a log that it reads over the network and does not believe.

use std::time::{Duration, Instant};

use countersign_tests::harness::{Process, Program, System, execution, get, register};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::proof::TlogProof;
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::detour::{Behaviour, Detour};
use crate::parties::Parties;
use crate::submitting::{Taken, json, submit};

/// An explorer of a system's log, over whatever stands before it.
pub(crate) struct Explorer {
    pub(crate) url: String,
    _process: Process,
}

impl Explorer {
    pub(crate) fn start(system: &System, log: &str, expected: &[&str]) -> Self {
        let policy = system.policy_file();
        let args = ["--log", log, "--policy", policy.to_str().unwrap(), "--listen", "127.0.0.1:0"];
        let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
        let mut process = Process::start(Program::Explorer, args, "explorer", &expected);
        Self { url: process.url().unwrap(), _process: process }
    }

    fn health(&self) -> Value {
        json(&get(&self.url, "/health.json"))
    }

    /// Waits until the explorer is in this state, and returns its health.
    #[track_caller]
    pub(crate) fn wait_for(&self, state: &str, size: u64) -> Value {
        self.wait(state, |health| health["state"] == state && health["read_up_to"].as_u64() >= Some(size))
    }

    #[track_caller]
    fn wait(&self, what: &str, arrived: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let health = self.health();
            if arrived(&health) {
                return health;
            }
            assert!(Instant::now() < deadline, "the explorer does not come to {what}: {health}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asserts that an entry is shown as it is, or that it is said that the log does not give it out any more.
    #[track_caller]
    fn assert_shows_or_nothing(&self, entry: &Taken) {
        let answer = get(&self.url, &format!("/entries/{}.cose", entry.index));
        match answer.status.as_u16() {
            200 => assert_eq!(answer.body, entry.bytes),
            status => assert_eq!(status, 502, "{}", String::from_utf8_lossy(&answer.body)),
        }
    }

    /// Asserts that it says of itself that it is not ready, for this reason, or that it is.
    #[track_caller]
    fn assert_ready_but_for(&self, reason: Option<&str>) {
        let answer = get(&self.url, "/readyz");
        let document: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(document["reasons"][0]["code"].as_str(), reason, "{document}");
        assert_eq!(answer.status.as_u16(), if reason.is_none() { 200 } else { 503 });
        assert_eq!(self.figure("countersign_ready"), u64::from(reason.is_none()));
        if let Some(reason) = reason {
            assert_eq!(self.figure(&format!("countersign_not_ready{{reason=\"{reason}\"}}")), 1);
        }
    }

    /// The value of a figure that counts something.
    #[track_caller]
    fn figure(&self, name: &str) -> u64 {
        let text = String::from_utf8(get(&self.url, "/metrics").body.to_vec()).unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
    }

    fn status(&self, path: &str) -> u16 {
        get(&self.url, path).status.as_u16()
    }
}

fn intent(system: &System, requester: &Issuer) -> Taken {
    let id = execution("explorer");
    submit(system, requester.state(Kind::Intent, &id, None, Value::Object(request())).unwrap())
}

#[test]
fn a_stranger_sees_the_same_log() {
    let system = System::start();
    let lineage = Parties::register(&system).execute(&system, "stranger");
    let explorer = Explorer::start(&system, system.log.url(), &[]);
    explorer.wait_for("following", system.size());
    for (kind, taken) in lineage.entries() {
        let index = taken.index;
        assert_eq!(get(&explorer.url, &format!("/entries/{index}.cose")).body, taken.bytes, "{kind}");
        let proof = get(&explorer.url, &format!("/entries/{index}.tlog-proof")).body;
        TlogProof::parse(&proof).unwrap().verify(taken.id(), system.policy()).unwrap();
        let (here, there) = (explorer.url.as_str(), system.log.url());
        let [here, there] = [here, there].map(|url| json(&get(url, &format!("/entries/{index}.json"))));
        assert_eq!(here, there, "{kind}");
    }
    assert_eq!(explorer.status(&format!("/executions/{}", lineage.id)), 200);
    explorer.assert_ready_but_for(None);
    assert_eq!(explorer.figure("countersign_mirror_lag_entries"), 0);
    assert_eq!(explorer.figure("countersign_mirror_contradictions"), 0);
    assert!(explorer.figure("countersign_mirror_entries") >= 6);
    assert!(explorer.figure("countersign_page_seconds_count{page=\"/entries/{name}\"}") >= 18);
    // What is added later is there soon.
    let later = intent(&system, &register(&system, "later", &["requester"]));
    explorer.wait_for("following", later.index + 1);
    assert_eq!(get(&explorer.url, &format!("/entries/{}.cose", later.index)).body, later.bytes);
}

#[test]
fn lies_are_not_repeated() {
    let system = System::start();
    let requester = register(&system, "requester", &["requester"]);
    for lie in ["/tile/entries/", "/checkpoint"] {
        let detour = Detour::before(system.log.url(), Behaviour::Pass);
        let expected =
            ["the log contradicts itself", "the log cannot be followed", "could not be read for a page"];
        let explorer = Explorer::start(&system, &detour.url(), &expected);
        let shown = intent(&system, &requester);
        explorer.wait_for("following", shown.index + 1);
        detour.behave(Behaviour::Corrupt(lie));
        let hidden = intent(&system, &requester);
        explorer.wait(lie, |health| health["state"] == "contradiction" || health["state"] == "unreadable");
        // What it had verified it goes on showing, as far as the log still gives it out unchanged; and nothing else.
        explorer.assert_shows_or_nothing(&shown);
        assert_eq!(explorer.status(&format!("/entries/{}", hidden.index)), 404, "{lie}");
        assert_eq!(explorer.status(&format!("/entries/{}.cose", hidden.index)), 404, "{lie}");
        detour.behave(Behaviour::Pass);
        explorer.wait("the truth", |health| health["read_up_to"].as_u64() > Some(hidden.index));
        assert_eq!(
            get(&explorer.url, &format!("/entries/{}.cose", hidden.index)).body,
            hidden.bytes,
            "{lie}"
        );
    }
}

#[test]
fn an_older_head_is_noticed_and_not_believed() {
    let system = System::start();
    let requester = register(&system, "requester", &["requester"]);
    let older = get(system.log.url(), "/checkpoint").body;
    let detour = Detour::before(system.log.url(), Behaviour::Pass);
    let explorer = Explorer::start(&system, &detour.url(), &["the log cannot be followed"]);
    let newest = intent(&system, &requester);
    explorer.wait_for("following", newest.index + 1);
    detour.behave(Behaviour::Replay("/checkpoint", older));
    let health = explorer.wait_for("unreadable", newest.index + 1);
    assert!(health["summary"].to_string().contains("older head"), "{health}");
    explorer.assert_ready_but_for(Some("log-not-followed"));
    assert_eq!(explorer.status(&format!("/entries/{}", newest.index)), 200);
    detour.behave(Behaviour::Pass);
    explorer.wait_for("following", newest.index + 1);
}

#[test]
fn two_histories_of_one_log_are_a_contradiction_for_ever() {
    let mut system = System::start();
    let requester = register(&system, "requester", &["requester"]);
    // Log and witnesses conspire: the same keys sign two trees.
    let other = system.fork();
    let (shown, hidden) = (intent(&system, &requester), intent(&other, &requester));
    assert_eq!(shown.index, hidden.index);
    let detour = Detour::before(system.log.url(), Behaviour::Pass);
    let expected = ["the log contradicts itself", "could not be read for a page"];
    let explorer = Explorer::start(&system, &detour.url(), &expected);
    explorer.wait_for("following", shown.index + 1);
    detour.behave(Behaviour::Elsewhere(other.log.url().parse().unwrap()));
    let health = explorer.wait_for("contradiction", shown.index + 1);
    let evidence = health["contradictions"].as_array().unwrap();
    assert_eq!(evidence.len(), 1, "{health}");
    let note = |log: &System| String::from_utf8(get(log.log.url(), "/checkpoint").body.to_vec()).unwrap();
    let root = |note: &str| note.lines().nth(2).unwrap().to_owned();
    let kept = evidence[0].to_string();
    assert!(kept.contains(&root(&note(&system))) && kept.contains(&root(&note(&other))), "{kept}");
    explorer.assert_shows_or_nothing(&shown);
    // That the log shows the first history again does not make it undone.
    detour.behave(Behaviour::Pass);
    std::thread::sleep(Duration::from_millis(1_500));
    explorer.wait_for("contradiction", shown.index + 1);
    explorer.assert_ready_but_for(Some("log-contradicts-itself"));
    assert_eq!(explorer.figure("countersign_mirror_contradictions"), 1);
}
