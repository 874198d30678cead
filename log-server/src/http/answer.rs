//! What a submission is answered with: where the entry is, and the proof that it is there.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use countersign_verifier::merkle::{LeafIndex, NodeHash, RootHash, TreeSize};
use countersign_verifier::proof;
use serde::ser::{Serialize, SerializeSeq as _, Serializer};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::app::App;
use super::catalog::codes;
use super::negotiate;
use super::problem::{Refusal, retry_after_value};
use super::query::Query;
use crate::log::{Log, NoReceipt, Published, Sequenced, SequencedHead};

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
    Receipt,
}

pub(super) const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const RECEIPT: &str = "application/cose";

impl Form {
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        match negotiate::choose(headers, &[JSON, TEXT, RECEIPT]) {
            Some(TEXT) => Ok(Self::ProofText),
            Some(RECEIPT) => Ok(Self::Receipt),
            Some(_) => Ok(Self::Json),
            None => {
                let detail = "the header Accept names no media type of the answer, expected application/json, \
                              text/plain or application/cose";
                Err(Refusal::new(&codes::NOT_ACCEPTABLE, detail))
            }
        }
    }
}

/// Where an entry is and the proof of it, all of it against one and the same head.
#[derive(Debug, serde::Serialize, ToSchema)]
pub(super) struct Answer<'a> {
    /// The place of the entry, from 0.
    index: u64,
    /// The entry id: its leaf hash in 64 lowercase hex digits.
    entry: String,
    /// The head, a signed note.
    checkpoint: &'a str,
    /// The path from the entry to the root of the head, in base64.
    #[schema(value_type = Vec<String>)]
    inclusion: Base64<'a>,
    /// The same as a C2SP tlog-proof, to be kept as a file.
    proof: String,
}

/// Hashes, each written in base64.
#[derive(Debug)]
struct Base64<'a>(&'a [NodeHash]);

impl Serialize for Base64<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        let mut text = String::with_capacity(44);
        for hash in self.0 {
            text.clear();
            hash.push_base64(&mut text);
            sequence.serialize_element(&text)?;
        }
        sequence.end()
    }
}

/// The entry is in the log for good, but no head with it has its quorum yet.
#[derive(Debug, serde::Serialize, ToSchema)]
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
pub(super) enum Head {
    Sequenced(Arc<SequencedHead>),
    Published(Arc<Published>),
}

impl Head {
    fn note(&self) -> &str {
        match self {
            Self::Sequenced(head) => &head.text,
            Self::Published(head) => &head.note,
        }
    }

    fn size(&self) -> TreeSize {
        match self {
            Self::Sequenced(head) => head.checkpoint.size,
            Self::Published(head) => head.size,
        }
    }

    fn root(&self) -> RootHash {
        match self {
            Self::Sequenced(head) => head.checkpoint.root,
            Self::Published(head) => head.root,
        }
    }
}

/// The head that the answer for the entry `last` waits for. `None` when no head with it had its quorum in time.
pub(super) async fn head(app: &App, last: LeafIndex, wait: Wait, deadline: Instant) -> Option<Head> {
    if wait == Wait::Sequenced {
        return Some(Head::Sequenced(app.log.sequenced_head()));
    }
    match app.log.wait_cosigned(last.size_including(), deadline).await {
        Ok(published) => Some(Head::Published(published)),
        // The entry is in, whatever happens to the quorum.
        Err(reason) => {
            tracing::debug!(index = last.get(), %reason, "an entry is answered for before its quorum");
            None
        }
    }
}

fn answer<'a>(head: &'a Head, sequenced: &Sequenced, hashes: &'a [NodeHash]) -> Answer<'a> {
    Answer {
        index: sequenced.index.get(),
        entry: sequenced.entry.to_string(),
        checkpoint: head.note(),
        inclusion: Base64(hashes),
        proof: proof::to_text(sequenced.index, hashes, head.note()),
    }
}

/// How long an answer is at most, but for very deep trees and very long origins.
const ANSWER: usize = 3072;

/// Writes an answer in one piece: letting it grow costs more than writing it.
fn json(answer: &Answer<'_>) -> Result<impl IntoResponse + use<>, Refusal> {
    let mut body = Vec::with_capacity(ANSWER);
    serde_json::to_writer(&mut body, answer).map_err(|_| Refusal::internal())?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(JSON))], body))
}

/// Writes the answers to some statements of a batch: the items of a JSON array, with commas between them.
pub(super) fn write_items(
    log: &Log,
    head: Option<&Head>,
    results: Vec<Result<Sequenced, Refusal>>,
) -> Result<Vec<u8>, Refusal> {
    let entered = results.iter().flatten().map(|sequenced| sequenced.index);
    let mut proofs = match head {
        Some(head) => log.inclusion_proofs(entered, head.size())?.into_iter(),
        None => Vec::new().into_iter(),
    };
    let mut items = Vec::with_capacity(results.len().saturating_mul(ANSWER));
    for result in results {
        if !items.is_empty() {
            items.push(b',');
        }
        let written = match (&result, head) {
            (Ok(sequenced), Some(head)) => {
                let hashes = proofs.next().ok_or_else(Refusal::internal)?;
                serde_json::to_writer(&mut items, &answer(head, sequenced, &hashes))
            }
            (Ok(sequenced), None) => serde_json::to_writer(&mut items, &Pending::from(*sequenced)),
            (Err(refusal), _) => {
                refusal.count();
                serde_json::to_writer(&mut items, refusal)
            }
        };
        written.map_err(|_| Refusal::internal())?;
    }
    Ok(items)
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
            let (index, size) = (sequenced.index, head.size());
            let hashes = match app.log.inclusion_proof_from_memory(index, size)? {
                Some(hashes) => hashes,
                None => app.read(move |log| log.inclusion_proof(index, size)).await??,
            };
            let status = if sequenced.new { StatusCode::CREATED } else { StatusCode::OK };
            match form {
                Form::Json => (status, json(&answer(&head, &sequenced, &hashes))?).into_response(),
                Form::ProofText => (status, proof::to_text(index, &hashes, head.note())).into_response(),
                Form::Receipt => {
                    let of = (size, head.root());
                    let receipt = app.read(move |log| log.receipt(index, of, hashes)).await??;
                    let bytes = receipt.to_bytes().map_err(|_| Refusal::internal())?;
                    let content_type = HeaderValue::from_static(RECEIPT);
                    (status, [(header::CONTENT_TYPE, content_type)], bytes).into_response()
                }
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

impl From<NoReceipt> for Refusal {
    fn from(none: NoReceipt) -> Self {
        match none {
            NoReceipt::Stopped(stopped) => stopped.into(),
            NoReceipt::Read(error) => error.into(),
            NoReceipt::Receipt(error) => Self::new(&codes::NOT_ACCEPTABLE, error.to_string()),
            NoReceipt::Inconsistent => Self::internal(),
        }
    }
}
