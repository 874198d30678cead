//! Who signed a head, and who cosigned it.

use serde::Serialize;

use super::Finding;
use crate::causes::with_causes;
use crate::checkpoint::LogSigned;
use crate::note::SignedNote;
use crate::quorum::{Policy, VerifiedCheckpoint};

/// A head that its log signed and the quorum cosigned.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Head {
    /// The name of the log.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The root over them, in base64.
    pub root: String,
    /// The verified cosignatures, in the order of the note.
    pub cosignatures: Vec<Cosigned>,
}

/// One verified cosignature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Cosigned {
    /// The name of the witness in the policy.
    pub witness: String,
    /// When it signed, by its own clock, in seconds since 1970: what lies below the head existed by then.
    pub time: u64,
}

impl From<&VerifiedCheckpoint> for Head {
    fn from(verified: &VerifiedCheckpoint) -> Self {
        let head = verified.checkpoint();
        let cosigned = verified.cosignatures().iter();
        Self {
            origin: head.origin.to_string(),
            size: head.size.get(),
            root: head.root.to_base64(),
            cosignatures: cosigned
                .map(|one| Cosigned { witness: one.witness.clone(), time: one.time.get() })
                .collect(),
        }
    }
}

/// The two stages that a head goes through, and what may be used of it.
pub(super) struct HeadFindings {
    pub(super) log: Finding,
    pub(super) quorum: Finding,
    /// The head, when its log signed it.
    pub(super) signed: Option<LogSigned>,
    /// The head, when the quorum cosigned it as well.
    pub(super) verified: Option<VerifiedCheckpoint>,
}

impl HeadFindings {
    pub(super) fn of(note: &SignedNote, policy: &Policy) -> Self {
        let signed = match policy.verify_log(note) {
            Ok(signed) => signed,
            Err(error) => {
                return Self {
                    log: Finding::Fail(with_causes(&error)),
                    quorum: Finding::not_checked("no log of the policy signed the head"),
                    signed: None,
                    verified: None,
                };
            }
        };
        let head = signed.checkpoint();
        let log = Finding::Pass(format!(
            "{} signed a head of {} entries with root {}",
            head.origin,
            head.size,
            head.root.to_base64()
        ));
        let verified = policy.verify(note);
        let quorum = Finding::of(verified.as_ref().map(|verified| cosigned_by(policy, verified)));
        Self { log, quorum, signed: Some(signed), verified: verified.ok() }
    }
}

/// Who of the policy's witnesses cosigned a head, and when, in words.
pub fn cosigned_by(policy: &Policy, head: &VerifiedCheckpoint) -> String {
    if policy.needs_no_witness() {
        return "the policy asks for no witness".to_owned();
    }
    let cosigned = head.cosignatures().iter();
    let names: Vec<String> = cosigned.map(|one| format!("{} at {}", one.witness, one.time)).collect();
    format!("cosigned by {} (times in seconds since 1970, by the clock of each witness)", names.join(", "))
}
