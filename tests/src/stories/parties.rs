//! Who appears in the stories.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::statement::{Kind, Role};
use ed25519_dalek::SigningKey;
use serde_json::json;

use super::story::Said;
use crate::statements::Issuer;

/// Somebody who signs. The name is that of the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Runs the log.
    Operator,
    /// Asks.
    Requester,
    /// Writes policies, decides and authorizes.
    Authority,
    /// Verifies and executes.
    Enforcer,
    /// Another enforcer.
    OtherEnforcer,
    /// Steps in.
    Overseer,
}

impl Party {
    const ALL: [Self; 6] = [
        Self::Operator,
        Self::Requester,
        Self::Authority,
        Self::Enforcer,
        Self::OtherEnforcer,
        Self::Overseer,
    ];

    /// Its registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Requester => "requester",
            Self::Authority => "authority",
            Self::Enforcer => "enforcer",
            Self::OtherEnforcer => "other-enforcer",
            Self::Overseer => "overseer",
        }
    }

    const fn roles(self) -> &'static [Role] {
        match self {
            Self::Operator => &[Role::Operator],
            Self::Requester => &[Role::Requester],
            Self::Authority => &[Role::Author, Role::Authority],
            Self::Enforcer | Self::OtherEnforcer => &[Role::Enforcer],
            Self::Overseer => &[Role::Overseer],
        }
    }

    /// Its key, the same on every machine.
    pub fn key(self) -> SigningKey {
        let seed = Self::ALL.iter().position(|party| *party == self).and_then(|at| u8::try_from(at).ok());
        SigningKey::from_bytes(&[seed.unwrap_or(0).saturating_add(0x61); 32])
    }

    /// Its name with its key.
    pub fn issuer(self) -> Issuer {
        Issuer::new(self.name().parse().expect("the names of the parties are names"), self.key())
    }

    fn public_key(self) -> String {
        STANDARD.encode(self.issuer().public_key().as_bytes())
    }
}

/// The beginning of every story's log: the genesis, and the registration of everybody.
pub fn registrations() -> Vec<Said> {
    let genesis = json!({
        "origin": "log.example/stories", "operator": {"public_key": Party::Operator.public_key()},
        "rules": "countersign/1",
    });
    let genesis = Said::new("genesis", Kind::Genesis, Party::Operator, genesis);
    let others = Party::ALL.into_iter().filter(|party| *party != Party::Operator).map(|party| {
        let payload = json!({
            "name": party.name(), "public_key": party.public_key(), "roles": party.roles(), "status": "active",
        });
        Said::new(party.name(), Kind::Issuer, Party::Operator, payload)
    });
    core::iter::once(genesis).chain(others).collect()
}
