//! The keys registered under a name, as the log lists them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::statement::{IssuerStatus, Role};
use serde::Deserialize;

use super::answer::AnswerError;
use super::error::SubmitError;
use super::http::Response;
use super::problem::Problem;

/// A key registered under a name, by the log's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredKey {
    /// The key.
    pub public_key: PublicKey,
    /// Its roles.
    pub roles: Vec<Role>,
    /// Whether it may sign.
    pub status: IssuerStatus,
    /// The entry that says so.
    pub index: u64,
}

#[derive(Deserialize)]
struct List {
    keys: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    public_key: String,
    roles: Vec<String>,
    status: String,
    index: u64,
}

pub(super) fn parse(response: &Response) -> Result<Vec<RegisteredKey>, SubmitError> {
    if !response.status.is_success() {
        let problem = Problem::parse(response.status.as_u16(), &response.body, &response.base);
        return Err(SubmitError::Refused(Box::new(problem)));
    }
    let list: List = serde_json::from_slice(&response.body).map_err(AnswerError::Json)?;
    Ok(list.keys.into_iter().map(read).collect::<Option<_>>().ok_or(AnswerError::IssuerKeys)?)
}

fn read(listed: Listed) -> Option<RegisteredKey> {
    Some(RegisteredKey {
        public_key: PublicKey::from_bytes(&STANDARD.decode(listed.public_key).ok()?).ok()?,
        roles: listed.roles.iter().map(|role| role.parse().ok()).collect::<Option<_>>()?,
        status: listed.status.parse().ok()?,
        index: listed.index,
    })
}
