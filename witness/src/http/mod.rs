//! The routes of a witness, and serving them.
//!
//! | route | what it is |
//! |---|---|
//! | `POST /add-checkpoint` | C2SP tlog-witness |
//! | `GET /<hash of an origin>/checkpoint` | C2SP tlog-witness, the monitoring prefix |
//! | `GET /` | name, key, logs and sizes, for people |
//! | `GET /healthz`, `GET /readyz` | whether it runs, and whether it can do all of its work |
//! | `GET /metrics` | figures, for Prometheus |
//! | `GET /errors`, `GET /errors/<code>` | what the refusals mean |
//!
//! Every refusal is a problem document (RFC 9457), but for 409, whose body tlog-witness prescribes.

mod add_checkpoint;
mod body;
mod catalog;
mod error_pages;
mod health;
mod limits;
mod metrics;
mod monitoring;
mod page;
mod problem;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use countersign_serving::readiness::alive;
use countersign_serving::{Bounds, Observer, observe};
use tower_http::catch_panic::CatchPanicLayer;

pub use health::CODES;
pub use limits::limits;
pub use metrics::FIGURES;

use crate::witness::Witness;
use problem::Problem;

/// What clients may take of a witness, which is asked by few, over connections that they keep. A log that asks
/// every minute closes a connection before the witness does.
pub const BOUNDS: Bounds = Bounds { header: Duration::from_mins(2), ..Bounds::DEFAULT };
/// How long a request may take, from the end of its header to the start of its answer.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// All routes of a witness. A request may take as long as `patience`. A task on the runtime that this is called on
/// looks after the figures.
pub fn router(witness: Arc<Witness>, patience: Duration, observer: Observer) -> Router {
    let figures = metrics::start();
    tokio::spawn(figures.clone().look_after());
    Router::new()
        .route("/", read(get(page::page)))
        .route("/style.css", read(get(page::style)))
        .route("/add-checkpoint", post(add_checkpoint::add_checkpoint).fallback(only_post))
        .route("/{origin_hash}/checkpoint", read(get(monitoring::checkpoint)))
        .route("/healthz", read(get(alive)))
        .route("/readyz", read(get(health::ready)))
        .route("/metrics", read(get(metrics::render)))
        .route("/errors", read(get(error_pages::list)))
        .route("/errors/{code}", read(get(error_pages::one)))
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(Patience(patience), within_bounds))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(Arc::new(observer), observe))
        .layer(Extension(figures))
        .with_state(witness)
}

/// A route for reading, which refuses all other methods.
fn read(route: MethodRouter<Arc<Witness>>) -> MethodRouter<Arc<Witness>> {
    route.fallback(only_get)
}

async fn only_get() -> Response {
    allowing("GET, HEAD")
}

async fn only_post() -> Response {
    allowing("POST")
}

fn allowing(methods: &'static str) -> Response {
    let problem = Problem::new(&catalog::METHOD, format!("expected {methods}"));
    ([(header::ALLOW, methods)], problem).into_response()
}

async fn not_found() -> Problem {
    Problem::new(&catalog::NOT_FOUND, "expected one of the routes that the page at / lists")
}

/// How long a request may take.
#[derive(Debug, Clone, Copy)]
struct Patience(Duration);

/// Ends what takes too long, and says how answers are to be taken.
async fn within_bounds(State(Patience(patience)): State<Patience>, request: Request, next: Next) -> Response {
    let mut response = match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(&catalog::TOO_SLOW, format!("expected the request within {patience:?}"))
            .into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a request ended in a panic");
    Problem::new(&catalog::INTERNAL, "the cause is in the log of the program").into_response()
}

#[cfg(test)]
mod tests;
