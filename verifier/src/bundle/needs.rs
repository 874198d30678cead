//! What the entries of a bundle stand on.

use core::fmt;

use crate::admission::IssuerKey;
use crate::merkle::{LeafHash, LeafIndex};
use crate::statement::{Kind, RefRole, Statement};

/// An entry that has to be in a bundle, by what it is needed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The first entry of the log.
    Genesis,
    /// The newest registration of a key before an entry. The genesis registers the operator's.
    Registration {
        /// Whose.
        issuer: IssuerKey,
        /// The entry that the key signed.
        before: LeafIndex,
    },
    /// A policy that an entry cites.
    Policy {
        /// Its entry id.
        entry: LeafHash,
        /// The entry that cites it.
        cited_by: LeafIndex,
    },
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Genesis => f.write_str("the genesis, entry 0"),
            Self::Registration { issuer: IssuerKey { name, key }, before } => {
                write!(f, "a registration of {name} with the key {key}, which signed entry {before},")
            }
            Self::Policy { entry, cited_by } => {
                write!(f, "the policy {entry}, which entry {cited_by} cites,")
            }
        }
    }
}

/// A walk from the entries of an execution to everything they stand on.
///
/// The caller shows every entry once, those of the execution first, and answers each need with an entry, which it shows
/// as well unless it has done so.
#[derive(Debug)]
pub struct Needs(Vec<Need>);

impl Default for Needs {
    fn default() -> Self {
        Self(vec![Need::Genesis])
    }
}

impl Needs {
    /// Takes up what an entry stands on.
    pub fn show(&mut self, index: LeafIndex, statement: &Statement) {
        if statement.kind() != Kind::Genesis {
            let issuer = IssuerKey { name: statement.claims().issuer.clone(), key: statement.kid() };
            self.0.push(Need::Registration { issuer, before: index });
        }
        let policy = statement.references().get(RefRole::Policy);
        self.0.extend(policy.map(|entry| Need::Policy { entry, cited_by: index }));
    }
}

impl Iterator for Needs {
    type Item = Need;

    /// The next need. `None` when all that was shown has what it stands on.
    fn next(&mut self) -> Option<Need> {
        self.0.pop()
    }
}
