//! `GET /issuers/<name>.json`: the keys registered under a name.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::admission::IssuerRecord;
use countersign_verifier::statement::{IssuerName, KeyThumbprint, Role};
use serde::Serialize;
use utoipa::ToSchema;

use super::app::App;
use super::catalog::codes;
use super::problem::Refusal;
use super::query::cut;

/// An issuer, as the log has it. It is what the log says: the entries that it names prove it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Issuer {
    /// The name.
    name: String,
    /// Every key ever registered under it, revoked ones included.
    keys: Vec<RegisteredKey>,
}

/// One key of an issuer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegisteredKey {
    /// The Ed25519 key in base64.
    public_key: String,
    /// Its RFC 9679 thumbprint in hex, the kid of statements.
    kid: String,
    /// What it may sign.
    roles: Vec<&'static str>,
    /// active or revoked.
    status: &'static str,
    /// The entry that says so.
    index: u64,
}

impl RegisteredKey {
    fn new(kid: KeyThumbprint, record: &IssuerRecord) -> Self {
        Self {
            public_key: STANDARD.encode(record.public_key.as_bytes()),
            kid: kid.to_string(),
            roles: record.roles.iter().map(Role::as_str).collect(),
            status: record.status.as_str(),
            index: record.index.get(),
        }
    }
}

pub(super) async fn issuer(
    State(app): State<Arc<App>>,
    Path(file): Path<String>,
) -> Result<Response, Refusal> {
    let not_found = |name: &str| {
        let detail = format!("found the name {:?}, expected a registered one, followed by .json", cut(name));
        Refusal::new(&codes::ISSUER_NOT_FOUND, detail)
    };
    let name = file.strip_suffix(".json").ok_or_else(|| not_found(&file))?;
    let name: IssuerName = name.parse().map_err(|_| not_found(name))?;
    let looked_up = name.clone();
    let keys = app.read(move |log| log.issuer_keys(&looked_up)).await??;
    if keys.is_empty() {
        return Err(not_found(name.as_str()));
    }
    let keys = keys.iter().map(|(kid, record)| RegisteredKey::new(*kid, record)).collect();
    let mut response = Json(Issuer { name: name.to_string(), keys }).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
