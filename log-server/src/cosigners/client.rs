//! Talking to witnesses (C2SP tlog-witness). Everything that comes back is bounded in size and in time.

use std::error::Error;
use std::time::Duration;

use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::{MAX_NOTE_BYTES, SignatureLine, parse_signature_lines};
use countersign_verifier::witnessing::{SIZE_CONTENT_TYPE, parse_size_body};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode};
use url::Url;

use crate::log::Condition;

/// How much of an answer that is not a cosignature is shown to people.
const MAX_EXCERPT: usize = 160;

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for the witnesses cannot be set up")]
pub struct ClientError(#[source] reqwest::Error);

/// What a witness answers to a head. The lines are not verified.
#[derive(Debug)]
pub(super) enum Answer {
    /// It says that it cosigned.
    Lines(Vec<SignatureLine>),
    /// It says that it last cosigned another size than the request named.
    Conflict(TreeSize),
    /// It says that the proof or the root does not fit what it cosigned before.
    Inconsistent(String),
}

/// Why a witness gave no answer that means anything.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    /// It could not be reached, or not in time.
    #[error("{0}")]
    Unreachable(String),
    /// It answered, but not in a way that the specification knows.
    #[error("{0}")]
    Nonsense(String),
}

impl From<CallError> for Condition {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Unreachable(what) => Self::Unreachable(what),
            CallError::Nonsense(what) => Self::Refusing(what),
        }
    }
}

/// An HTTP client that keeps connections to the witnesses open.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
}

impl Client {
    /// A client whose requests take at most `timeout`, from connecting to the last byte.
    pub(crate) fn new(timeout: Duration) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("countersign-log/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ClientError)?;
        Ok(Self { http })
    }

    /// `POST <prefix>/add-checkpoint`.
    pub(super) async fn add_checkpoint(&self, prefix: &Url, request: String) -> Result<Answer, CallError> {
        let response = self.http.post(below(prefix, "add-checkpoint")).body(request).send().await;
        let response = response.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let names_size = response.headers().get(CONTENT_TYPE).is_some_and(|value| {
            value
                .to_str()
                .is_ok_and(|value| value.split(';').next().unwrap_or_default().trim() == SIZE_CONTENT_TYPE)
        });
        let body = body(response).await?;
        match status {
            StatusCode::OK => core::str::from_utf8(&body)
                .ok()
                .and_then(|lines| parse_signature_lines(lines).ok())
                .map(Answer::Lines)
                .ok_or_else(|| {
                    CallError::Nonsense(format!("it answers 200 without signature lines: {}", excerpt(&body)))
                }),
            StatusCode::CONFLICT if names_size => {
                parse_size_body(&body).map(Answer::Conflict).ok_or_else(|| {
                    CallError::Nonsense(format!("it answers 409 without a size: {}", excerpt(&body)))
                })
            }
            // Witnesses of the first edition of the specification answer 409 to a root that does not fit.
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => {
                Ok(Answer::Inconsistent(format!("it answers {}: {}", status.as_u16(), excerpt(&body))))
            }
            _ => Err(CallError::Nonsense(format!("it answers {}: {}", status.as_u16(), excerpt(&body)))),
        }
    }

    /// `GET <prefix>/<origin hash>/checkpoint`: a head of the log that the witness cosigned, the newest or one of the last
    /// hour; `None` when it shows none, which does not say that there is none.
    pub(super) async fn monitoring_checkpoint(
        &self,
        prefix: &Url,
        origin_hash: &str,
    ) -> Result<Option<Vec<u8>>, CallError> {
        let response = self.http.get(below(prefix, &format!("{origin_hash}/checkpoint"))).send().await;
        let response = response.map_err(|error| unreachable(&error))?;
        match response.status() {
            StatusCode::OK => Ok(Some(body(response).await?)),
            StatusCode::NOT_FOUND => Ok(None),
            status => {
                let body = body(response).await?;
                Err(CallError::Nonsense(format!("it answers {}: {}", status.as_u16(), excerpt(&body))))
            }
        }
    }
}

fn below(prefix: &Url, path: &str) -> String {
    format!("{}/{path}", prefix.as_str().trim_end_matches('/'))
}

async fn body(mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len().saturating_add(chunk.len()) > MAX_NOTE_BYTES {
            return Err(CallError::Nonsense(format!("its answer is longer than {MAX_NOTE_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn unreachable(error: &reqwest::Error) -> CallError {
    if error.is_timeout() {
        return CallError::Unreachable("it does not answer in time".to_owned());
    }
    // The innermost cause says it best ("connection refused"); the outer ones repeat the URL.
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    CallError::Unreachable(cause.to_string())
}

/// The beginning of a body, with everything that is not printable escaped.
fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    text.trim().chars().take(MAX_EXCERPT).flat_map(char::escape_debug).collect()
}
