//! What can stand between a server and whoever asks it: nothing, delay, silence, nonsense, lies.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use countersign_tests::client::{Address, Client};
use tokio::runtime::Runtime;

/// No body of a test is larger.
const LARGEST: usize = 16 << 20;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// It is passed on.
    Pass,
    /// It is passed on, and the answer is held back.
    Delay(Duration),
    /// It is never answered.
    Hang,
    /// It goes to another server.
    Elsewhere(Address),
    /// It is passed on if it submits something, and goes to another server if it reads.
    ReadElsewhere(Address),
    /// What is submitted to `/add` is passed on to `/entries`, and of the answer only the index comes back, as Tessera's
    /// server does it. The rest is passed on.
    Numbers,
    /// It is passed on, and one bit is changed in answers to paths that begin with this.
    Corrupt(&'static str),
    /// It is answered with this, if the path is this one, and passed on otherwise.
    Replay(&'static str, Bytes),
    /// It is answered with this, whatever it is.
    Answer(u16, &'static str, Vec<u8>),
}

/// A server before another, that runs until it is dropped.
pub(crate) struct Detour {
    url: String,
    behaviour: Arc<Mutex<Behaviour>>,
    _runtime: Runtime,
}

struct Shared {
    behaviour: Arc<Mutex<Behaviour>>,
    to: Address,
}

impl Detour {
    /// Stands before the server at `to`.
    pub(crate) fn before(to: &str, behaviour: Behaviour) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let behaviour = Arc::new(Mutex::new(behaviour));
        let shared = Arc::new(Shared { behaviour: Arc::clone(&behaviour), to: to.parse().unwrap() });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(shared);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, behaviour, _runtime: runtime }
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// Behaves otherwise from now on.
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let behaviour = shared.behaviour.lock().unwrap().clone();
    match behaviour {
        Behaviour::Delay(delay) => {
            let answer = pass(&shared.to, request).await;
            tokio::time::sleep(delay).await;
            answer
        }
        Behaviour::Elsewhere(to) => pass(&to, request).await,
        Behaviour::ReadElsewhere(to) if request.method() == Method::GET => pass(&to, request).await,
        Behaviour::Numbers if request.uri().path() == "/add" => number(&shared.to, request).await,
        Behaviour::Corrupt(prefix) => {
            let hit = request.uri().path().starts_with(prefix);
            let answer = pass(&shared.to, request).await;
            if hit { corrupt(answer).await } else { answer }
        }
        Behaviour::Replay(path, body) if request.uri().path() == path => respond(200, "text/plain", body),
        Behaviour::Pass | Behaviour::Replay(..) | Behaviour::ReadElsewhere(_) | Behaviour::Numbers => {
            pass(&shared.to, request).await
        }
        Behaviour::Hang => std::future::pending().await,
        Behaviour::Answer(status, content_type, body) => respond(status, content_type, body.into()),
    }
}

async fn number(to: &Address, request: Request) -> Response {
    let body = to_bytes(request.into_body(), LARGEST).await.unwrap_or_default();
    let answer =
        Client::new(to.clone()).post("/entries?wait=sequenced", "application/cose", body).await.unwrap();
    let index = serde_json::from_slice::<serde_json::Value>(&answer.body).unwrap()["index"].to_string();
    respond(if answer.status.is_success() { 200 } else { 500 }, "text/plain", index.into())
}

async fn corrupt(answer: Response) -> Response {
    let (head, body) = answer.into_parts();
    let mut bytes = to_bytes(body, LARGEST).await.unwrap_or_default().to_vec();
    // So far before the end is an entry or a signature, and not a length or a line feed.
    if let Some(byte) = bytes.len().checked_sub(33).and_then(|at| bytes.get_mut(at)) {
        *byte ^= 1;
    }
    Response::from_parts(head, Body::from(bytes))
}

async fn pass(to: &Address, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, LARGEST).await.unwrap_or_default();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
    let headers: Vec<(&str, &str)> = content_type.into_iter().map(|value| ("content-type", value)).collect();
    match Client::new(to.clone()).send(head.method, &path, &headers, body).await {
        Ok(answer) => {
            let content_type = answer.header("content-type").unwrap_or("text/plain").to_owned();
            respond(answer.status.as_u16(), &content_type, answer.body)
        }
        Err(error) => respond(502, "text/plain", error.to_string().into()),
    }
}

fn respond(status: u16, content_type: &str, body: Bytes) -> Response {
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("content-type", content_type)
        .body(Body::from(body))
        .unwrap()
}
