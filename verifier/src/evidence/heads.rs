//! Trees that disagree.

use super::{Against, Included, NothingProven, Prefix, Proven, open};
use crate::checkpoint::{Checkpoint, LogSigned};
use crate::merkle::{RootHash, TreeSize, verify_consistency};
use crate::note::SignedNote;
use crate::quorum::Policy;
use crate::statement::{KeyThumbprint, Payload, Statement};

/// Two heads of one log, and what the larger tree begins with where the smaller one ends.
///
/// Of two heads of one size, what the second begins with is its own root, and there is no more to prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// The head of the smaller tree.
    pub smaller: SignedNote,
    /// The head of the larger one, or of one of the same size.
    pub larger: SignedNote,
    /// What the larger tree begins with.
    pub prefix: Prefix,
}

/// A verification that names a head, in a log that had another tree at that size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedHead {
    /// The head that all is shown under.
    pub head: SignedNote,
    /// The registration of the key that signed the verification.
    pub registration: Included,
    /// The verification.
    pub verification: Included,
    /// What the tree begins with, at the size that the verification names.
    pub prefix: Prefix,
}

impl Heads {
    pub(super) fn verify(&self, policy: &Policy) -> Result<Proven, NothingProven> {
        let (smaller, larger) = (open(&self.smaller, policy)?, open(&self.larger, policy)?);
        let (first, second) = (smaller.checkpoint(), larger.checkpoint());
        if first.origin != second.origin {
            let (first, second) = (first.origin.clone(), second.origin.clone());
            return Err(NothingProven::TwoLogs { first, second });
        }
        self.prefix.contradicts(first.size, first.root, &larger)?;
        let shows = vec![
            format!("It signed a head of {} entries with root {}.", first.size, first.root.to_base64()),
            if first.size == second.size {
                format!("It also signed a head of the same size with root {}.", second.root.to_base64())
            } else {
                format!(
                    "It also signed a head of {} entries, whose first {} have the root {}.",
                    second.size,
                    first.size,
                    self.prefix.root.to_base64()
                )
            },
            "No tree that only grows has both.".to_owned(),
        ];
        let witnesses = |note| policy.verify_cosignatures(note).unwrap_or_default();
        let both = witnesses(&self.larger);
        let witnesses = witnesses(&self.smaller).into_iter().map(|cosigned| cosigned.witness);
        let witnesses = witnesses.filter(|name| both.iter().any(|other| other.witness == *name)).collect();
        let log = first.origin.clone();
        Ok(Proven { against: Against::Log, log, code: "fork", shows, unless: None, witnesses })
    }
}

impl ClaimedHead {
    pub(super) fn verify(&self, policy: &Policy) -> Result<Proven, NothingProven> {
        let signed = open(&self.head, policy)?;
        let wrong = |included: &Included, expected| NothingProven::Entry { index: included.index, expected };
        self.registration.verify(&signed)?;
        self.verification.verify(&signed)?;
        let no_registration = || wrong(&self.registration, "a registration");
        let registration = Statement::parse(&self.registration.bytes).map_err(|_| no_registration())?;
        let Payload::Issuer(issuer) = registration.payload() else { return Err(no_registration()) };
        let no_claim = || {
            wrong(
                &self.verification,
                "a verification that names a head and is signed by the issuer registered",
            )
        };
        let statement = Statement::parse(&self.verification.bytes).map_err(|_| no_claim())?;
        let Payload::Verification(verification) = statement.payload() else { return Err(no_claim()) };
        let claim = verification.checkpoint.ok_or_else(no_claim)?;
        let name = statement.claims().issuer.clone();
        if name != issuer.name || statement.kid() != KeyThumbprint::of(&issuer.public_key) {
            return Err(no_claim());
        }
        statement.verify(&issuer.public_key).map_err(|_| no_claim())?;
        self.prefix.contradicts(claim.size, claim.root, &signed)?;
        let Checkpoint { origin, size, .. } = signed.checkpoint();
        let shows = vec![
            format!(
                "The issuer {name} states in entry {} that it saw a head of {} entries with root {}.",
                self.verification.index,
                claim.size,
                claim.root.to_base64()
            ),
            format!(
                "The log signed a head of {size} entries, with this statement among them, whose first {} have the root {}.",
                claim.size,
                self.prefix.root.to_base64()
            ),
            "Either the log showed the issuer another tree, or the issuer states a head that it was not shown. The note \
             that the issuer saw, signed by the log, would settle it."
                .to_owned(),
        ];
        Ok(Proven {
            against: Against::LogOrIssuer,
            log: origin.clone(),
            code: "head-contradicted",
            shows,
            unless: None,
            witnesses: Vec::new(),
        })
    }
}

impl Prefix {
    /// Shows that the tree of `head` begins with the prefix, and that a tree of `size` entries with `root` does not.
    fn contradicts(&self, size: TreeSize, root: RootHash, head: &LogSigned) -> Result<(), NothingProven> {
        let head = head.checkpoint();
        verify_consistency(size, self.root, head.size, head.root, &self.proof)
            .map_err(NothingProven::Prefix)?;
        if self.root == root { Err(NothingProven::Agree) } else { Ok(()) }
    }
}
