//! Asking, deciding and authorizing: the side that asks for the enforcement point's trust.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::replay::{Engine, Evaluation, Question};
use countersign_verifier::statement::payload::{Action, Authorization, Decision, Entity, Intent};
use countersign_verifier::statement::{
    FreeForm, Kind, Material, Payload, RefRole, References, Statement, Subject, UnixSeconds, Validity,
    Verdict, VerificationCode, read_payload,
};
use serde_json::{Map, Value};

use super::{Gate, Stop};
use crate::client::{SubmitError, Submitted, Wait};
use crate::config::Arguments;
use crate::enforcement::{Attempt, constraints};
use crate::exact::{Exact, ResolveError, canonical_digest};
use crate::issuer::Issuer;
use crate::state::Journal;

/// How many bytes of arguments are disclosed at most: a statement has 65,535, and they stand in two of them.
const MAX_DISCLOSED: usize = 16 * 1024;

/// Why an attempt was not authorized although nothing broke.
#[derive(Debug, thiserror::Error)]
enum NotAuthorized {
    #[error("no rule of the allow list permits {0}")]
    ByPolicy(String),
    #[error("the authorization is in the log, but no head with it was cosigned by the quorum in time")]
    NotCosigned,
    #[error("the log left {0} without an answer")]
    NoAnswer(Kind),
}

impl Gate {
    /// Puts the intent into the log, and the policy that it will be judged by. Returns the entry of the policy.
    pub(super) async fn ask<T: Exact>(
        &self,
        journal: &mut Journal,
        attempt: &Attempt<T>,
    ) -> Result<LeafHash, Stop> {
        let intent = Payload::Intent(Intent {
            subject: attempt.subject.clone(),
            action: self.action(attempt)?,
            resource: resource(attempt),
            context: None,
            parent: None,
        });
        let intent = self.about(attempt, &self.requester, None, &intent, &References::default())?;
        journal.add(vec![intent.clone()])?;
        let mut publisher = self.publisher()?;
        let policy = publisher.current(&self.policy()?)?;

        let missing = |error| Stop::not_logged(VerificationCode::AuthorizationMissing, error);
        let batch = [policy.bytes(), intent.bytes()];
        let asking = self.client.submit_batch(&batch, Wait::Sequenced);
        let answers = self.patiently("the log to take the intent", asking).await.map_err(missing)?;
        let [policy_answer, intent_answer] = answers.try_into().map_err(|_| no_answer(Kind::Intent))?;
        let policy = self.published(&mut publisher, policy, policy_answer).await;
        self.note(journal, &intent_answer.map_err(missing)?);
        policy
    }

    /// Decides, and has the authorization put into the log if there is one. Returns its bytes and its proof.
    pub(super) async fn authorize<T: Exact>(
        &self,
        journal: &mut Journal,
        attempt: &Attempt<T>,
        policy: LeafHash,
    ) -> Result<(Vec<u8>, String), Stop> {
        let intent = journal.newest(Kind::Intent).map(|step| (RefRole::Intent, step.entry));
        let stands_on = |more: Option<LeafHash>| -> References {
            let decision = more.map(|entry| (RefRole::Decision, entry));
            intent.into_iter().chain(decision).chain([(RefRole::Policy, policy)]).collect()
        };
        let found = self.decide(attempt);
        let permitted = found.verdict == Verdict::Permit;
        let decision = self.decision(attempt, found)?;
        let decision = self.about(attempt, &self.authority, None, &decision, &stands_on(None))?;
        if !permitted {
            journal.add(vec![decision])?;
            let why = NotAuthorized::ByPolicy(attempt.exact.words());
            return Err(Stop::new(VerificationCode::PolicyValidationFailed, why));
        }
        let validity = self.validity(self.clock.now());
        let references = stands_on(Some(LeafHash::of(decision.bytes())));
        let permission = Payload::Authorization(self.permission(attempt)?);
        let permission = self.about(attempt, &self.authority, Some(validity), &permission, &references)?;
        journal.add(vec![decision.clone(), permission.clone()])?;

        let batch = [decision.bytes(), permission.bytes()];
        let asking = self.client.submit_batch(&batch, self.enforcement.wait);
        let answers = self.patiently("a head with the authorization", asking).await;
        let [decision_answer, permission_answer] = match answers.map(TryInto::try_into) {
            Ok(Ok(answers)) => answers,
            Ok(Err(_)) => return Err(no_answer(Kind::Authorization)),
            Err(error) => return Err(self.not_authorized(journal, &permission, error)),
        };
        let decided = decision_answer.map(|submitted| self.note(journal, &submitted));
        let permitted = permission_answer.inspect(|submitted| self.note(journal, submitted));
        match (decided, permitted) {
            (Ok(()), Ok(Submitted::Logged(receipt))) => {
                Ok((permission.into_bytes(), receipt.proof.to_string()))
            }
            (Ok(()), Ok(Submitted::Accepted { .. })) => {
                Err(Stop::new(VerificationCode::QuorumMissing, NotAuthorized::NotCosigned))
            }
            (Err(error), Ok(_)) => Err(Stop::not_logged(VerificationCode::AuthorizationMissing, error)),
            (Ok(()), Err(error)) => Err(self.not_authorized(journal, &permission, error)),
            // Without the decision there is nothing that the authorization could stand on.
            (Err(error), Err(because)) => {
                let _ = self.not_authorized(journal, &permission, because);
                Err(Stop::not_logged(VerificationCode::AuthorizationMissing, error))
            }
        }
    }

    /// An authorization that the log did not take is not sent again: nothing will run by it.
    fn not_authorized(&self, journal: &mut Journal, permission: &Statement, error: SubmitError) -> Stop {
        if !error.may_be_taken() {
            self.not_fatal(journal.withdraw(LeafHash::of(permission.bytes())));
        }
        Stop::not_logged(VerificationCode::AuthorizationMissing, error)
    }

    /// Applies the policies, as anybody can who replays the decision.
    fn decide<T: Exact>(&self, attempt: &Attempt<T>) -> Evaluation {
        self.engine.evaluate(&Question {
            subject: &attempt.subject,
            action: &Action { name: T::ACTION.to_owned(), properties: None },
            resource: &resource(attempt),
            context: &attempt.exact.context(),
            entities: &[],
        })
    }

    fn decision<T: Exact>(&self, attempt: &Attempt<T>, found: Evaluation) -> Result<Payload, Stop> {
        Ok(Payload::Decision(Decision {
            decision: found.verdict,
            code: found.code,
            reasons: Some(found.reasons),
            errors: Some(found.errors),
            entities: Some(Material::Disclosed(Vec::new())),
            context: Some(self.disclose(attempt.exact.context())?),
            engine: Some(Engine::version()),
        }))
    }

    fn permission<T: Exact>(&self, attempt: &Attempt<T>) -> Result<Authorization, Stop> {
        Ok(Authorization {
            subject: attempt.subject.clone(),
            action: self.action(attempt)?,
            resource: resource(attempt),
            action_digest: Some(attempt.exact.digest()),
            constraints: Some(Material::Disclosed(constraints(self.enforcement.wait))),
        })
    }

    fn validity(&self, now: UnixSeconds) -> Validity {
        let expires = UnixSeconds::new(now.get().saturating_add(self.lifetime)).unwrap_or(now);
        Validity { audience: self.enforcement.audience.clone(), not_before: now, expires }
    }

    fn action<T: Exact>(&self, attempt: &Attempt<T>) -> Result<Action, Stop> {
        let properties = self.disclose(attempt.exact.properties())?;
        Ok(Action { name: T::ACTION.to_owned(), properties: Some(properties) })
    }

    /// Arguments as they are, or their digest where they are private, or long, or no statement could say them.
    fn disclose(&self, members: Map<String, Value>) -> Result<FreeForm, Stop> {
        let text = serde_json::to_vec(&members).map_err(|_| ResolveError::NoCanonicalForm)?;
        if self.arguments == Arguments::Disclosed && text.len() <= MAX_DISCLOSED && can_be_stated(&text) {
            return Ok(Material::Disclosed(members));
        }
        let digest = canonical_digest(&Value::Object(members)).ok_or(ResolveError::NoCanonicalForm)?;
        Ok(Material::Withheld(digest))
    }

    fn about<T>(
        &self,
        attempt: &Attempt<T>,
        issuer: &Issuer,
        validity: Option<Validity>,
        payload: &Payload,
        references: &References,
    ) -> Result<Statement, Stop> {
        let subject = Subject::Execution(attempt.execution.clone());
        Ok(issuer.state(self.clock.now(), subject, validity, payload, references)?.statement().clone())
    }
}

fn resource<T: Exact>(attempt: &Attempt<T>) -> Entity {
    let id = attempt.exact.resource().to_owned();
    Entity { entity_type: T::RESOURCE_TYPE.to_owned(), id, properties: None }
}

/// Whether a statement can have this object as deep as it stands in an authorization: `/action/properties`. Fractions
/// and large numbers are what it cannot have, and so a digest stands for them.
fn can_be_stated(members: &[u8]) -> bool {
    read_payload(&[br#"{"action":{"properties":"#, members, b"}}"].concat()).is_ok()
}

fn no_answer(kind: Kind) -> Stop {
    Stop::new(VerificationCode::AuthorizationMissing, NotAuthorized::NoAnswer(kind))
}
