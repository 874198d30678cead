//! A log behind its router, in a folder of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use countersign_log::http::{Front, Options};
use countersign_log::log::{Log, LogConfig};
use countersign_log::store::{RocksStore, Store};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::keyfile;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::UnixSeconds;
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::statements::{NOW, Signer};

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The code of the problem that the answer must be.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16(), "{document}");
        assert!(document["title"].is_string() && document["detail"].is_string(), "{document}");
        document["type"].as_str().unwrap().strip_prefix("/errors/").unwrap().to_owned()
    }
}

/// A founded log that nobody has opened yet.
pub(crate) struct Ground {
    pub(crate) folder: TempDir,
    pub(crate) key: VerifierKey,
}

/// A log behind its router. `desk` may do everything but operate.
pub(crate) struct Served {
    pub(crate) ground: Ground,
    pub(crate) log: Arc<Log>,
    pub(crate) front: Front,
    pub(crate) router: Router,
    pub(crate) operator: Signer,
    pub(crate) desk: Signer,
    now: Arc<AtomicU64>,
}

/// What a test may set.
pub(crate) struct Setting {
    pub(crate) policy: String,
    pub(crate) wait: Duration,
    pub(crate) body: Duration,
    pub(crate) issuer_rate: Option<u32>,
    pub(crate) queue: Option<usize>,
}

impl Default for Setting {
    fn default() -> Self {
        let (wait, body) = (Duration::from_secs(10), Duration::from_secs(10));
        Self { policy: "quorum none\n".to_owned(), wait, body, issuer_rate: None, queue: None }
    }
}

const EVERYTHING: &[&str] = &["author", "requester", "authority", "enforcer", "overseer"];

impl Ground {
    pub(crate) fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let origin = Origin::new("log.example/http").unwrap();
        let key = Log::create(folder.path(), &origin, UnixSeconds::new(NOW).unwrap()).unwrap();
        Self { folder, key }
    }

    pub(crate) fn store(&self) -> RocksStore {
        RocksStore::open(&self.folder.path().join("db")).unwrap()
    }

    fn config(&self, setting: &Setting) -> LogConfig {
        let policy = Policy::parse(setting.policy.as_bytes()).unwrap();
        let mut config = LogConfig::new(self.folder.path(), policy);
        config.witnessing.request_timeout = Duration::from_millis(500);
        config.witnessing.probe_timeout = Duration::from_millis(300);
        config.witnessing.max_backoff = Duration::from_millis(50);
        config.witnessing.patience = Duration::from_millis(200);
        if let Some(statements) = setting.queue {
            config.queue.statements = statements;
        }
        config
    }
}

impl Served {
    /// A log without witnesses.
    pub(crate) async fn start() -> Self {
        let served = Self::with(Ground::found(), Setting::default()).await;
        served.register(&served.desk, EVERYTHING).await;
        served
    }

    pub(crate) async fn with(ground: Ground, setting: Setting) -> Self {
        let log = Log::open(ground.config(&setting)).await.unwrap();
        Self::serve(ground, &setting, log)
    }

    /// On a store that a test has its hands on.
    pub(crate) async fn on(ground: Ground, setting: Setting, store: Arc<dyn Store>) -> Self {
        let log = Log::open_on(ground.config(&setting), store).await.unwrap();
        Self::serve(ground, &setting, log)
    }

    fn serve(ground: Ground, setting: &Setting, log: Arc<Log>) -> Self {
        let now = Arc::new(AtomicU64::new(NOW));
        let clock = Arc::clone(&now);
        let mut options =
            Options::new(Arc::new(move || UnixSeconds::new(clock.load(Ordering::SeqCst)).unwrap()));
        options.wait = setting.wait;
        options.body = setting.body;
        options.issuer_rate = setting.issuer_rate;
        let front = Front::start(Arc::clone(&log), options).unwrap();
        let router = front.router();
        let operator = operator(ground.folder.path());
        Self { ground, log, front, router, operator, desk: Signer::new("desk", 42), now }
    }

    /// Waits until the newest entry is published.
    pub(crate) async fn published(&self) {
        let size = self.log.sequenced_head().checkpoint.size;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        self.log.wait_cosigned(size, deadline).await.unwrap();
    }

    /// Moves the server's clock.
    pub(crate) fn at(&self, seconds: u64) {
        self.now.store(seconds, Ordering::SeqCst);
    }

    /// How many entries the log has.
    pub(crate) fn size(&self) -> u64 {
        self.log.sequenced_head().checkpoint.size.get()
    }

    pub(crate) async fn register(&self, signer: &Signer, roles: &[&str]) {
        let answer = self.cose(self.operator.registration(signer, roles, "active"), "?wait=sequenced").await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send(self.router.clone(), request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send(Request::get(path).header("accept", accept).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        post(self.router.clone(), path, content_type, body).await
    }

    pub(crate) async fn cose(&self, statement: Vec<u8>, query: &str) -> Answer {
        self.post(&format!("/entries{query}"), "application/cose", statement).await
    }

    pub(crate) async fn json(&self, form: &Value) -> Answer {
        self.post("/entries", "application/json", form.to_string()).await
    }

    pub(crate) async fn batch(&self, statements: &[Vec<u8>], query: &str) -> Answer {
        self.post(&format!("/entries/batch{query}"), "application/cbor-seq", statements.concat()).await
    }

    /// Submits a statement that must be taken, and returns its entry id.
    pub(crate) async fn enter(&self, statement: Vec<u8>) -> String {
        let answer = self.cose(statement, "?wait=sequenced").await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["entry"].as_str().unwrap().to_owned()
    }
}

async fn send(router: Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body }
}

/// Posts to a router, also from another task.
pub(crate) async fn post(router: Router, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    let request = Request::builder().method(Method::POST).uri(path).header("content-type", content_type);
    send(router, request.body(body.into()).unwrap()).await
}

fn operator(folder: &Path) -> Signer {
    let key = keyfile::read_signing_key(&folder.join("operator.pem")).unwrap();
    Signer { name: "operator".to_owned(), key }
}
