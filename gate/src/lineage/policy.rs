//! Publishing the rules: once, and again when they change.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::payload::Policy;
use countersign_verifier::statement::{Statement, VerificationCode};

use super::{Gate, Stop};
use crate::client::{SubmitError, Submitted};
use crate::exact::ResolveError;
use crate::publish::{self, PublishError, Publisher};
use crate::report::Event;

impl Gate {
    /// Who publishes the rules.
    pub(super) fn publisher(&self) -> Result<Publisher<'_>, Stop> {
        let published = self.state.published(self.rules.file)?;
        Ok(Publisher { client: &self.client, authority: &self.authority, clock: &self.clock, published })
    }

    /// The rules as they are now.
    pub(super) fn policy(&self) -> Result<Policy, Stop> {
        let policy = publish::policy(self.rules.name.clone(), self.rules.policies.clone(), None);
        Ok(policy.ok_or(ResolveError::NoCanonicalForm)?)
    }

    /// Takes up what the log made of the policy, which has to be there for a decision to cite it.
    pub(super) async fn published(
        &self,
        publisher: &mut Publisher<'_>,
        statement: Statement,
        result: Result<Submitted, SubmitError>,
    ) -> Result<LeafHash, Stop> {
        let taken = publisher.taken(statement, result).await?;
        if taken.is_news {
            let (entry, index) = (taken.submitted.entry(), taken.submitted.index());
            let words = super::words::of(&taken.statement, &taken.submitted);
            let kind = taken.statement.kind();
            self.report.tell(&Event::Logged { execution: None, kind, index, entry, words });
        }
        Ok(taken.submitted.entry())
    }
}

impl From<PublishError> for Stop {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::State(error) => error.into(),
            PublishError::Issue(error) => error.into(),
            PublishError::NotShown => Self::new(VerificationCode::PolicyValidationFailed, error),
            PublishError::Log(error) => Self::not_logged(VerificationCode::PolicyValidationFailed, error),
        }
    }
}
