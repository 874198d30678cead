//! Publishing a policy: once, and again when it changes.

use countersign_verifier::statement::payload::{Policy, PolicyText};
use countersign_verifier::statement::{
    Material, Payload, PolicyEngine, PolicyName, RefRole, References, Statement, UnixSeconds,
};
use serde_json::{Value, json};

use crate::client::{Client, SubmitError, Submitted, Wait};
use crate::clock::Clock;
use crate::exact::canonical_digest;
use crate::issuer::{IssueError, Issuer};
use crate::state::{Published, StateError};

/// How old a statement is, in seconds, when a refusal may be for its age alone. Logs take what is up to five minutes
/// old.
const STALE: u64 = 240;

/// Why a policy is not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// What was published cannot be kept.
    #[error("what was published cannot be kept")]
    State(#[from] StateError),
    /// There is no statement of it.
    #[error(transparent)]
    Issue(#[from] IssueError),
    /// The log did not take it.
    #[error(transparent)]
    Log(SubmitError),
    /// The log says that it has it, and has not shown so.
    #[error("the log has not shown in time that it has the policy")]
    NotShown,
}

/// A policy under a name. The version follows from the texts, so that one text has one version; `None` when they have no
/// RFC 8785 form.
pub fn policy(
    name: PolicyName,
    policies: Vec<PolicyText>,
    schema: Option<Material<String>>,
) -> Option<Policy> {
    let texts: Value = match &schema {
        None => json!(policies),
        Some(schema) => json!({ "policies": policies, "schema": schema }),
    };
    let version = hex::encode(canonical_digest(&texts)?.as_bytes()).chars().take(16).collect();
    Some(Policy { name, version, engine: PolicyEngine::Cedar, policies, schema })
}

/// Whether a statement is so old, or so far ahead, that a log refuses it for that.
pub fn is_stale(statement: &Statement, now: UnixSeconds) -> bool {
    statement.claims().issued_at.get().abs_diff(now.get()) > STALE
}

/// A policy that the log has.
#[derive(Debug)]
pub struct Taken {
    /// The statement that publishes it.
    pub statement: Statement,
    /// What the log says of it.
    pub submitted: Submitted,
    /// Whether it was not known before that the log has it.
    pub is_news: bool,
}

/// Who publishes, and what was published before.
#[derive(Debug)]
pub struct Publisher<'a> {
    /// The log.
    pub client: &'a Client,
    /// In whose name.
    pub authority: &'a Issuer,
    /// The time.
    pub clock: &'a Clock,
    /// What was published before.
    pub published: Published,
}

impl Publisher<'_> {
    /// Puts a policy into the log, if it is not there as it is. A success says that the log has it, in a tree of its own
    /// at least.
    pub async fn publish(&mut self, policy: &Policy) -> Result<Taken, PublishError> {
        let statement = self.current(policy)?;
        let result = self.client.submit(statement.bytes(), Wait::Sequenced).await;
        self.taken(statement, result).await
    }

    /// The statement that publishes a policy. It is the one sent before, byte for byte, unless the policy has changed.
    pub fn current(&mut self, policy: &Policy) -> Result<Statement, PublishError> {
        if let Some(statement) = self.published.statement()
            && matches!(statement.payload(), Payload::Policy(kept) if kept == policy)
            && statement.claims().issuer == *self.authority.name()
        {
            return Ok(statement.clone());
        }
        let replaces = self.published.logged().map(|entry| (RefRole::Replaces, entry));
        self.sign(&Payload::Policy(policy.clone()), &replaces.into_iter().collect())
    }

    /// Takes up what the log made of a statement, which has to be there for a decision to cite it.
    pub async fn taken(
        &mut self,
        statement: Statement,
        result: Result<Submitted, SubmitError>,
    ) -> Result<Taken, PublishError> {
        let (statement, submitted) = match result {
            Ok(submitted) => (statement, submitted),
            // What was signed long ago is too old for a log that does not have it.
            Err(SubmitError::Refused(_)) if is_stale(&statement, self.clock.now()) => {
                let references = match self.published.logged() {
                    None => statement.references().clone(),
                    Some(_) => References::default(),
                };
                let again = self.sign(statement.payload(), &references)?;
                let submitted =
                    self.client.submit(again.bytes(), Wait::Sequenced).await.map_err(PublishError::Log)?;
                (again, submitted)
            }
            Err(error) => return Err(PublishError::Log(error)),
        };
        let is_news = self.published.logged() != Some(submitted.entry());
        if is_news {
            self.published.keep(statement.clone(), true)?;
        }
        Ok(Taken { statement, submitted, is_news })
    }

    fn sign(&mut self, payload: &Payload, references: &References) -> Result<Statement, PublishError> {
        let subject = payload.subject().ok_or(IssueError::NoSubject)?;
        let signed = self.authority.state(self.clock.now(), subject, None, payload, references)?;
        let statement = signed.statement().clone();
        self.published.keep(statement.clone(), false)?;
        Ok(statement)
    }
}
