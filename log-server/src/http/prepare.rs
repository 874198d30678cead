//! `POST /statements/prepare`: the bytes to sign, for issuers without a CBOR library.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::statement::Submission;
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::body::{self, JSON};
use super::catalog::codes;
use super::claimed;
use super::negotiate;
use super::problem::Refusal;
use super::query::Query;
use super::submit::MAX_JSON;
use crate::fair::Load;

/// A statement that is ready to be signed. Nothing of it is kept.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Prepared {
    /// The bytes to sign with Ed25519, in base64: the `Sig_structure` of RFC 9052 section 4.4.
    to_be_signed: String,
    /// The statement, in base64, with 64 zero bytes at its end in place of the signature.
    statement: String,
}

pub(super) async fn prepare(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    Query::of(&parts.uri, &[])?;
    body::media_type(&parts.headers, &[JSON])?;
    if negotiate::choose(&parts.headers, &["application/json"]).is_none() {
        let detail = "the header Accept names no media type of the answer, expected application/json";
        return Err(Refusal::new(&codes::NOT_ACCEPTABLE, detail));
    }
    let bytes = body::read(&parts.headers, body, MAX_JSON, app.options.body).await?;
    let load = Load { statements: 1, bytes: bytes.len() };
    let turn = claimed::in_json(&bytes);
    let prepared = app.checkers.run(&turn, load, move || {
        let submission = Submission::parse(&bytes)?;
        let draft = submission.draft();
        Ok::<_, Refusal>(Prepared {
            to_be_signed: STANDARD.encode(draft.to_be_signed()),
            statement: STANDARD.encode(draft.statement().bytes()),
        })
    });
    Ok(Json(prepared.await??).into_response())
}
