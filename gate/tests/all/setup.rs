//! A folder with keys and a configuration, a log that knows them, and the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use countersign_gate::issuer::Issuer;
use countersign_verifier::program::keyfile;
use countersign_verifier::statement::{Role, Statement};
use ed25519_dalek::SigningKey;
use tempfile::TempDir;

use crate::log::TestLog;
use crate::tree::{OPERATOR_SEED, Tree, issuer};

pub(crate) const PARTIES: [(&str, [u8; 32], &[Role]); 3] = [
    ("requester", [1; 32], &[Role::Requester]),
    ("authority", [2; 32], &[Role::Authority, Role::Author]),
    ("enforcer", [3; 32], &[Role::Enforcer]),
];

pub(crate) struct Setup {
    pub(crate) log: TestLog,
    folder: TempDir,
}

impl Setup {
    /// A log that knows all parties, and a gate that allows `touch` and `sh -c`.
    pub(crate) fn new() -> Self {
        let mut tree = Tree::new();
        let folder = tempfile::tempdir().unwrap();
        for (name, seed, roles) in PARTIES {
            tree.register(name, issuer(name, seed).public_key(), roles);
            keyfile::write_signing_key(
                &folder.path().join(format!("{name}.pem")),
                &SigningKey::from_bytes(&seed),
            )
            .unwrap();
        }
        let operator = SigningKey::from_bytes(&OPERATOR_SEED);
        keyfile::write_signing_key(&folder.path().join("operator.pem"), &operator).unwrap();
        std::fs::write(folder.path().join("trust.policy"), tree.policy()).unwrap();
        let setup = Self { log: TestLog::start(tree), folder };
        setup.configure("");
        setup
    }

    /// Writes the configuration, with `more` at its top.
    pub(crate) fn configure(&self, more: &str) {
        self.configure_for(self.log.url.as_str(), more, r#"[["touch"], ["sh", "-c"]]"#);
    }

    pub(crate) fn configure_for(&self, url: &str, more: &str, allow: &str) {
        let party = |name: &str| format!("[{name}]\nname = \"{name}\"\nkey = \"{name}.pem\"\n");
        let parties = PARTIES.map(|(name, ..)| party(name)).concat();
        let text = format!(
            "{more}\nlog = \"{url}\"\npolicy = \"trust.policy\"\nstate = \"state\"\nallow = {allow}\n\
             [subject]\nid = \"bot\"\n{parties}"
        );
        std::fs::write(self.path("gate.toml"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(arguments).current_dir(self.folder.path());
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_"))
        {
            command.env_remove(name);
        }
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().unwrap()
    }

    /// Runs the gate around a command, as one execution.
    pub(crate) fn run(&self, execution: &str, command: &[&str]) -> Output {
        let gate = ["run", "--config", "gate.toml", "--execution", execution, "--"];
        self.output(&[&gate, command].concat())
    }

    /// The statements of an execution as `kind` or `kind:detail`, in log order.
    pub(crate) fn lineage(&self, execution: &str) -> Vec<String> {
        self.log.execution(execution).iter().map(outline).collect()
    }

    pub(crate) fn journals(&self, folder: &str) -> usize {
        std::fs::read_dir(self.path("state").join(folder)).map_or(0, Iterator::count)
    }
}

/// A statement in two words.
pub(crate) fn outline(statement: &Statement) -> String {
    use countersign_verifier::statement::Payload;
    let detail = match statement.payload() {
        Payload::Decision(decision) => decision.decision.to_string(),
        Payload::Verification(verification) => verification.code.to_string(),
        Payload::Outcome(outcome) => outcome.status.to_string(),
        Payload::Close(close) => close.entries.to_string(),
        _ => return statement.kind().to_string(),
    };
    format!("{}:{detail}", statement.kind())
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
pub(crate) fn assert_code(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}{}", text(&output.stdout), text(&output.stderr));
}

pub(crate) fn party(name: &str) -> Issuer {
    let (_, seed, _) = PARTIES.into_iter().find(|(party, ..)| *party == name).unwrap();
    issuer(name, seed)
}

pub(crate) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
