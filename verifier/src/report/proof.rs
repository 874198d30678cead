//! The report on one entry with its proof.

use serde::Serialize;

use super::head::HeadFindings;
use super::{Finding, Line, Stage};
use crate::causes::with_causes;
use crate::ed25519::PublicKey;
use crate::merkle::{LeafHash, verify_inclusion};
use crate::proof::TlogProof;
use crate::quorum::Policy;
use crate::statement::Statement;

/// A report on one entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Report {
    /// The id of the entry that the report is about.
    pub entry: String,
    /// The stages, each once.
    pub stages: Vec<Line>,
}

impl Report {
    /// Whether nothing that was checked failed, and the entry was shown to be in a tree whose head has its quorum.
    /// What was not checked is not covered by this.
    pub fn holds(&self) -> bool {
        let passed = |stage| self.stages.iter().any(|line| line.stage == stage && line.passed());
        !self.stages.iter().any(Line::failed)
            && [Stage::Inclusion, Stage::LogSignature, Stage::WitnessQuorum].into_iter().all(passed)
    }
}

/// Checks one entry with its proof. With `issuer`, the key that must have signed it, got out of band.
///
/// The entry need not be a statement of this project: then its format is reported as not checked, and inclusion is
/// all that the proof can show. Roles and lineage need other entries, which a proof of one entry does not have.
pub fn check_proof(entry: &[u8], proof: &TlogProof, policy: &Policy, issuer: Option<&PublicKey>) -> Report {
    let leaf = LeafHash::of(entry);
    let (format, signature) = check_statement(entry, issuer);
    let head = HeadFindings::of(&proof.checkpoint, policy);
    let inclusion = match &head.signed {
        None => Finding::not_checked("no log of the policy signed the head that the proof leads to"),
        Some(signed) => {
            let head = signed.checkpoint();
            let inclusion = verify_inclusion(leaf, proof.index, head.size, &proof.hashes, head.root);
            Finding::of(inclusion.map(|()| format!("the entry is at index {} of {}", proof.index, head.size)))
        }
    };
    let lone =
        |what: &str| Finding::NotChecked(format!("a proof of one entry does not have {what}; use a bundle"));
    let stages = [
        (Stage::Format, format),
        (Stage::StatementSignatures, signature),
        (Stage::Inclusion, inclusion),
        (Stage::LogSignature, head.log),
        (Stage::WitnessQuorum, head.quorum),
        (Stage::IssuerRoles, lone("the registration of the signer")),
        (Stage::Lineage, lone("the other steps of the execution")),
        (Stage::PolicyReplay, lone("the policy and its inputs")),
    ];
    let stages = stages.into_iter().map(|(stage, finding)| Line { stage, finding }).collect();
    Report { entry: leaf.to_string(), stages }
}

fn check_statement(entry: &[u8], issuer: Option<&PublicKey>) -> (Finding, Finding) {
    // The first two bytes of every statement: CBOR tag 18, an array of four.
    if !entry.starts_with(&[0xd2, 0x84]) {
        let finding = Finding::NotChecked("the entry is not a signed statement of this project".into());
        return (finding.clone(), finding);
    }
    let statement = match Statement::parse(entry) {
        Ok(statement) => statement,
        Err(error) => {
            let unread = Finding::NotChecked("the statement is malformed".into());
            return (Finding::Fail(with_causes(&error)), unread);
        }
    };
    let claims = statement.claims();
    let format = Finding::Pass(format!(
        "{} statement by {} about {}",
        statement.kind(),
        claims.issuer,
        claims.subject
    ));
    let signature = match issuer {
        None => Finding::NotChecked(format!(
            "the statement names its key by thumbprint {}; give the key with --issuer-key to check it",
            statement.kid()
        )),
        Some(key) => Finding::of(statement.verify(key).map(|_| "signed by the given key".to_owned())),
    };
    (format, signature)
}
