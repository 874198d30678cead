//! A decision point under test.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use countersign_tests::client::Answer;
use countersign_tests::harness::{Process, Program, Setup, System, get, post, request, run};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::proof::TlogProof;
use countersign_verifier::statement::{Kind, Payload, Statement};
use hyper::Method;
use serde_json::{Value, json};

use crate::gate::keys_of_parties;
use crate::submitting::json;

/// Whoever reads may; who owns may write, but nothing that is archived unless as an administrator; what was deleted softly
/// can be brought back.
pub(crate) const POLICIES: &str = r#"
@id("reading")
permit (principal, action == Action::"read", resource);

@id("owners")
permit (principal, action == Action::"write", resource)
when { resource has owner && resource.owner == principal };

@id("archived")
forbid (principal, action == Action::"write", resource)
when { resource has status && resource.status == "archived" }
unless { principal has role && principal.role == "admin" };

@id("soft-deletion")
permit (principal, action == Action::"delete", resource)
when {
    resource has owner && resource.owner == principal &&
    context has action_properties && context.action_properties has soft && context.action_properties.soft
};
"#;

/// What is stored: whose the record is.
pub(crate) fn entities() -> Value {
    json!([{
        "uid": { "type": "record", "id": "record-1" },
        "attrs": { "owner": { "__entity": { "type": "user", "id": "alice" } } },
        "parents": [],
    }])
}

/// A decision point, its log, and what it may warn of.
pub(crate) struct Point {
    pub(crate) system: System,
    pub(crate) url: String,
    folder: PathBuf,
    process: Option<Process>,
    expected: Vec<String>,
}

impl Point {
    pub(crate) fn start() -> Self {
        let mut point = Self::prepare("");
        point.serve();
        point
    }

    /// Registers the parties, and writes a configuration with `more` in its table.
    pub(crate) fn prepare(more: &str) -> Self {
        let setup = Setup {
            log_flags: vec!["--wait-timeout", "1s"],
            log_warnings: vec!["the witness does not cosign"],
            ..Setup::default()
        };
        let system = System::start_with(&setup);
        let folder = system.folder().join("decide");
        std::fs::create_dir(&folder).unwrap();
        keys_of_parties(&system, &folder);
        std::fs::write(folder.join("access.cedar"), POLICIES).unwrap();
        std::fs::write(folder.join("entities.json"), entities().to_string()).unwrap();
        let point = Self { system, url: String::new(), folder, process: None, expected: Vec::new() };
        point.configure(more);
        point
    }

    pub(crate) fn configure(&self, more: &str) {
        self.configure_all("", more);
    }

    /// The same, with `top` before all tables.
    pub(crate) fn configure_all(&self, top: &str, more: &str) {
        let party = |name: &str| format!("[{name}]\nname = \"{name}\"\nkey = \"{name}.pem\"\n");
        let timeout = if more.contains("timeout_seconds") { "" } else { "timeout_seconds = 5\n" };
        let text = format!(
            "{top}\nlog = \"{}\"\npolicy = {:?}\nstate = \"state\"\naudience = \"enforcer\"\n{}{}\n[decide]\n\
             policies = [\"access.cedar\"]\nentities = \"entities.json\"\n{timeout}{more}\n",
            self.system.log.url(),
            self.system.policy_file(),
            party("requester"),
            party("authority"),
        );
        std::fs::write(self.file("decide.toml"), text).unwrap();
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// From the next start on, lines with `text` in them may warn.
    pub(crate) fn expect_warning(&mut self, text: &str) {
        self.expected.push(text.to_owned());
    }

    pub(crate) fn args(&self, listen: &str) -> Vec<String> {
        let config = self.file("decide.toml");
        let args = ["decide", "--config", config.to_str().unwrap(), "--listen", listen];
        args.map(str::to_owned).to_vec()
    }

    pub(crate) fn serve(&mut self) {
        let listen = self.url.strip_prefix("http://").unwrap_or("127.0.0.1:0");
        let mut process =
            Process::start(Program::Countersign, self.args(listen), "decision point", &self.expected);
        // The line before says so as well, of the same address.
        self.url = process.url().unwrap();
        self.process = Some(process);
        if self.expected.is_empty() {
            self.wait_until_ready();
        }
    }

    /// Waits until decisions can be made.
    #[track_caller]
    pub(crate) fn wait_until_ready(&self) {
        self.wait_until_it_says(&[]);
    }

    /// How many entries are published, once it is those that a log begins with here: genesis, three parties and the policy.
    #[track_caller]
    pub(crate) fn size(&self) -> u64 {
        self.system.log.published(self.system.policy(), 5).checkpoint().size.get()
    }

    /// Waits until it is not ready for exactly these reasons. What it found out counts for two seconds.
    #[track_caller]
    pub(crate) fn wait_until_it_says(&self, expected: &[&str]) {
        let mut found = Vec::new();
        for _ in 0..600 {
            let answer = get(&self.url, "/readyz");
            assert_eq!(answer.status.as_u16() == 200, json(&answer)["ready"] == true);
            let reasons = json(&answer)["reasons"].as_array().unwrap().clone();
            found = reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect();
            if found == expected {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("not ready for {found:?}: {}", self.output());
    }

    pub(crate) fn output(&self) -> String {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }

    pub(crate) fn process(&mut self) -> Process {
        self.process.take().unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        post(&self.url, path, "application/json", body.to_string())
    }

    /// With more headers.
    pub(crate) fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        request(&self.url, method, path, headers, Bytes::from(body.to_owned())).unwrap()
    }

    /// Asks for one decision, and expects one.
    #[track_caller]
    pub(crate) fn evaluate(&self, body: &Value) -> Value {
        let answer = self.post("/access/v1/evaluation", body);
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status.as_u16(), 200, "{text}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let answer = json(&answer);
        assert!(answer["decision"].is_boolean(), "{text}");
        answer
    }

    /// What the auditor's program says of an execution, decisions replayed: the exit code and the report.
    #[track_caller]
    pub(crate) fn audit(&self, execution: &str) -> (Option<i32>, Value) {
        let file = self.file("execution.bundle");
        std::fs::write(&file, self.read(&format!("/executions/{execution}.bundle"))).unwrap();
        let policy = self.system.policy_file();
        let args =
            ["bundle", "--policy", policy.to_str().unwrap(), "--replay", "--json", file.to_str().unwrap()];
        let ran = run(Program::Verify, args);
        (ran.code, serde_json::from_str(&ran.stdout).unwrap())
    }

    /// What the log shows at a path, which may be what is not cosigned yet: denials do not wait for that.
    #[track_caller]
    fn read(&self, path: &str) -> Bytes {
        let mut answer = get(self.system.log.url(), path);
        for _ in 0..600 {
            if answer.status.as_u16() == 200 {
                return answer.body;
            }
            std::thread::sleep(Duration::from_millis(50));
            answer = get(self.system.log.url(), path);
        }
        panic!("{path}: {}", String::from_utf8_lossy(&answer.body));
    }

    /// The entry of the log at an index.
    #[track_caller]
    pub(crate) fn statement(&self, index: &Value) -> Statement {
        Statement::parse(&self.read(&format!("/entries/{index}.cose"))).unwrap()
    }

    /// Holds a permission against the log as an enforcement point would: from its bytes and its proof alone.
    #[track_caller]
    pub(crate) fn authorization(&self, answer: &Value) -> Statement {
        let authorization = &answer["context"]["authorization"];
        let bytes = STANDARD.decode(authorization["statement"].as_str().unwrap()).unwrap();
        let proof = TlogProof::parse(authorization["proof"].as_str().unwrap().as_bytes()).unwrap();
        let included = proof.verify(LeafHash::of(&bytes), self.system.policy()).unwrap();
        assert_eq!(Some(included.index().get()), authorization["index"].as_u64());
        let statement = Statement::parse(&bytes).unwrap();
        assert_eq!(statement.kind(), Kind::Authorization);
        statement
    }

    /// Expects a denial in doubt, with this reason, that is not on record.
    #[track_caller]
    pub(crate) fn denied_in_doubt(&self, body: &Value, reason: &str) -> Value {
        let answer = self.evaluate(body);
        assert_eq!(answer["decision"], false, "{answer:#}");
        assert_eq!(
            (&answer["context"]["reason"], &answer["context"]["recorded"]),
            (&json!(reason), &json!(false)),
            "{answer:#}"
        );
        answer
    }
}

/// May this user do this to that record?
pub(crate) fn asked(user: &str, action: &str, record: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": user },
        "action": { "name": action },
        "resource": { "type": "record", "id": record },
    })
}

/// The same, with an object put in at a place.
pub(crate) fn with(mut asked: Value, member: &str, name: &str, value: Value) -> Value {
    asked[member][name] = value;
    asked
}

/// What a decision says.
#[track_caller]
pub(crate) fn decided(statement: &Statement) -> &countersign_verifier::statement::payload::Decision {
    match statement.payload() {
        Payload::Decision(decision) => decision,
        other => panic!("{other:?}"),
    }
}
