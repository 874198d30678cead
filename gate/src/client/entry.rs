//! Reading one entry by its id, proven.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::proof::TlogProof;
use reqwest::StatusCode;

use super::answer::{AnswerError, index_in};
use super::error::SubmitError;
use super::http::Response;
use super::problem::Problem;
use super::receipt::{Receipt, Unproven, prove};
use super::{Client, Wait};

impl Client {
    /// Reads the entry with this id: its bytes, and where it is, shown under a head of the kind that `wait` names. `None`
    /// says that the log shows no such entry, perhaps not yet.
    ///
    /// The log has to have pages: an id is looked up there.
    pub async fn entry(&self, id: LeafHash, wait: Wait) -> Result<Option<(Vec<u8>, Receipt)>, SubmitError> {
        let found = self.http.get(&format!("leaf/{id}"), "*/*").await?;
        let index = match found.status {
            status if status.is_redirection() => found.location.as_deref().and_then(index_in),
            _ => None,
        };
        let Some(index) = index else { return absent(&found) };
        let entry = self.http.get(&format!("entries/{index}.cose"), "application/cose").await?;
        let proof = self.http.get(&format!("entries/{index}.tlog-proof"), "text/plain").await?;
        for answer in [&entry, &proof] {
            if answer.status != StatusCode::OK {
                return absent(answer);
            }
        }
        let holds = || -> Result<Receipt, Unproven> {
            let sent = LeafHash::of(&entry.body);
            if sent != id {
                return Err(Unproven::OtherEntry { stated: id.to_string(), sent });
            }
            let proof = TlogProof::parse(&proof.body)?;
            let (head, shown) = prove(&proof, id, wait, &self.trust)?;
            Ok(Receipt { entry: id, index: proof.index, known: true, proof, head, shown })
        };
        match holds() {
            Ok(receipt) => Ok(Some((entry.body, receipt))),
            Err(why) => {
                let proof = String::from_utf8_lossy(&proof.body).into_owned();
                Err(SubmitError::Unproven { why: Box::new(why), proof })
            }
        }
    }
}

/// What it means that there is no entry in an answer.
fn absent<T>(answer: &Response) -> Result<Option<T>, SubmitError> {
    let status = answer.status;
    if status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    if status.is_success() || status.is_redirection() {
        return Err(AnswerError::NoProof { status: status.as_u16() }.into());
    }
    Err(SubmitError::Failed(Box::new(Problem::parse(status.as_u16(), &answer.body, &answer.base))))
}
