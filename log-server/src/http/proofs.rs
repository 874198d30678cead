//! `GET /proof/inclusion` and `GET /proof/consistency`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use countersign_verifier::merkle::{LeafIndex, NodeHash, TreeSize};
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::catalog::codes;
use super::problem::Refusal;
use super::query::Query;
use super::reading::{IMMUTABLE, published};
use crate::log::ProofError;

/// The path from an entry to the root of a tree.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Inclusion {
    /// The place of the entry, from 0.
    index: u64,
    /// The size of the tree.
    size: u64,
    /// The hashes in base64, the entry's sibling first.
    hashes: Vec<String>,
}

/// That a tree begins with a smaller one.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Consistency {
    /// The size of the smaller tree.
    from: u64,
    /// The size of the larger tree.
    to: u64,
    /// The hashes in base64, the deepest first. None when the smaller tree is empty or the same.
    hashes: Vec<String>,
}

const INDEX: &str = "an index: a decimal number without leading zeros";
const SIZE: &str = "a size: a decimal number without leading zeros";

pub(super) async fn inclusion(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Refusal> {
    let query = Query::of(&uri, &["index", "size"])?;
    let index = query.required("index", LeafIndex::parse, INDEX)?;
    let size = query.required("size", TreeSize::parse, SIZE)?;
    check_published(&app, size)?;
    if !size.contains(index) {
        let detail = format!("the index is {index}, expected one below the size, {size}");
        return Err(Refusal::new(&codes::INDEX_NOT_IN_TREE, detail));
    }
    let hashes = base64(&app.read(move |log| log.inclusion_proof(index, size)).await??);
    Ok(immutable(&Inclusion { index: index.get(), size: size.get(), hashes }))
}

pub(super) async fn consistency(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Refusal> {
    let query = Query::of(&uri, &["from", "to"])?;
    let from = query.required("from", TreeSize::parse, SIZE)?;
    let to = query.required("to", TreeSize::parse, SIZE)?;
    check_published(&app, to)?;
    if from > to {
        let detail = format!("from is {from}, expected at most to, which is {to}");
        return Err(Refusal::new(&codes::QUERY_PARAMETER_INVALID, detail));
    }
    let hashes = base64(&app.read(move |log| log.consistency_proof(from, to)).await??);
    Ok(immutable(&Consistency { from: from.get(), to: to.get(), hashes }))
}

fn check_published(app: &App, size: TreeSize) -> Result<(), Refusal> {
    let published = published(app)?.size;
    if size <= published {
        return Ok(());
    }
    let detail =
        format!("the size is {size}, expected at most {published}, that of the newest published head");
    Err(Refusal::new(&codes::SIZE_NOT_PUBLISHED, detail))
}

fn base64(hashes: &[NodeHash]) -> Vec<String> {
    hashes.iter().map(NodeHash::to_base64).collect()
}

/// The proof between two positions never changes.
fn immutable(proof: &impl Serialize) -> Response {
    let mut response = Json(proof).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, IMMUTABLE);
    response
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Read(error) => error.into(),
            // The positions were compared with the tree before.
            ProofError::Impossible(error) => {
                tracing::error!(%error, "a proof that must exist cannot be built");
                Self::internal()
            }
        }
    }
}
