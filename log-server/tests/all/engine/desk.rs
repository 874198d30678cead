//! A log in a folder of its own, and an issuer who makes statements for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_log::log::{Atomicity, Log, LogConfig, Sequenced};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{LeafHash, TreeSize};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::keyfile;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::{
    Claims, Draft, Kind, Subject, UnixSeconds, Validity, VerifiedStatement,
};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A log in a folder of its own.
pub(crate) struct Founded {
    pub(crate) folder: TempDir,
    pub(crate) key: VerifierKey,
    pub(crate) desk: Desk,
}

/// Founds a log and registers the issuer `desk`, who may do everything but operate.
pub(crate) async fn found() -> Founded {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::new("log.example/engine").unwrap();
    let key = Log::create(folder.path(), &origin, time()).unwrap();
    let desk = Desk::new(0);
    let log = Log::open(config(folder.path(), "quorum none\n")).await.unwrap();
    let operator = keyfile::read_signing_key(&folder.path().join("operator.pem")).unwrap();
    enter(&log, register(&operator, &desk.key)).await;
    log.shutdown().await;
    drop(log);
    Founded { folder, key, desk }
}

impl Founded {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self, policy: &str) -> LogConfig {
        config(self.path(), policy)
    }

    pub(crate) async fn open(&self, policy: &str) -> Arc<Log> {
        Log::open(self.config(policy)).await.unwrap()
    }

    /// A copy of the whole data folder, as a careless operator makes one of a log that is at rest.
    pub(crate) fn copy(&self) -> TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(self.path(), copy.path());
        copy
    }
}

/// Short waits, so that what has to be waited for in a test is.
pub(crate) fn config(data: &Path, policy: &str) -> LogConfig {
    let mut config = LogConfig::new(data, Policy::parse(policy.as_bytes()).unwrap());
    config.witnessing.request_timeout = Duration::from_millis(500);
    config.witnessing.probe_timeout = Duration::from_millis(300);
    config.witnessing.max_backoff = Duration::from_millis(50);
    config.witnessing.patience = Duration::from_millis(400);
    config
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

pub(crate) fn time() -> UnixSeconds {
    UnixSeconds::new(1_790_000_000).unwrap()
}

pub(crate) fn size(size: u64) -> TreeSize {
    TreeSize::new(size).unwrap()
}

/// Submits one statement that must be taken.
pub(crate) async fn enter(log: &Log, statement: VerifiedStatement) -> Sequenced {
    let mut results = log.submit(vec![statement], Atomicity::Each).await.unwrap();
    assert_eq!(results.len(), 1);
    results.remove(0).unwrap()
}

/// An issuer who makes statements, no two of them the same.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) key: SigningKey,
    /// Sets the statements of one desk apart from those of another with the same key.
    series: u64,
    made: AtomicU64,
}

impl Desk {
    pub(crate) fn new(series: u64) -> Self {
        Self { key: SigningKey::from_bytes(&[42; 32]), series, made: AtomicU64::new(0) }
    }

    pub(crate) fn intent(&self, execution: &str) -> VerifiedStatement {
        self.state(Kind::Intent, execution, &request())
    }

    pub(crate) fn authorization(&self, execution: &str, intent: LeafHash) -> VerifiedStatement {
        let mut payload = request();
        payload["refs"] = json!({"intent": intent.to_string()});
        self.state(Kind::Authorization, execution, &payload)
    }

    pub(crate) fn outcome(&self, execution: &str, authorization: LeafHash) -> VerifiedStatement {
        let refs = json!({"authorization": authorization.to_string()});
        self.state(Kind::Outcome, execution, &json!({"status": "confirmed", "refs": refs}))
    }

    pub(crate) fn close(&self, execution: &str) -> VerifiedStatement {
        self.state(Kind::Close, execution, &json!({"entries": 1}))
    }

    /// Makes a statement of any kind about an execution.
    pub(crate) fn state(&self, kind: Kind, execution: &str, payload: &Value) -> VerifiedStatement {
        self.state_about(kind, Subject::Execution(execution.parse().unwrap()), payload)
    }

    /// Makes a statement of any kind about anything.
    pub(crate) fn state_about(&self, kind: Kind, subject: Subject, payload: &Value) -> VerifiedStatement {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.series.to_be_bytes());
        id[8..].copy_from_slice(&self.made.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let validity = (kind == Kind::Authorization).then(|| Validity {
            audience: "desk".parse().unwrap(),
            not_before: time(),
            expires: UnixSeconds::new(time().get() + 60).unwrap(),
        });
        let claims = Claims { issuer: "desk".parse().unwrap(), subject, validity, issued_at: time(), id };
        sign(&self.key, kind, claims, payload)
    }
}

pub(crate) fn request() -> Value {
    let agent = json!({"type": "agent", "id": "a"});
    json!({"subject": agent, "action": {"name": "run"}, "resource": {"type": "command", "id": "true"}})
}

fn register(operator: &SigningKey, desk: &SigningKey) -> VerifiedStatement {
    registration(operator, desk, "active")
}

/// The statement by which the operator revokes the desk's key.
pub(crate) fn revoke(data: &Path, desk: &SigningKey) -> VerifiedStatement {
    let operator = keyfile::read_signing_key(&data.join("operator.pem")).unwrap();
    registration(&operator, desk, "revoked")
}

/// The statement by which the operator registers the desk's key once more.
pub(crate) fn register_again(data: &Path, desk: &SigningKey) -> VerifiedStatement {
    let operator = keyfile::read_signing_key(&data.join("operator.pem")).unwrap();
    registration_with(&operator, desk, "active", [2; 16])
}

fn registration(operator: &SigningKey, desk: &SigningKey, status: &str) -> VerifiedStatement {
    registration_with(operator, desk, status, [1; 16])
}

fn registration_with(
    operator: &SigningKey,
    desk: &SigningKey,
    status: &str,
    id: [u8; 16],
) -> VerifiedStatement {
    let payload = json!({
        "name": "desk",
        "public_key": base64(PublicKey::from(desk).as_bytes()),
        "roles": ["author", "requester", "authority", "enforcer", "overseer"],
        "status": status,
    });
    let claims = Claims {
        issuer: "operator".parse().unwrap(),
        subject: Subject::Issuer("desk".parse().unwrap()),
        validity: None,
        issued_at: time(),
        id,
    };
    sign(operator, Kind::Issuer, claims, &payload)
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn sign(key: &SigningKey, kind: Kind, claims: Claims, payload: &Value) -> VerifiedStatement {
    let draft = Draft::from_json(&PublicKey::from(key), kind, claims, payload.as_object().unwrap()).unwrap();
    draft.sign(key).unwrap()
}
