//! Trust policies (C2SP tlog-policy): which logs, which witnesses, and how many of them.
//!
//! A policy comes to whoever relies on it out of band, never from the log that it judges.

mod parse;
#[cfg(test)]
mod tests;
mod write;

use std::collections::HashMap;

pub use parse::PolicyError;
use url::Url;

use crate::checkpoint::{Checkpoint, LogSigned, OpenError};
use crate::cosignature::{self, CosignatureError, Timestamp};
use crate::note::{KeyKind, SignatureLine, SignedNote, VerifierKey};

/// A log that the policy accepts heads of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Log {
    /// Its key; the key name is the origin.
    pub key: VerifierKey,
    /// Where it can be read, if the policy says so.
    pub url: Option<Url>,
}

/// A witness that the policy knows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Its name inside the policy, which no other witness of that has. Octets that are not UTF-8 are shown as U+FFFD, and
    /// as many apostrophes behind as tell it from earlier ones.
    pub name: String,
    /// Its key.
    pub key: VerifierKey,
    /// Its submission prefix, if the policy says so.
    pub url: Option<Url>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

/// A position in [`Policy::witnesses`] or among the groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// A trust policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Quorum,
}

/// The last word of a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Quorum {
    /// `quorum none`: heads count without any witness.
    None,
    Of(Member),
}

/// Why a policy does not accept a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// No log of the policy signed it, or a signature in the name of one is false.
    #[error("the head is not signed by a log of the policy")]
    Log(#[source] OpenError),
    /// The signing log's key is for another origin.
    #[error("the head names the origin {stated}, but the key that signed it belongs to {of_key}")]
    Origin {
        /// The first line of the head.
        stated: String,
        /// The name of the key.
        of_key: String,
    },
    /// A line in the name of a witness of the policy is false. The whole head is refused.
    #[error("the cosignature in the name of witness {witness} is false")]
    Witness {
        /// The name inside the policy.
        witness: String,
        /// What is wrong with it.
        #[source]
        cause: CosignatureError,
    },
    /// Not enough witnesses signed.
    #[error("the quorum is missing: {} of {known} witnesses of the policy cosigned ({})", .signed.len(), .signed.join(", "))]
    Missing {
        /// The names of the witnesses that did.
        signed: Vec<String>,
        /// How many the policy knows.
        known: usize,
    },
}

/// A head that satisfies a policy: signed by one of its logs and cosigned by its quorum.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedCheckpoint {
    signed: LogSigned,
    cosignatures: Vec<Cosigned>,
}

/// One verified cosignature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// The name of the witness inside the policy.
    pub witness: String,
    /// When it signed, by its own clock.
    pub time: Timestamp,
    /// The line as it stands under the head.
    pub line: SignatureLine,
}

impl VerifiedCheckpoint {
    /// The head.
    pub fn checkpoint(&self) -> &Checkpoint {
        self.signed.checkpoint()
    }

    /// The verified cosignatures, one a witness, in the order of the note.
    pub fn cosignatures(&self) -> &[Cosigned] {
        &self.cosignatures
    }

    /// The note with the verified lines and no others.
    pub fn to_note(&self) -> SignedNote {
        let log = self.signed.signatures().iter();
        let lines = log.chain(self.cosignatures.iter().map(|cosigned| &cosigned.line));
        self.signed.to_note().with_signatures(lines.cloned().collect())
    }
}

impl Policy {
    /// Reads a policy file, strictly.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        parse::parse(bytes)
    }

    /// The logs.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses, whether or not the quorum counts them.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The same policy for one log only: for the log itself, which need not stand in its own witness file.
    #[must_use]
    pub fn for_log(mut self, key: VerifierKey) -> Self {
        self.logs = vec![Log { key, url: None }];
        self
    }

    /// Whether `quorum none` stands in the policy: heads count without any witness.
    pub fn needs_no_witness(&self) -> bool {
        self.quorum == Quorum::None
    }

    /// Checks who signed a head: one of the logs for its own origin, and the quorum of the witnesses.
    ///
    /// A success says that the quorum vouches for this head, and for its not contradicting what they cosigned
    /// before. It does not say that the head is the newest, nor what is in the tree.
    pub fn verify(&self, note: &SignedNote) -> Result<VerifiedCheckpoint, QuorumError> {
        let signed = self.verify_log(note)?;
        let cosignatures = self.verify_cosignatures(note)?;
        if self
            .is_satisfied_by(|witness| cosignatures.iter().any(|cosigned| cosigned.witness == witness.name))
        {
            return Ok(VerifiedCheckpoint { signed, cosignatures });
        }
        let signed = cosignatures.into_iter().map(|cosigned| cosigned.witness).collect();
        Err(QuorumError::Missing { signed, known: self.witnesses.len() })
    }

    /// The first half of [`Policy::verify`]: a listed log signed the head, for its own origin.
    pub fn verify_log(&self, note: &SignedNote) -> Result<LogSigned, QuorumError> {
        let keys: Vec<VerifierKey> = self.logs.iter().map(|log| log.key.clone()).collect();
        let signed = LogSigned::open(note, &keys).map_err(QuorumError::Log)?;
        let origin = signed.checkpoint().origin.as_str();
        match signed.signatures() {
            lines if lines.iter().any(|line| line.name().as_str() == origin) => Ok(signed),
            lines => Err(QuorumError::Origin {
                stated: origin.to_owned(),
                of_key: lines.first().map(|line| line.name().to_string()).unwrap_or_default(),
            }),
        }
    }

    /// The lines of known witnesses, each of which must verify. A key counts once, with its earliest time. Lines
    /// of a type that is not checked here are passed over and never count.
    pub fn verify_cosignatures(&self, note: &SignedNote) -> Result<Vec<Cosigned>, QuorumError> {
        let mut found: Vec<Cosigned> = Vec::new();
        for line in note.signatures() {
            for witness in self.witnesses.iter().filter(|witness| line.names(&witness.key)) {
                if witness.key.kind() != KeyKind::CosignatureV1 {
                    continue;
                }
                let time = cosignature::verify(note.text(), line, &witness.key)
                    .map_err(|cause| QuorumError::Witness { witness: witness.name.clone(), cause })?;
                match found.iter_mut().find(|earlier| earlier.witness == witness.name) {
                    Some(earlier) if earlier.time <= time => {}
                    Some(earlier) => {
                        earlier.time = time;
                        earlier.line = line.clone();
                    }
                    None => found.push(Cosigned { witness: witness.name.clone(), time, line: line.clone() }),
                }
            }
        }
        Ok(found)
    }

    /// Whether the witnesses for which `signed` holds make up the quorum.
    pub fn is_satisfied_by(&self, signed: impl Fn(&Witness) -> bool) -> bool {
        let witnesses: Vec<bool> = self.witnesses.iter().map(signed).collect();
        let mut groups: HashMap<usize, bool> = HashMap::new();
        let holds = |member: Member, groups: &HashMap<usize, bool>| match member {
            Member::Witness(at) => witnesses.get(at).copied().unwrap_or(false),
            Member::Group(at) => groups.get(&at).copied().unwrap_or(false),
        };
        // Members are defined on earlier lines, so the groups can be decided in their order.
        for (at, group) in self.groups.iter().enumerate() {
            let count = group.members.iter().filter(|member| holds(**member, &groups)).count();
            groups.insert(at, count >= group.threshold);
        }
        match self.quorum {
            Quorum::None => true,
            Quorum::Of(member) => holds(member, &groups),
        }
    }
}
