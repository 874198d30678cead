//! `countersign run`: no proof, no run.

use std::path::{Path, PathBuf};

use countersign_tests::harness::{Program, Ran, Setup, System, get, run};
use serde_json::Value;

use crate::submitting::json;

/// A gate with its own issuers, in front of a log.
pub(crate) struct Gate {
    pub(crate) system: System,
    pub(crate) config: PathBuf,
}

impl Gate {
    /// Registers the three parties and writes the configuration: `touch` and `false` may run, nothing else.
    pub(crate) fn start() -> Self {
        let setup = Setup {
            log_flags: vec!["--wait-timeout", "1s"],
            log_warnings: vec!["the witness does not cosign"],
            ..Setup::default()
        };
        let system = System::start_with(&setup);
        let folder = system.folder().join("gate");
        std::fs::create_dir(&folder).unwrap();
        keys_of_parties(&system, &folder);
        let (config, policy) = (folder.join("gate.toml"), system.policy_file());
        let party = |name: &str| format!("[{name}]\nname = \"{name}\"\nkey = \"{name}.pem\"\n");
        let parties = ["requester", "authority", "enforcer"].map(party).concat();
        let text = format!(
            "log = \"{}\"\npolicy = {policy:?}\nstate = \"state\"\nallow = [[\"touch\"], [\"false\"]]\n\n\
             [subject]\nid = \"test-agent\"\n\n{parties}",
            system.log.url(),
        );
        std::fs::write(&config, text).unwrap();
        Self { system, config }
    }

    pub(crate) fn run(&self, execution: &str, command: &[&str]) -> Ran {
        let config = self.config.to_str().unwrap();
        let args = ["run", "--config", config, "--execution", execution, "--"];
        run(Program::Countersign, args.iter().chain(command))
    }

    /// Puts `first` before all that is configured, and `last` after it.
    pub(crate) fn configure(&self, first: &str, last: &str) {
        let config = std::fs::read_to_string(&self.config).unwrap();
        std::fs::write(&self.config, format!("{first}\n{config}\n{last}")).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.system.folder().join(name)
    }

    /// What the log has of an execution: each kind with what it says, in the order of the log.
    pub(crate) fn recorded(&self, execution: &str) -> Vec<(String, Value)> {
        let url = self.system.log.url();
        let answer = get(url, &format!("/executions/{execution}.json"));
        assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
        let execution = json(&answer);
        let steps = execution["steps"].as_array().unwrap().iter();
        let indexes = steps.filter_map(|step| step["entry"]["index"].as_u64());
        let entries = indexes.map(|index| json(&get(url, &format!("/entries/{index}.json"))));
        entries.map(|entry| (entry["kind"].as_str().unwrap().to_owned(), entry["payload"].clone())).collect()
    }
}

/// Makes a key for each of the three parties in `folder`, and registers it.
pub(crate) fn keys_of_parties(system: &System, folder: &Path) {
    let operator = system.log.data().join("operator.pem");
    let policy = system.policy_file();
    for (party, roles) in
        [("requester", "requester"), ("authority", "author,authority"), ("enforcer", "enforcer")]
    {
        let key = folder.join(format!("{party}.pem"));
        run(Program::Countersign, ["keygen".as_ref(), "--out".as_ref(), key.as_os_str()]).holds();
        run(
            Program::Countersign,
            [
                "issuer",
                "add",
                "--log",
                system.log.url(),
                "--operator-key",
                operator.to_str().unwrap(),
                "--name",
                party,
                "--public-key",
                key.with_extension("pub").to_str().unwrap(),
                "--roles",
                roles,
                "--policy",
                policy.to_str().unwrap(),
            ],
        )
        .holds();
    }
}

/// What the outcome among the recorded statements says.
#[track_caller]
pub(crate) fn outcome(recorded: &[(String, Value)]) -> &str {
    let (_, payload) = recorded.iter().find(|(kind, _)| kind == "outcome").unwrap();
    payload["status"].as_str().unwrap()
}

#[track_caller]
pub(crate) fn assert_kinds(recorded: &[(String, Value)], expected: &[&str]) {
    let kinds: Vec<&str> = recorded.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, expected, "{recorded:#?}");
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn what_is_allowed_runs_and_what_became_of_it_is_on_record() {
    let gate = Gate::start();
    let made = gate.file("made");
    gate.run("gate/allowed", &["touch", text(&made)]).holds();
    assert!(made.exists());
    let recorded = gate.recorded("gate/allowed");
    assert_kinds(&recorded, &["intent", "decision", "authorization", "verification", "outcome", "close"]);
    assert_eq!(outcome(&recorded), "confirmed");

    // A command that fails has run, and its exit code is the gate's.
    let failed = gate.run("gate/fails", &["false"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let recorded = gate.recorded("gate/fails");
    assert_kinds(&recorded, &["intent", "decision", "authorization", "verification", "outcome", "close"]);
    assert_eq!(outcome(&recorded), "failed");
}

#[test]
fn what_is_refused_never_runs_and_the_refusal_is_on_record() {
    let gate = Gate::start();
    let made = gate.file("made");
    let refused = gate.run("gate/refused", &["cp", "/etc/hostname", text(&made)]);
    assert_eq!(refused.code, Some(126), "{refused:?}");
    assert!(!made.exists());
    let recorded = gate.recorded("gate/refused");
    assert_eq!(outcome(&recorded), "not_executed");
    assert!(
        recorded.iter().any(|(kind, says)| kind == "decision" && says["decision"] == "deny"),
        "{recorded:#?}"
    );
    assert!(recorded.iter().all(|(kind, _)| kind != "authorization"), "{recorded:#?}");
    // An execution happens once.
    gate.run("gate/once", &["touch", text(&gate.file("one"))]).holds();
    let again = gate.run("gate/once", &["touch", text(&gate.file("two"))]);
    assert_ne!(again.code, Some(0), "{again:?}");
    assert!(!gate.file("two").exists());
}

#[test]
fn without_the_log_or_its_quorum_nothing_runs() {
    let mut gate = Gate::start();
    let made = gate.file("made");
    gate.system.log.stop();
    let denied = gate.run("gate/no-log", &["touch", text(&made)]);
    assert_ne!(denied.code, Some(0), "{denied:?}");
    assert!(!made.exists(), "a command ran without the log");
    gate.system.log.start();

    // A log that takes statements and has no quorum is not enough either.
    gate.system.witnesses[0].kill();
    gate.system.witnesses[1].kill();
    let config = std::fs::read_to_string(&gate.config).unwrap();
    assert!(!config.contains("mode"), "cosigned is what a gate asks for unless told otherwise");
    let denied = gate.run("gate/no-quorum", &["touch", text(&made)]);
    assert_ne!(denied.code, Some(0), "{denied:?}");
    assert!(!made.exists(), "a command ran without a quorum");

    // When all are back, so is the gate; what it could not record before, it records now.
    gate.system.witnesses[0].start();
    gate.system.witnesses[1].start();
    gate.system.log.published(gate.system.policy(), gate.system.size());
    gate.run("gate/back", &["touch", text(&made)]).holds();
    assert!(made.exists());
    let recorded = gate.recorded("gate/no-quorum");
    assert_eq!(outcome(&recorded), "not_executed");
    assert!(
        recorded.iter().all(|(kind, says)| kind != "verification" || says["result"] == "fail"),
        "{recorded:#?}"
    );
}
