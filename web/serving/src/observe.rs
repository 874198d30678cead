//! Around every request: an id, a span, figures, and the rate of its network.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;
use tracing::field::Empty;

use crate::answered::Answered;
use crate::forwarded::Proxies;
use crate::network::Network;
use crate::problem;
use crate::rate::Rates;

/// The header that carries the id of a request in its answer. The server makes it; one that a client sends is not
/// looked at.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Where the connection of a request comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// How much of a path stands in the log.
const MAX_PATH: usize = 256;

/// What is known of all requests of a server.
#[derive(Debug)]
pub struct Observer {
    /// Tells the ids of this run from those of another.
    run: u32,
    next: AtomicU64,
    rates: Option<Rates>,
    proxies: Proxies,
    answered: Answered,
}

impl Observer {
    /// Gives out ids of one run, which has a number of its own, and lets each network make so many requests a second.
    pub fn new(run: u32, rate: Option<NonZeroU32>, proxies: Proxies) -> Self {
        Self {
            run,
            next: AtomicU64::new(1),
            rates: rate.map(Rates::new),
            proxies,
            answered: Answered::default(),
        }
    }

    fn id(&self) -> String {
        format!("{:08x}-{:x}", self.run, self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// By what a request is held to limits by address. Requests within this machine are not held to any.
    fn network(&self, request: &Request) -> Option<Network> {
        let Peer(peer) = request.extensions().get()?;
        Some(Network::from(self.proxies.client(*peer, request.headers())))
            .filter(|network| !network.is_here())
    }

    /// Takes a request from the rate of its network.
    fn admit(&self, network: Option<Network>) -> Result<(), (u32, Duration)> {
        self.rates
            .as_ref()
            .zip(network)
            .map_or(Ok(()), |(rates, network)| rates.take(network).map_err(|wait| (rates.per_second(), wait)))
    }
}

/// Names the request, counts it, and writes one line about it. A layer of axum.
///
/// Handlers find the [`Network`] in the request's extensions, unless the client is on this machine, and may record `issuer` and `index` in the span that is current while they run: of what was checked, never of
/// what a client claims.
pub async fn observe(State(observer): State<Arc<Observer>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let network = observer.network(&request);
    if let Some(network) = network {
        request.extensions_mut().insert(network);
    }
    let id = observer.id();
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    let path = request.uri().path();
    let path = path.get(..path.floor_char_boundary(MAX_PATH)).unwrap_or_default();
    let span = tracing::info_span!(
        "request",
        id,
        method,
        route,
        path,
        issuer = Empty,
        index = Empty,
        status = Empty
    );
    let mut response = match observer.admit(network) {
        Ok(()) => next.run(request).instrument(span.clone()).await,
        Err((per_second, wait)) => problem::too_many_requests(per_second, wait),
    };
    let status = response.status();
    let elapsed = started.elapsed();
    observer.answered.count(route, method, status, elapsed);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    span.record("status", status.as_u16());
    span.in_scope(|| {
        // Other refusals, also those under pressure, are for the client to know and for the figures to count.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::warn!(target: "request", micros, "answered");
        } else {
            tracing::debug!(target: "request", micros, "answered");
        }
    });
    response
}

/// Methods come from outside, and a label with values from outside would let anybody fill the memory.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
