//! The requests themselves, with a bound on everything that comes back.

use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::{Body, StatusCode};
use url::Url;

use super::error::SubmitError;
use super::receipt::Wait;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a log may take beyond what the caller has patience for, so that its own answer arrives first.
const GRACE: Duration = Duration::from_secs(10);
/// The longest that one request may take.
const LONGEST: Duration = Duration::from_mins(10);
/// How large an answer for one statement may be: two copies of a checkpoint, a proof, and words.
const MAX_ANSWER: usize = 1024 * 1024;

/// What of a batch the log takes when it refuses a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Atomicity {
    /// Every statement for itself.
    Each,
    /// Nothing, unless it takes everything.
    AllOrNone,
}

/// A connection pool to one log.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    base: Url,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    /// In how many seconds to come back, if the log says so.
    pub(super) retry_after: Option<Duration>,
    pub(super) location: Option<String>,
    pub(super) body: Vec<u8>,
    /// The address that relative ones in the body are relative to.
    pub(super) base: Url,
}

impl Http {
    pub(super) fn new(base: &Url) -> Result<Self, SubmitError> {
        let mut base = base.clone();
        if base.cannot_be_a_base() || !matches!(base.scheme(), "http" | "https") {
            return Err(SubmitError::Address(base.to_string()));
        }
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(SubmitError::Unreachable)?;
        Ok(Self { client, base })
    }

    pub(super) fn base(&self) -> &Url {
        &self.base
    }

    pub(super) async fn post_entry(
        &self,
        statement: &[u8],
        wait: Wait,
        limit: Duration,
    ) -> Result<Response, SubmitError> {
        self.post("entries", "application/cose", statement.to_vec().into(), wait, limit, MAX_ANSWER).await
    }

    /// A CBOR sequence (RFC 8742) is its items one after the other.
    pub(super) async fn post_batch(
        &self,
        statements: &[&[u8]],
        wait: Wait,
        atomicity: Atomicity,
        limit: Duration,
    ) -> Result<Response, SubmitError> {
        let most = statements.len().saturating_mul(MAX_ANSWER / 8).max(MAX_ANSWER);
        let path = match atomicity {
            Atomicity::Each => "entries/batch",
            Atomicity::AllOrNone => "entries/batch?atomic=true",
        };
        self.post(path, "application/cbor-seq", statements.concat().into(), wait, limit, most).await
    }

    pub(super) async fn get_issuer(&self, name: &str) -> Result<Response, SubmitError> {
        let mut url = self.join("issuers")?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(&format!("{name}.json"));
        }
        let request = self.client.get(url).header(ACCEPT, "application/json").timeout(GRACE);
        read(request, &self.base, MAX_ANSWER).await
    }

    pub(super) async fn get(&self, path: &str, accept: &str) -> Result<Response, SubmitError> {
        let request = self.client.get(self.join(path)?).header(ACCEPT, accept).timeout(GRACE);
        read(request, &self.base, MAX_ANSWER).await
    }

    async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: Body,
        wait: Wait,
        limit: Duration,
        most: usize,
    ) -> Result<Response, SubmitError> {
        let mut url = self.join(path)?;
        url.query_pairs_mut().append_pair("wait", wait.as_str());
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, content_type)
            .header(ACCEPT, "application/json")
            .timeout(limit.saturating_add(GRACE).min(LONGEST))
            .body(body);
        read(request, &self.base, most).await
    }

    fn join(&self, path: &str) -> Result<Url, SubmitError> {
        self.base.join(path).map_err(|_| SubmitError::Address(self.base.to_string()))
    }
}

async fn read(request: reqwest::RequestBuilder, base: &Url, most: usize) -> Result<Response, SubmitError> {
    let mut response = request.send().await.map_err(SubmitError::Unreachable)?;
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let retry_after = header(RETRY_AFTER).and_then(|value| value.parse().ok()).map(Duration::from_secs);
    let (status, location) = (response.status(), header(LOCATION));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(SubmitError::Unreachable)? {
        if body.len().saturating_add(chunk.len()) > most {
            return Err(SubmitError::TooLarge { most });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, retry_after, location, body, base: base.clone() })
}
