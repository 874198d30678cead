//! The enforcement point: what stands between an authorization and what it is said to allow, a command for example.
//!
//! It trusts nothing that it did not verify itself. It is handed an authorization and a proof as bytes, from whomever,
//! and holds them against what it was configured with: the trust policy of the log, the key of the authority, its own
//! name, its clock, its own memory of what was used. The outcome is a [`Clearance`], without which
//! [`execute`](crate::execute) runs nothing, or a [`Denial`] with a verification code.
//!
//! It does not ask whether the authorization, or the key of the authority, was revoked after the head in the proof:
//! short lifetimes bound how long that can go unnoticed.

mod clearance;
mod denial;
mod scope;
mod used;

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::verify_inclusion;
use countersign_verifier::proof::{TlogProof, Unproven};
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::payload::{Entity, Head};
use countersign_verifier::statement::{
    ExecutionId, IssuerName, Kind, Payload, Statement, UnixSeconds, Validity, VerifiedStatement,
};

pub use clearance::{Clearance, Cleared};
pub use denial::Denial;
pub use scope::constraints;
pub use used::{UsedError, UsedSet};

use crate::client::Wait;
use crate::clock::Clock;
use crate::exact::{Exact, ExactCommand};

/// What is about to happen, as the enforcement point sees it.
#[derive(Debug, Clone)]
pub struct Attempt<T = ExactCommand> {
    /// The execution that it belongs to.
    pub execution: ExecutionId,
    /// On whose behalf.
    pub subject: Entity,
    /// What would happen.
    pub exact: T,
}

/// An enforcement point.
#[derive(Debug)]
pub struct Enforcement {
    /// Whose heads count.
    pub trust: Policy,
    /// What a head needs: the quorum, or the log's signature alone.
    pub wait: Wait,
    /// The name in which authorizations are issued.
    pub authority: IssuerName,
    /// The key that they are signed by.
    pub authority_key: PublicKey,
    /// The name that they must be for.
    pub audience: IssuerName,
    /// The time.
    pub clock: Clock,
    /// What was used before.
    pub used: UsedSet,
}

impl Enforcement {
    /// Holds an authorization and its proof against everything that is about to happen.
    ///
    /// A success says: the authority stated, in a statement that is in the log under a head with its quorum, that
    /// exactly this may happen here, now, once; and from this call on, no other call succeeds with it. The memory
    /// of that is on disk before this returns.
    pub fn clear<T: Exact>(
        &self,
        authorization: &[u8],
        proof: &[u8],
        attempt: Attempt<T>,
    ) -> Result<Clearance<T>, Denial> {
        let (statement, validity) = self.authorization(authorization)?;
        let (head, witnesses) = self.included(&statement, proof)?;
        let issued_for = statement.statement().execution();
        if issued_for != Some(&attempt.execution) {
            return Err(Denial::OtherExecution { expected: attempt.execution });
        }
        if validity.audience != self.audience {
            return Err(Denial::OtherAudience { found: validity.audience, expected: self.audience.clone() });
        }
        check_window(&validity, self.clock.now())?;
        let Payload::Authorization(permission) = statement.statement().payload() else {
            return Err(Denial::OtherKind(statement.statement().kind()));
        };
        scope::check(permission, &attempt, self.wait)?;
        self.used.claim(statement.entry_id(), validity.expires)?;
        Ok(Clearance::new(attempt.exact, statement.entry_id(), validity, head, witnesses))
    }

    /// The statement, when it is an authorization signed by the authority.
    fn authorization(&self, bytes: &[u8]) -> Result<(VerifiedStatement, Validity), Denial> {
        let statement = Statement::parse(bytes)?;
        if statement.kind() != Kind::Authorization {
            return Err(Denial::OtherKind(statement.kind()));
        }
        let claims = statement.claims();
        if claims.issuer != self.authority {
            return Err(Denial::OtherIssuer {
                found: claims.issuer.clone(),
                expected: self.authority.clone(),
            });
        }
        let validity = claims.validity.clone().ok_or(Denial::OtherKind(statement.kind()))?;
        Ok((statement.verify(&self.authority_key)?, validity))
    }

    /// The head that includes the statement, and how many witnesses cosigned it.
    fn included(&self, statement: &VerifiedStatement, proof: &[u8]) -> Result<(Head, usize), Denial> {
        let proof = TlogProof::parse(proof)?;
        let entry = statement.entry_id();
        let (head, witnesses) = match self.wait {
            Wait::Cosigned => match proof.verify(entry, &self.trust) {
                Ok(included) => (included.head().checkpoint().clone(), included.head().cosignatures().len()),
                Err(Unproven::Head(error)) => return Err(Denial::from_head(error)),
                Err(Unproven::Inclusion(error)) => return Err(Denial::NotIncluded(error)),
            },
            Wait::Sequenced => {
                let signed = self.trust.verify_log(&proof.checkpoint).map_err(Denial::from_head)?;
                let head = signed.checkpoint().clone();
                verify_inclusion(entry, proof.index, head.size, &proof.hashes, head.root)?;
                (head, 0)
            }
        };
        Ok((Head { size: head.size, root: head.root }, witnesses))
    }
}

/// RFC 8392: valid from `nbf` on, and no more at `exp`.
fn check_window(validity: &Validity, now: UnixSeconds) -> Result<(), Denial> {
    if now < validity.not_before {
        return Err(Denial::NotYetValid { from: validity.not_before, now });
    }
    if now >= validity.expires {
        return Err(Denial::Expired { at: validity.expires, now });
    }
    Ok(())
}
