//! A witness in the test's own process: it speaks the protocol of C2SP tlog-witness and cosigns for real, as long as
//! it is told to behave.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use countersign_verifier::checkpoint::LogSigned;
use countersign_verifier::cosignature::{Timestamp, cosign};
use countersign_verifier::merkle::{RootHash, TreeSize, verify_consistency};
use countersign_verifier::note::{KeyName, NoteSigner, VerifierKey};
use countersign_verifier::witnessing::{AddCheckpoint, SIZE_CONTENT_TYPE};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How a witness behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Honest,
    /// Honest, but late.
    Slow(Duration),
    /// Cosigns for another tree than it was asked for.
    FalseCosignature,
    /// Answers 200 with something that is no signature line.
    Garbage,
    /// Answers 200 with more than anybody should read.
    Endless,
    /// Answers with an error of its own.
    Broken,
    /// Names a size at random in every answer, never that which it stands at.
    Slippery,
    /// Says that it has cosigned this size, and shows nothing for it.
    Claims(u64),
    /// Says that it has cosigned one entry more than the head that it is asked for has, when the log has that one, too.
    Ahead,
    /// Honest, but without the monitoring side.
    Unmonitored,
    /// Answers everything with this status, as what stands before a witness may.
    Answers(u16),
}

/// What a witness has cosigned.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) size: TreeSize,
    pub(crate) root: RootHash,
    pub(crate) note: String,
}

#[derive(Debug)]
struct Inner {
    log: VerifierKey,
    signer: NoteSigner,
    mood: Mutex<Mood>,
    seen: Mutex<Option<Seen>>,
    /// What the monitoring side shows instead.
    late: Mutex<Option<Seen>>,
    /// All that it ever cosigned.
    cosigned: Mutex<Vec<(TreeSize, RootHash)>>,
    conflicts: AtomicUsize,
    requests: AtomicUsize,
    clock: AtomicU64,
}

#[derive(Debug)]
pub(crate) struct TestWitness {
    name: String,
    address: String,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

impl Drop for TestWitness {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl TestWitness {
    pub(crate) async fn start(name: &str, log: &VerifierKey) -> Self {
        let seed = [name.bytes().fold(7, u8::wrapping_add); 32];
        let key_name = KeyName::new(&format!("{name}.example")).unwrap();
        let inner = Arc::new(Inner {
            log: log.clone(),
            signer: NoteSigner::from_seed(key_name, true, &seed),
            mood: Mutex::new(Mood::Honest),
            seen: Mutex::new(None),
            late: Mutex::new(None),
            cosigned: Mutex::default(),
            conflicts: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            clock: AtomicU64::new(1_790_000_000),
        });
        let router = Router::new()
            .route("/w/add-checkpoint", post(add_checkpoint))
            .route("/w/{origin}/checkpoint", get(monitoring))
            .with_state(Arc::clone(&inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { name: name.to_owned(), address, inner, server }
    }

    /// Its line in a policy.
    pub(crate) fn policy_line(&self) -> String {
        format!("witness {} {} http://{}/w/\n", self.name, self.inner.signer.verifier(), self.address)
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.inner.mood.lock().unwrap() = mood;
    }

    pub(crate) fn seen(&self) -> Option<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// Every head that it ever cosigned.
    pub(crate) fn cosigned(&self) -> Vec<(TreeSize, RootHash)> {
        self.inner.cosigned.lock().unwrap().clone()
    }

    /// Puts an older state back, as from a backup.
    pub(crate) fn restore(&self, seen: Option<Seen>) {
        *self.inner.seen.lock().unwrap() = seen;
    }

    /// Has the monitoring side show this from now on, as it may for an hour (C2SP tlog-witness).
    pub(crate) fn show(&self, late: Option<Seen>) {
        *self.inner.late.lock().unwrap() = late;
    }

    /// How often it answered that it stands at another size.
    pub(crate) fn conflicts(&self) -> usize {
        self.inner.conflicts.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> usize {
        self.inner.requests.load(Ordering::SeqCst)
    }
}

/// A policy that needs `threshold` of the witnesses.
pub(crate) fn policy(threshold: usize, witnesses: &[&TestWitness]) -> String {
    let lines: String = witnesses.iter().map(|witness| witness.policy_line()).collect();
    let names: Vec<&str> = witnesses.iter().map(|witness| witness.name.as_str()).collect();
    format!("{lines}group g {threshold} {}\nquorum g\n", names.join(" "))
}

fn conflict(size: impl std::fmt::Display) -> Response {
    (StatusCode::CONFLICT, [(header::CONTENT_TYPE, SIZE_CONTENT_TYPE)], format!("{size}\n")).into_response()
}

fn answers(status: u16) -> Response {
    (StatusCode::from_u16(status).unwrap(), "not now\n").into_response()
}

async fn add_checkpoint(State(witness): State<Arc<Inner>>, body: Bytes) -> Response {
    let request_number = witness.requests.fetch_add(1, Ordering::SeqCst);
    let mood = *witness.mood.lock().unwrap();
    match mood {
        Mood::Slow(wait) => tokio::time::sleep(wait).await,
        Mood::Garbage => return "\u{2014} not a signature\n".into_response(),
        Mood::Endless => return vec![b'x'; 4 << 20].into_response(),
        Mood::Broken => return (StatusCode::INTERNAL_SERVER_ERROR, "\x1b[31mout of order").into_response(),
        Mood::Slippery => return conflict(request_number % 2),
        Mood::Claims(size) => return conflict(size),
        Mood::Answers(status) => return answers(status),
        Mood::Ahead => tokio::time::sleep(Duration::from_millis(5)).await,
        Mood::Honest | Mood::FalseCosignature | Mood::Unmonitored => {}
    }
    let request = AddCheckpoint::parse(&body).unwrap();
    let signed = LogSigned::open(&request.checkpoint, std::slice::from_ref(&witness.log)).unwrap();
    let head = signed.checkpoint();
    if mood == Mood::Ahead {
        return conflict(head.size.get() + 1);
    }
    let mut seen = witness.seen.lock().unwrap();
    let (old_size, old_root) =
        seen.as_ref().map_or((TreeSize::EMPTY, RootHash::empty()), |seen| (seen.size, seen.root));
    if request.old != old_size {
        witness.conflicts.fetch_add(1, Ordering::SeqCst);
        return conflict(old_size);
    }
    if verify_consistency(old_size, old_root, head.size, head.root, &request.proof).is_err() {
        return (StatusCode::UNPROCESSABLE_ENTITY, "the proof does not hold\n").into_response();
    }
    let time = Timestamp::new(witness.clock.fetch_add(1, Ordering::SeqCst)).unwrap();
    if mood == Mood::FalseCosignature {
        let mut other = head.clone();
        other.root = RootHash::from_bytes([9; 32]);
        return cosign(&other, time, &witness.signer).unwrap().to_string().into_response();
    }
    let line = cosign(head, time, &witness.signer).unwrap().to_string();
    witness.cosigned.lock().unwrap().push((head.size, head.root));
    *seen = Some(Seen { size: head.size, root: head.root, note: format!("{}{line}", signed.to_note()) });
    line.into_response()
}

async fn monitoring(State(witness): State<Arc<Inner>>) -> Response {
    match *witness.mood.lock().unwrap() {
        Mood::Unmonitored | Mood::Claims(_) | Mood::Broken => return StatusCode::NOT_FOUND.into_response(),
        Mood::Answers(status) => return answers(status),
        _ => {}
    }
    let late = witness.late.lock().unwrap().clone();
    let seen = late.or_else(|| witness.seen.lock().unwrap().clone());
    seen.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |seen| seen.note.into_response())
}
