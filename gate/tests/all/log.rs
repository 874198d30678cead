//! The tree behind the submission interface, on a real socket, with faults to order.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash};
use countersign_verifier::statement::{KeyThumbprint, Kind, Role, Statement};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use url::Url;

use crate::tree::{Tree, note_signer, now};

/// What the log does wrong, for statements of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// No witness answers, so that nothing is ever cosigned.
    NoWitness,
    /// One witness answers, which is less than the quorum, and the log serves the head nevertheless.
    OneWitness,
    /// The proof is that of the entry before.
    OtherProof,
    /// The answer names another entry.
    OtherEntry,
    /// The head is signed by another key under the log's name.
    OtherLog,
    /// The log has no room.
    Busy,
    /// It has stopped, and does not say what became of the statement.
    Stopped,
    /// The log has no room at the first attempt only.
    BusyOnce,
    /// The log refuses.
    Refuse,
    /// The statement goes into the tree, and the answer is lost.
    AnswerLost,
}

pub(crate) struct Inner {
    pub(crate) tree: Tree,
    pub(crate) fault: Option<(Option<Kind>, Fault)>,
    pub(crate) requests: usize,
}

/// A running log. It stops when dropped.
pub(crate) struct TestLog {
    pub(crate) url: Url,
    inner: Arc<Mutex<Inner>>,
    _runtime: Runtime,
}

impl TestLog {
    pub(crate) fn start(tree: Tree) -> Self {
        let inner = Arc::new(Mutex::new(Inner { tree, fault: None, requests: 0 }));
        let router = Router::new()
            .route("/entries", post(single))
            .route("/entries/batch", post(batch))
            .route("/issuers/{file}", get(issuers))
            .with_state(inner.clone());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, inner, _runtime: runtime }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(crate) fn fail(&self, kind: Option<Kind>, fault: Fault) {
        self.lock().fault = Some((kind, fault));
    }

    pub(crate) fn mend(&self) {
        self.lock().fault = None;
    }

    /// The statements of an execution, in log order.
    pub(crate) fn execution(&self, id: &str) -> Vec<Statement> {
        let inner = self.lock();
        let of_it = |one: &&Statement| one.execution().is_some_and(|execution| execution.as_str() == id);
        inner.tree.entries.iter().filter(of_it).cloned().collect()
    }
}

type Shared = State<Arc<Mutex<Inner>>>;
type Parameters = Query<BTreeMap<String, String>>;

fn problem(status: u16, code: &str, detail: &str) -> Value {
    json!({ "type": format!("/errors/{code}"), "title": code, "status": status, "detail": detail })
}

fn respond(status: u16, body: &Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::RETRY_AFTER, retry_after(body))];
    (StatusCode::from_u16(status).unwrap(), headers, body.to_string()).into_response()
}

/// Nobody in a test waits for a minute; whoever is told to gives up at once.
fn retry_after(body: &Value) -> &'static str {
    let told_once = body["title"] == "busy-once" || body[0]["title"] == "busy-once";
    if told_once { "0" } else { "60" }
}

async fn single(State(inner): Shared, Query(parameters): Parameters, body: Bytes) -> Response {
    let mut inner = inner.lock().unwrap();
    let Some((status, answer)) = take(&mut inner, &body, &parameters) else {
        return Response::builder().status(200).body("{".into()).unwrap();
    };
    respond(status, &answer)
}

async fn batch(State(inner): Shared, Query(parameters): Parameters, body: Bytes) -> Response {
    let mut inner = inner.lock().unwrap();
    let mut rest = &body[..];
    let mut answers = Vec::new();
    let (before, entries) = (inner.tree.state.clone(), inner.tree.entries.len());
    while !rest.is_empty() {
        // Each statement is one item; the shortest beginning that is a statement is it.
        let length = (1..=rest.len()).find(|length| Statement::parse(&rest[..*length]).is_ok()).unwrap();
        let Some((_, answer)) = take(&mut inner, &rest[..length], &parameters) else {
            return Response::builder().status(200).body("[".into()).unwrap();
        };
        answers.push(answer);
        rest = &rest[length..];
    }
    let refused = answers.iter().position(|answer| answer["type"].is_string());
    if parameters.get("atomic").is_some_and(|atomic| atomic == "true")
        && let Some(refused) = refused
    {
        inner.tree.state = before;
        inner.tree.entries.truncate(entries);
        for (at, answer) in answers.iter_mut().enumerate() {
            if at != refused {
                *answer = problem(409, "batch-refused", "not because of this one");
            }
        }
    }
    respond(200, &Value::Array(answers))
}

fn take(inner: &mut Inner, bytes: &[u8], parameters: &BTreeMap<String, String>) -> Option<(u16, Value)> {
    inner.requests += 1;
    let statement = match Statement::parse(bytes) {
        Ok(statement) => statement,
        Err(error) => return Some((400, problem(400, error.code(), &error.to_string()))),
    };
    let concerned = inner.fault.filter(|(kind, _)| kind.is_none_or(|kind| kind == statement.kind()));
    let fault = concerned.map(|(_, fault)| fault);
    match fault {
        Some(Fault::Busy) => return Some((503, problem(503, "overloaded", "no room"))),
        Some(Fault::Stopped) => return Some((503, problem(503, "log-stopped", "it signs nothing"))),
        Some(Fault::BusyOnce) => {
            inner.fault = None;
            return Some((429, problem(429, "busy-once", "no room")));
        }
        Some(Fault::Refuse) => return Some((403, problem(403, "role-missing", "not by you\u{1b}[2J"))),
        _ => {}
    }
    let entry = LeafHash::of(bytes);
    let known = inner.tree.find(entry);
    let index = match known {
        Some(index) => index,
        None if statement.claims().issued_at.get().abs_diff(now().get()) > 300 => {
            return Some((400, problem(400, "clock-skew", "iat is not now")));
        }
        None => match inner.tree.append(&statement) {
            Ok(index) => index,
            Err((code, detail)) => return Some((409, problem(409, code, &detail))),
        },
    };
    if fault == Some(Fault::AnswerLost) {
        return None;
    }
    let cosigned = parameters.get("wait").is_none_or(|wait| wait == "cosigned");
    if cosigned && fault == Some(Fault::NoWitness) {
        return Some((202, json!({ "index": index.get(), "entry": entry.to_string() })));
    }
    let witnesses = match fault {
        _ if !cosigned => 0,
        Some(Fault::OneWitness) => 1,
        _ => 2,
    };
    let proven =
        if fault == Some(Fault::OtherProof) { LeafIndex::new(index.get() - 1).unwrap() } else { index };
    let mut proof = inner.tree.proof(proven, witnesses);
    proof.index = index;
    if fault == Some(Fault::OtherLog) {
        let impostor = note_signer(crate::tree::ORIGIN, false, 66);
        proof.checkpoint = countersign_verifier::checkpoint::Checkpoint::parse(proof.checkpoint.text())
            .unwrap()
            .sign(&impostor);
    }
    let stated = if fault == Some(Fault::OtherEntry) { LeafHash::of(b"another") } else { entry };
    let answer = json!({
        "index": index.get(),
        "entry": stated.to_string(),
        "checkpoint": proof.checkpoint.to_string(),
        "inclusion": proof.hashes.iter().map(NodeHash::to_base64).collect::<Vec<_>>(),
        "proof": proof.to_string(),
    });
    Some((if known.is_some() { 200 } else { 201 }, answer))
}

async fn issuers(State(inner): Shared, Path(file): Path<String>) -> Response {
    let inner = inner.lock().unwrap();
    let name = file.strip_suffix(".json").unwrap();
    let mut keys: Vec<_> = inner.tree.state.issuers().filter(|(key, _)| key.name.as_str() == name).collect();
    keys.sort_by_key(|(_, record)| record.index);
    if keys.is_empty() {
        return respond(404, &problem(404, "issuer-not-found", "no issuer of this name"));
    }
    let listed = keys.iter().map(|(_, record)| {
        json!({
            "public_key": STANDARD.encode(record.public_key.as_bytes()),
            "kid": KeyThumbprint::of(&record.public_key).to_string(),
            "roles": record.roles.iter().map(Role::as_str).collect::<Vec<_>>(),
            "status": record.status.as_str(),
            "index": record.index.get(),
        })
    });
    respond(200, &json!({ "name": name, "keys": listed.collect::<Vec<_>>() }))
}
