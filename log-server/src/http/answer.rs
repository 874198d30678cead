//! What a submission is answered with: where the entry is, and the proof that it is there.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_verifier::merkle::{LeafIndex, NodeHash, TreeSize};
use countersign_verifier::note::SignedNote;
use countersign_verifier::proof::TlogProof;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::app::App;
use super::catalog::codes;
use super::metrics::{self, Stage};
use super::negotiate;
use super::problem::{Refusal, retry_after_value};
use super::query::Query;
use crate::log::{Log, ProofError, Sequenced};

/// When a client that got no proof yet may ask again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// What an answer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// A head with the entry that has its quorum.
    Cosigned,
    /// A durable entry under a head that the log signed.
    Sequenced,
}

impl Wait {
    pub(super) fn of(query: &Query) -> Result<Self, Refusal> {
        let parse = |text: &str| match text {
            "cosigned" => Some(Self::Cosigned),
            "sequenced" => Some(Self::Sequenced),
            _ => None,
        };
        Ok(query.optional("wait", parse, "cosigned or sequenced")?.unwrap_or(Self::Cosigned))
    }
}

/// In which form the answer to a single submission is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    ProofText,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const RECEIPT: &str = "application/cose";

impl Form {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        match negotiate::choose(headers, &[JSON, TEXT]) {
            Some(TEXT) => Ok(Self::ProofText),
            Some(_) => Ok(Self::Json),
            None if negotiate::names(headers, RECEIPT) => {
                let detail = "the header Accept asks for application/cose, a receipt, which this log does not give \
                              out yet; expected application/json or text/plain";
                Err(Refusal::new(&codes::NOT_ACCEPTABLE, detail))
            }
            None => {
                let detail = "the header Accept names no media type of the answer, expected application/json or \
                              text/plain";
                Err(Refusal::new(&codes::NOT_ACCEPTABLE, detail))
            }
        }
    }
}

/// Where an entry is and the proof of it, all of it against one and the same head.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Answer {
    /// The place of the entry, from 0.
    index: u64,
    /// The entry id: its leaf hash in 64 lowercase hex digits.
    entry: String,
    /// The head, a signed note.
    checkpoint: String,
    /// The path from the entry to the root of the head, in base64.
    inclusion: Vec<String>,
    /// The same as a C2SP tlog-proof, to be kept as a file.
    proof: String,
}

/// The entry is in the log for good, but no head with it has its quorum yet.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(super) struct Pending {
    /// The place of the entry, from 0.
    index: u64,
    /// The entry id: its leaf hash in 64 lowercase hex digits.
    entry: String,
}

impl From<Sequenced> for Pending {
    fn from(sequenced: Sequenced) -> Self {
        Self { index: sequenced.index.get(), entry: sequenced.entry.to_string() }
    }
}

/// A head to prove against.
#[derive(Debug, Clone)]
pub(super) struct Head {
    note: SignedNote,
    size: TreeSize,
}

/// The head that the answer for the entry `last` waits for. `None` when no head with it had its quorum in time.
pub(super) async fn head(app: &App, last: LeafIndex, wait: Wait, deadline: Instant) -> Option<Head> {
    if wait == Wait::Sequenced {
        let head = app.log.sequenced_head();
        return Some(Head { note: head.note.clone(), size: head.checkpoint.size });
    }
    let started = Instant::now();
    let published = match app.log.wait_cosigned(last.size_including(), deadline).await {
        Ok(published) => published,
        // The entry is in, whatever happens to the quorum.
        Err(reason) => {
            tracing::debug!(index = last.get(), %reason, "an entry is answered for before its quorum");
            return None;
        }
    };
    metrics::record(Stage::Cosigned, started.elapsed());
    Some(Head { note: published.checkpoint.to_note(), size: published.size })
}

/// The answers for entries that the head covers.
pub(super) fn prove(log: &Log, head: &Head, entries: &[Sequenced]) -> Result<Vec<Answer>, ProofError> {
    let checkpoint = head.note.to_string();
    let prove_one = |entry: &Sequenced| {
        let hashes = log.inclusion_proof(entry.index, head.size)?;
        let inclusion = hashes.iter().map(NodeHash::to_base64).collect();
        let proof = TlogProof { extra: None, index: entry.index, hashes, checkpoint: head.note.clone() };
        Ok(Answer {
            index: entry.index.get(),
            entry: entry.entry.to_string(),
            checkpoint: checkpoint.clone(),
            inclusion,
            proof: proof.to_string(),
        })
    };
    entries.iter().map(prove_one).collect()
}

/// Answers a single submission.
pub(super) async fn respond(
    app: &App,
    sequenced: Sequenced,
    wait: Wait,
    form: Form,
    deadline: Instant,
) -> Result<Response, Refusal> {
    let location =
        HeaderValue::from_str(&format!("/entries/{}", sequenced.index)).map_err(|_| Refusal::internal())?;
    let mut response = match head(app, sequenced.index, wait, deadline).await {
        None => {
            let mut response = (StatusCode::ACCEPTED, Json(Pending::from(sequenced))).into_response();
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_value(ASK_AGAIN));
            response
        }
        Some(head) => {
            let answers = app.read(move |log| prove(log, &head, &[sequenced])).await??;
            let answer = answers.into_iter().next().ok_or_else(Refusal::internal)?;
            let status = if sequenced.new { StatusCode::CREATED } else { StatusCode::OK };
            match form {
                Form::Json => (status, Json(answer)).into_response(),
                Form::ProofText => (status, answer.proof).into_response(),
            }
        }
    };
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// `Retry-After` for a batch that was answered before its quorum.
pub(super) fn ask_again() -> HeaderValue {
    retry_after_value(ASK_AGAIN)
}
