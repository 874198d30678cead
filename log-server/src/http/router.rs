//! Which request goes where.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, header};
use axum::routing::{MethodRouter, get, post};
use countersign_serving::{Observer, REQUEST_ID, observe};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::cors::{Any, CorsLayer};

use super::app::{App, Options};
use super::catalog::codes;
use super::checkers::Checkers;
use super::metrics;
use super::panicked::panicked;
use super::problem::Refusal;
use super::query::cut;
use super::rate::IssuerRates;
use super::rooms::Rooms;
use super::shelf::Shelf;
use super::{batch, error_pages, health, issuers, openapi, prepare, proofs, reading, submit};
use crate::log::Log;

/// Why a log cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The threads that check signatures could not be started.
    #[error("the threads that check signatures could not be started")]
    Checkers(#[from] std::io::Error),
}

/// One log, ready to be served.
pub struct Front {
    app: Arc<App>,
    observer: Arc<Observer>,
}

impl Front {
    /// Makes everything ready that serving needs. A task on the runtime that this is called on looks after the
    /// figures.
    pub fn start(log: Arc<Log>, options: Options) -> Result<Self, StartError> {
        let observer = Observer::new(run_number(&options), options.ip_rate, options.proxies.clone());
        let app = Arc::new(App {
            checkers: Checkers::start()?,
            rates: IssuerRates::new(options.issuer_rate, options.issuer_burst),
            rooms: Rooms::new(),
            shelf: Shelf::new(),
            figures: metrics::start(),
            statements: metrics::Statements::start(),
            log,
            options,
        });
        tokio::spawn(app.figures.clone().look_after());
        Ok(Self { app, observer: Arc::new(observer) })
    }

    /// What a reader in the same process asks: the checkpoint, tiles and proofs. It is not counted, logged or bounded.
    pub fn reader(&self) -> Router {
        reading().with_state(Arc::clone(&self.app))
    }

    /// Everything that machines use, and the pages behind problem types. All else is refused.
    pub fn router(&self) -> Router {
        self.observed(machines(post(submit::submit)).fallback(not_found))
    }

    /// The same, and all else goes to `pages`.
    pub fn router_with(&self, pages: Router) -> Router {
        // People look at /entries, machines post to it.
        let entries = post(submit::submit).get_service(pages.clone());
        self.observed(machines(entries).fallback_service(pages))
    }

    fn observed(&self, router: Router<Arc<App>>) -> Router {
        let app = Arc::clone(&self.app);
        router
            .method_not_allowed_fallback(method_not_allowed)
            .layer(CatchPanicLayer::custom(panicked))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(&self.observer), observe))
            .with_state(app)
    }
}

impl fmt::Debug for Front {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("options", &self.app.options).finish_non_exhaustive()
    }
}

fn machines(entries: MethodRouter<Arc<App>>) -> Router<Arc<App>> {
    let writing = Router::new()
        .route("/entries", entries)
        .route("/entries/batch", post(batch::submit_batch))
        .route("/statements/prepare", post(prepare::prepare));
    let operating = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::render))
        .route("/errors", get(error_pages::list))
        .route("/errors/{code}", get(error_pages::show));
    writing.merge(operating).merge(reading())
}

fn reading() -> Router<Arc<App>> {
    let everywhere = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER]);
    let bundles = CompressionLayer::new().no_br().no_deflate().no_zstd().quality(CompressionLevel::Fastest);
    Router::new()
        .route("/checkpoint", get(reading::checkpoint))
        .route("/tile/entries/{*rest}", get(reading::tile).layer(bundles))
        .route("/tile/{*rest}", get(reading::tile))
        .route("/proof/inclusion", get(proofs::inclusion))
        .route("/proof/consistency", get(proofs::consistency))
        .route("/issuers/{file}", get(issuers::issuer))
        .route("/openapi.json", get(openapi::document))
        // Within the layer, or what asks whether it may ask would never reach it.
        .method_not_allowed_fallback(method_not_allowed)
        .layer(everywhere)
}

/// Tells the request ids of this run from those of another. It need not be secret, only different.
fn run_number(options: &Options) -> u32 {
    let seconds = (options.clock)().get();
    u32::try_from(seconds & u64::from(u32::MAX)).unwrap_or_default()
}

async fn not_found(request: Request) -> Refusal {
    let detail = format!("found the path {:?}", cut(request.uri().path()));
    Refusal::new(&codes::NOT_FOUND, detail)
}

async fn method_not_allowed(request: Request) -> Refusal {
    let detail =
        format!("found the method {:?} for {:?}", cut(request.method().as_str()), cut(request.uri().path()));
    Refusal::new(&codes::METHOD_NOT_ALLOWED, detail)
}
