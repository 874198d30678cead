//! The routes of a decision point.
//!
//! | route | what it is |
//! |---|---|
//! | `POST /access/v1/evaluation` | one decision |
//! | `POST /access/v1/evaluations` | several, with defaults and an order |
//! | `GET /.well-known/authzen-configuration` | where these are |
//! | `GET /healthz`, `GET /readyz` | whether it runs, and whether it can decide |
//! | `GET /metrics` | figures, for Prometheus |
//!
//! A denial is 200 with `{"decision": false}`. Refusals of requests are a status and one sentence, as `AuthZEN` has it, but
//! for those of the door, which are problem documents as those of all servers here.

mod access;
mod body;
mod figures;
mod health;
mod host;
mod limits;
mod refusal;

use std::any::Any;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Json, Router};
use countersign_serving::readiness::alive;
use countersign_serving::{Bounds, Observer, REQUEST_ID, observe};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use url::Url;

pub use figures::FIGURES;
pub(super) use figures::{DECISION_SECONDS, DECISIONS};
pub use health::CODES;
pub use limits::limits;

use super::point::DecisionPoint;
use super::token::Token;
use health::Health;
use host::Host;
use refusal::Refusal;

/// What clients may take of a decision point.
pub const BOUNDS: Bounds = Bounds::DEFAULT;

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";

/// What all requests share.
#[derive(Debug)]
struct Desk {
    point: Arc<DecisionPoint>,
    token: Option<Token>,
    /// By which names it is known to those who need no token.
    hosts: Vec<Host>,
    /// How many decisions more may be under way.
    room: Semaphore,
    configuration: Value,
    health: Health,
}

/// All routes of a decision point that is known to its callers as `url`. Who has no `token` is let in only if there is none.
/// A task on the runtime that this is called on looks after the figures.
pub fn router(
    point: Arc<DecisionPoint>,
    token: Option<Token>,
    url: &Url,
    max_decisions: usize,
    observer: Observer,
) -> Router {
    let figures = figures::start();
    tokio::spawn(figures.clone().look_after());
    let desk = Arc::new(Desk {
        point,
        token,
        hosts: Host::here().into_iter().chain(Host::of(url)).collect(),
        room: Semaphore::new(max_decisions),
        configuration: configuration(url),
        health: Health::default(),
    });
    Router::new()
        .route(EVALUATION, post(access::evaluation).fallback(only_post))
        .route(EVALUATIONS, post(access::evaluations).fallback(only_post))
        .route("/.well-known/authzen-configuration", read(get(configured)))
        .route("/healthz", read(get(alive)))
        .route("/readyz", read(get(health::ready)))
        .route("/metrics", read(get(figures::render)))
        .fallback(async || Refusal::NotFound)
        .layer(middleware::map_response(hardened))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(Arc::new(observer), observe))
        .layer(middleware::from_fn(echo_request_id))
        .layer(Extension(figures))
        .with_state(desk)
}

/// A route for reading, which refuses all other methods.
fn read(route: MethodRouter<Arc<Desk>>) -> MethodRouter<Arc<Desk>> {
    route.fallback(async || Refusal::Method("GET, HEAD"))
}

async fn only_post() -> Refusal {
    Refusal::Method("POST")
}

/// The metadata of section 9 of the specification. `policy_decision_point` is the address that callers use, or they have to
/// refuse it.
fn configuration(url: &Url) -> Value {
    let base = url.as_str().trim_end_matches('/');
    json!({
        "policy_decision_point": base,
        "access_evaluation_endpoint": format!("{base}{EVALUATION}"),
        "access_evaluations_endpoint": format!("{base}{EVALUATIONS}"),
    })
}

async fn configured(State(desk): State<Arc<Desk>>) -> Response {
    ([(header::CACHE_CONTROL, "max-age=300")], Json(&desk.configuration)).into_response()
}

/// Decisions are for who asked, and for now.
async fn hardened(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The id in the log file, where the answer has the caller's in its own place.
const OWN_REQUEST_ID: HeaderName = HeaderName::from_static("x-countersign-request-id");

/// The answer carries the id that the caller gave its request, and the one in the log file beside it.
async fn echo_request_id(request: Request, next: Next) -> Response {
    let given = request.headers().get(REQUEST_ID).cloned();
    let mut response = next.run(request).await;
    if let Some(given) = given
        && let Some(own) = response.headers_mut().insert(REQUEST_ID, given)
    {
        response.headers_mut().insert(OWN_REQUEST_ID, own);
    }
    response
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request ended in a panic");
    Refusal::Internal.into_response()
}
