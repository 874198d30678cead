//! Where a log is read from: over HTTP, or in memory from a router in the same process.
//!
//! Both answer the same paths with the same bytes, and nothing that either answers is believed here.

use countersign_verifier::causes::with_causes;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tower::ServiceExt as _;
use tower_http::decompression::Decompression;
use url::Url;

/// How long one answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Logs move their tiles to other hosts, but never far.
const MAX_REDIRECTS: usize = 3;

/// Why nothing was read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The log has nothing at this path.
    #[error("the log has nothing at /{0}")]
    NotFound(String),
    /// Another status than 200 and 404.
    #[error("the log answered with status {status} at /{path}, expected 200")]
    Status {
        /// What was asked for.
        path: String,
        /// The status.
        status: u16,
    },
    /// More bytes than anything valid has at this path, decompressed.
    #[error("the answer at /{path} is longer than the {cap} bytes that anything valid has there")]
    TooLarge {
        /// What was asked for.
        path: String,
        /// The most bytes that are read.
        cap: usize,
    },
    /// No whole answer in time.
    #[error("the log did not answer /{path} within {seconds} seconds", seconds = TIMEOUT.as_secs())]
    Timeout {
        /// What was asked for.
        path: String,
    },
    /// The connection failed, or the answer ended or could not be decompressed.
    #[error("the answer at /{path} could not be read: {reason}")]
    Transport {
        /// What was asked for.
        path: String,
        /// What the client library says.
        reason: String,
    },
}

/// A log's public read interface: `/checkpoint` and `/tile/...` (C2SP tlog-tiles).
#[derive(Clone, Debug)]
pub struct Source(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Memory(Decompression<Router>),
    Http { client: reqwest::Client, base: Url },
}

/// Why a log cannot be read over HTTP.
#[derive(Debug, thiserror::Error)]
pub enum SourceUrlError {
    /// Not a URL to append paths to.
    #[error("{0} is not an http or https URL without query and fragment")]
    Url(Url),
    /// The client cannot be set up.
    #[error("the HTTP client cannot be set up")]
    Client(#[from] reqwest::Error),
}

impl Source {
    /// A log in the same process, asked without a network. The router must not lead back to the explorer.
    pub fn memory(log: Router) -> Self {
        Self(Kind::Memory(Decompression::new(log)))
    }

    /// A log under a URL, with or without a slash at its end.
    pub fn http(mut url: Url) -> Result<Self, SourceUrlError> {
        let usable =
            matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
        if !usable {
            return Err(SourceUrlError::Url(url));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let client = reqwest::Client::builder()
            .user_agent(concat!("countersign-explorer/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::limited(MAX_REDIRECTS))
            .build()?;
        Ok(Self(Kind::Http { client, base: url }))
    }

    /// What to put before a path of the log in a link: nothing when log and explorer share an address.
    pub(crate) fn base(&self) -> &str {
        match &self.0 {
            Kind::Memory(_) => "/",
            Kind::Http { base, .. } => base.as_str(),
        }
    }

    /// Whether asking costs nothing worth saving.
    pub(crate) fn is_memory(&self) -> bool {
        matches!(self.0, Kind::Memory(_))
    }

    /// Asks for one resource of at most `cap` bytes. The path has no leading slash.
    pub async fn get(&self, path: &str, cap: usize) -> Result<Bytes, SourceError> {
        let answer = match &self.0 {
            Kind::Memory(log) => tokio::time::timeout(TIMEOUT, from_memory(log.clone(), path, cap)).await,
            Kind::Http { client, base } => {
                tokio::time::timeout(TIMEOUT, from_http(client, base, path, cap)).await
            }
        };
        answer.unwrap_or_else(|_| Err(SourceError::Timeout { path: path.to_owned() }))
    }
}

async fn from_memory(log: Decompression<Router>, path: &str, cap: usize) -> Result<Bytes, SourceError> {
    let request =
        Request::get(format!("/{path}")).header(header::ACCEPT_ENCODING, "identity").body(Body::empty());
    let request = request.map_err(|error| transport(path, &error))?;
    let Ok(response) = log.oneshot(request).await;
    check_status(path, response.status())?;
    let body = Limited::new(response.into_body(), cap).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| {
        if error.is::<LengthLimitError>() { too_large(path, cap) } else { transport(path, error.as_ref()) }
    })
}

async fn from_http(
    client: &reqwest::Client,
    base: &Url,
    path: &str,
    cap: usize,
) -> Result<Bytes, SourceError> {
    let failed = |error: reqwest::Error| {
        if error.is_timeout() {
            SourceError::Timeout { path: path.to_owned() }
        } else {
            // The URL is the operator's own business; the path says enough.
            transport(path, &error.without_url())
        }
    };
    let url = base.join(path).map_err(|error| transport(path, &error))?;
    let mut response = client.get(url).send().await.map_err(failed)?;
    check_status(path, response.status())?;
    // The length that a server announces is that of the compressed answer, if any: what is counted is what arrives.
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if bytes.len().saturating_add(chunk.len()) > cap {
            return Err(too_large(path, cap));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

fn check_status(path: &str, status: StatusCode) -> Result<(), SourceError> {
    match status {
        StatusCode::OK => Ok(()),
        StatusCode::NOT_FOUND | StatusCode::GONE => Err(SourceError::NotFound(path.to_owned())),
        other => Err(SourceError::Status { path: path.to_owned(), status: other.as_u16() }),
    }
}

fn too_large(path: &str, cap: usize) -> SourceError {
    SourceError::TooLarge { path: path.to_owned(), cap }
}

fn transport(path: &str, error: &dyn std::error::Error) -> SourceError {
    SourceError::Transport { path: path.to_owned(), reason: with_causes(error) }
}
