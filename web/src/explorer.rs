//! The explorer as a whole: which page is at which address.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::routing::get;
use countersign_verifier::quorum::Policy;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::clock::Clock;
use crate::mirror::{Known, Mirror};
use crate::page::{self, Ask, Refusal, Sentence, codes};
use crate::source::Source;
use crate::{console, entries, executions, figures, health, proof, search, verify};

/// Scripts and styles from this site only, and none inline, so that nothing in an entry can ever run.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                                       connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                                       require-trusted-types-for 'script'";
/// A reader of one log, with its pages. Clones share what they have read.
///
/// It reads `/checkpoint` and `/tile/...` like anybody else. What it shows satisfies the trust policy and leads to a
/// signed head, as far as this machine can tell; a reader who does not trust this machine checks for themselves.
#[derive(Clone, Debug)]
pub struct Explorer {
    mirror: Arc<Mirror>,
}

impl Explorer {
    /// An explorer of the log at `source`. Which heads to believe, `policy` says; of several logs in it, the first
    /// whose head is served is followed from then on.
    pub fn new(source: Source, policy: Policy) -> Self {
        Self::with_clock(source, policy, Clock::system())
    }

    /// The same with another clock. It is only looked at to say how long ago something was.
    pub fn with_clock(source: Source, policy: Policy, clock: Clock) -> Self {
        Self { mirror: Arc::new(Mirror::new(source, policy, clock)) }
    }

    /// Reads the log as it grows, for as long as it is polled. Without it, the log is read when a page is asked for.
    pub async fn follow(self) {
        self.mirror.follow().await;
    }

    /// The pages. Everything else is refused with a page or, for programs, a problem document.
    pub fn router(&self) -> Router {
        let pages = Router::new()
            .route("/", get(console::show))
            .route("/index.json", get(console::show))
            .route("/entries", get(entries::list))
            .route("/entries.json", get(entries::list))
            .route("/entries/{name}", get(entries::show))
            .route("/entries/{index}/{form}", get(proof::show))
            .route("/leaf/{id}", get(search::leaf))
            .route("/executions", get(executions::list))
            .route("/executions.json", get(executions::list))
            .route("/executions/{*id}", get(executions::show))
            .route("/health", get(health::show))
            .route("/health.json", get(health::show))
            .route("/search", get(search::show))
            .route("/search.json", get(search::show))
            .layer(from_fn_with_state(self.clone(), bring_up_to_date))
            .layer(from_fn(figures::measure))
            .route("/assets/{*file}", get(asset))
            .route("/verify", get(verify::show))
            .route("/verify.json", get(verify::show))
            .route("/trust.policy", get(verify::policy))
            .route("/errors/{code}", get(explain))
            .fallback(unknown)
            .method_not_allowed_fallback(read_only)
            .with_state(self.clone());
        let always = |name: HeaderName, value: &'static str| {
            SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
        };
        pages
            .layer(always(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
            .layer(always(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .layer(always(header::REFERRER_POLICY, "no-referrer"))
            .layer(always(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
            .layer(CompressionLayer::new())
    }

    pub(crate) fn mirror(&self) -> &Arc<Mirror> {
        &self.mirror
    }

    /// What is verified so far, unless there is nothing yet.
    pub(crate) fn begun(&self) -> Result<std::sync::RwLockReadGuard<'_, Known>, Refusal> {
        let known = self.mirror.known();
        match Refusal::unless_begun(&known) {
            Some(refusal) => Err(refusal),
            None => Ok(known),
        }
    }

    /// Turns what a page came to into an answer.
    pub(crate) fn answer(&self, ask: &Ask, result: Result<Response<Body>, Refusal>) -> Response<Body> {
        result.unwrap_or_else(|refusal| refusal.respond(ask, &self.mirror.known()))
    }
}

async fn bring_up_to_date(State(explorer): State<Explorer>, request: Request, next: Next) -> Response<Body> {
    explorer.mirror.catch_up().await;
    next.run(request).await
}

async fn asset(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    match page::serve_asset(&ask) {
        Some(response) => response,
        None => unknown(State(explorer), ask).await,
    }
}

async fn explain(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let code = ask.path.trim_start_matches("/errors/");
    let explanation =
        page::Explanation::find(&explorer.mirror.known(), code.strip_suffix(".json").unwrap_or(code));
    match explanation {
        Some(explanation) => page::page(&ask, page::Cache::Moment, &explanation, &explanation),
        None => unknown(State(explorer), ask).await,
    }
}

async fn read_only(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let detail = Sentence::default().value(&ask.path).words(" is only for reading.");
    explorer.answer(&ask, Err(Refusal::new(&codes::PAGE_READ_ONLY, detail).or("/", "First page")))
}

pub(crate) async fn unknown(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let detail = Sentence::of("Nothing is at ").value(&ask.path).words(".");
    let refusal =
        Refusal::new(&codes::PAGE_UNKNOWN, detail).or("/", "First page").or("/entries", "All entries");
    explorer.answer(&ask, Err(refusal))
}
