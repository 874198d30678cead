//! Publishing the allow list: once, and again when it changes.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::payload::Policy;
use countersign_verifier::statement::{
    Payload, PolicyEngine, RefRole, References, Statement, Subject, VerificationCode,
};
use serde_json::json;

use super::{Gate, Stop};
use crate::client::{SubmitError, Submitted, Wait};
use crate::exact::{ResolveError, canonical_digest};
use crate::report::Event;
use crate::state::Published;

impl Gate {
    /// The statement that publishes the list as it is now. It is the one sent before, byte for byte, unless the list
    /// has changed.
    pub(super) fn current_policy(&self, published: &mut Published) -> Result<Statement, Stop> {
        let payload = self.policy_payload()?;
        if let Some(statement) = published.statement()
            && *statement.payload() == payload
            && statement.claims().issuer == *self.authority.name()
        {
            return Ok(statement.clone());
        }
        let replaces = published.logged();
        self.sign_policy(published, &payload, replaces)
    }

    /// Takes up what the log made of the policy, which has to be there for a decision to cite it.
    pub(super) async fn published(
        &self,
        published: &mut Published,
        statement: Statement,
        result: Result<Submitted, SubmitError>,
    ) -> Result<LeafHash, Stop> {
        let missing = |error| Stop::not_logged(VerificationCode::PolicyValidationFailed, error);
        let (statement, submitted) = match result {
            Ok(submitted) => (statement, submitted),
            // What was signed long ago is too old for a log that does not have it.
            Err(SubmitError::Refused(_)) if self.is_stale(&statement) => {
                let replaces =
                    statement.references().get(RefRole::Replaces).filter(|_| published.logged().is_none());
                let again = self.sign_policy(published, statement.payload(), replaces)?;
                let submitted = self.client.submit(again.bytes(), Wait::Sequenced).await.map_err(missing)?;
                (again, submitted)
            }
            Err(error) => return Err(missing(error)),
        };
        if published.logged() != Some(submitted.entry()) {
            let (entry, index) = (submitted.entry(), submitted.index());
            let words = super::words::of(&statement, &submitted);
            self.report.tell(&Event::Logged { kind: statement.kind(), index, entry, words });
            published.keep(statement, true)?;
        }
        Ok(submitted.entry())
    }

    fn policy_payload(&self) -> Result<Payload, Stop> {
        let policies = self.allow.policies();
        // The version follows from the text, so that one list has one version.
        let digest = canonical_digest(&json!(policies)).ok_or(ResolveError::NoCanonicalForm)?;
        let version = hex::encode(digest.as_bytes()).chars().take(16).collect();
        let name = self.policy_name.clone();
        Ok(Payload::Policy(Policy { name, version, engine: PolicyEngine::Cedar, policies, schema: None }))
    }

    fn sign_policy(
        &self,
        published: &mut Published,
        payload: &Payload,
        replaces: Option<LeafHash>,
    ) -> Result<Statement, Stop> {
        let references: References = replaces.map(|entry| (RefRole::Replaces, entry)).into_iter().collect();
        let subject = Subject::Policy(self.policy_name.clone());
        let signed = self.authority.state(self.clock.now(), subject, None, payload, &references)?;
        let statement = signed.statement().clone();
        published.keep(statement.clone(), false)?;
        Ok(statement)
    }
}
