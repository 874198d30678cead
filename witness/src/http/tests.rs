use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::note::KeyName;
use countersign_verifier::witnessing::{AddCheckpoint, MAX_REQUEST_BYTES};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use countersign_serving::Proxies;

use super::*;
use crate::folder::Folder;
use crate::roster::{self, Entry};
use crate::testing::{StoppedClock, log, proof, signed};

const ORIGIN: &str = "log.example/<b>\"bold\"";

struct Fixture {
    _folder: tempfile::TempDir,
    router: Router,
}

fn observer() -> Observer {
    Observer::new(0, None, Proxies::default())
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Fixture {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(temporary.path().join("witness"), None);
        let key = folder.init(&KeyName::new("w.example").unwrap()).unwrap();
        let watched = Entry {
            key: log(ORIGIN).verifier().clone(),
            origin: Origin::new(ORIGIN).unwrap(),
            per_day: NonZeroU32::new(1),
            contact: None,
        };
        roster::add(&folder.logs(), &key, vec![watched], false).unwrap();
        let witness = Witness::open(&folder, StoppedClock::at(1_000)).unwrap();
        Self { _folder: temporary, router: router(Arc::new(witness), Duration::from_millis(200), observer()) }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    async fn ask(&self, method: Method, path: &str, body: impl Into<Body>) -> Answer {
        self.send(Request::builder().method(method).uri(path).body(body.into()).unwrap()).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, Body::empty()).await
    }

    async fn add(&self, old: u64, new: u64) -> Answer {
        let request = AddCheckpoint {
            old: countersign_verifier::merkle::TreeSize::new(old).unwrap(),
            proof: proof(old, new),
            checkpoint: signed(&log(ORIGIN), new).to_note(),
        };
        self.ask(Method::POST, "/add-checkpoint", request.to_string()).await
    }
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the problem document that this is.
    fn problem(&self) -> String {
        assert_eq!(self.header(header::CONTENT_TYPE), "application/problem+json");
        let document: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(document["status"], self.status.as_u16());
        assert!(!document["detail"].as_str().unwrap().is_empty());
        document["type"].as_str().unwrap().strip_prefix("/errors/").unwrap().to_owned()
    }
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_by_name() {
    let fixture = Fixture::new();
    for (method, path, allowed) in [
        (Method::GET, "/add-checkpoint", "POST"),
        (Method::PUT, "/add-checkpoint", "POST"),
        (Method::POST, "/", "GET, HEAD"),
        (Method::DELETE, "/readyz", "GET, HEAD"),
        (Method::POST, "/ab/checkpoint", "GET, HEAD"),
    ] {
        let answer = fixture.ask(method, path, Body::empty()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().as_str()),
            (405, "method-not-allowed"),
            "{path}"
        );
        assert_eq!(answer.header(header::ALLOW), allowed);
    }
    for path in ["/nowhere", "/add-checkpoint/", "/a/b/checkpoint", "/errors/none-such"] {
        assert_eq!(fixture.get(path).await.problem(), "not-found", "{path}");
    }
    assert_eq!(fixture.get("/%ff/checkpoint").await.status.as_u16() / 100, 4);
}

#[tokio::test]
async fn bodies_are_bounded_in_size_and_time() {
    let fixture = Fixture::new();
    let exactly = fixture.ask(Method::POST, "/add-checkpoint", "a".repeat(MAX_REQUEST_BYTES)).await;
    assert_eq!(exactly.problem(), "malformed-request");
    let larger = fixture.ask(Method::POST, "/add-checkpoint", "a".repeat(MAX_REQUEST_BYTES + 1)).await;
    assert_eq!((larger.status.as_u16(), larger.problem().as_str()), (413, "request-too-large"));
    let expecting = Request::post("/add-checkpoint")
        .header(header::EXPECT, "100-continue")
        .header(header::CONTENT_LENGTH, MAX_REQUEST_BYTES + 1)
        .body(Body::new(Never))
        .unwrap();
    assert_eq!(fixture.send(expecting).await.problem(), "request-too-large");
    let slow = fixture.ask(Method::POST, "/add-checkpoint", Body::new(Never)).await;
    assert_eq!((slow.status.as_u16(), slow.problem().as_str()), (408, "request-too-slow"));
}

/// A body of which nothing ever comes.
struct Never;

impl hyper::body::Body for Never {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        Poll::Pending
    }
}

#[tokio::test]
async fn every_refusal_has_a_page() {
    let fixture = Fixture::new();
    for sort in catalog::all() {
        let answer = fixture.get(&catalog::uri(sort)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer.body.contains(sort.code) && answer.header(header::CONTENT_TYPE).starts_with("text/html")
        );
        assert!(answer.header(header::CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"));
    }
    let all = fixture.get("/errors").await.body;
    assert!(catalog::all().all(|sort| all.contains(sort.code)));
}

#[tokio::test]
async fn a_head_is_cosigned_shown_and_counted() {
    let fixture = Fixture::new();
    let hash = Origin::new(ORIGIN).unwrap().hash();
    let monitoring = format!("/{hash}/checkpoint");
    assert_eq!(fixture.get(&monitoring).await.problem(), "not-cosigned-yet");
    let page = fixture.get("/").await.body;
    assert!(page.contains("nothing cosigned yet") && page.contains("w.example+"));
    assert!(!page.contains("<b>"), "an origin is text, not markup");

    let cosigned = fixture.add(0, 3).await;
    assert_eq!(cosigned.status, StatusCode::OK);
    let shown = fixture.get(&monitoring).await;
    assert_eq!(shown.body, format!("{}{}", signed(&log(ORIGIN), 3).to_note(), cosigned.body));
    assert_eq!(shown.header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
    assert_eq!(shown.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    assert!(fixture.get("/").await.body.contains(&monitoring));

    let conflict = fixture.add(0, 5).await;
    assert_eq!((conflict.status.as_u16(), conflict.body.as_str()), (409, "3\n"));
    assert_eq!(conflict.header(header::CONTENT_TYPE), "text/x.tlog.size");
    let too_many = fixture.add(3, 5).await;
    assert_eq!((too_many.status.as_u16(), too_many.problem().as_str()), (429, "too-many-requests"));
    let wait: u64 = too_many.header(header::RETRY_AFTER).parse().unwrap();
    assert_eq!(wait, 24 * 60 * 60);
}

#[tokio::test]
async fn health_is_told_to_machines() {
    let fixture = Fixture::new();
    assert_eq!(fixture.get("/healthz").await.body, "ok\n");
    let ready = fixture.get("/readyz").await;
    assert_eq!((ready.status, ready.body.as_str()), (StatusCode::OK, "{\"ready\":true,\"reasons\":[]}"));
    assert_eq!(ready.header(header::CACHE_CONTROL), "no-store");
    let head = fixture.ask(Method::HEAD, "/", Body::empty()).await;
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
}
