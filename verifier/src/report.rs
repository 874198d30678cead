//! What a check found, stage by stage. There is no overall score: each stage stands for itself.

use core::error::Error;
use core::fmt;

use serde::Serialize;

use crate::causes::with_causes;
use crate::ed25519::PublicKey;
use crate::merkle::{LeafHash, verify_inclusion};
use crate::proof::TlogProof;
use crate::quorum::Policy;
use crate::statement::Statement;

/// What can be checked, in the order in which it is reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The bytes have the form that they claim.
    Format,
    /// Every statement is signed by the key that it names.
    StatementSignatures,
    /// The entries are in the tree of the head.
    Inclusion,
    /// A log of the policy signed the head.
    LogSignature,
    /// The quorum of the policy cosigned the head.
    WitnessQuorum,
    /// Every signer was registered for what it signed.
    IssuerRoles,
    /// The steps of the execution fit each other.
    Lineage,
    /// The logged policy leads to the logged decision.
    PolicyReplay,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => "format",
            Self::StatementSignatures => "statement signatures",
            Self::Inclusion => "inclusion",
            Self::LogSignature => "log signature",
            Self::WitnessQuorum => "witness quorum",
            Self::IssuerRoles => "issuer roles",
            Self::Lineage => "lineage",
            Self::PolicyReplay => "policy replay",
        })
    }
}

/// What a stage found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "snake_case")]
pub enum Finding {
    /// It holds, and what exactly was seen.
    Pass(String),
    /// It does not hold, and why.
    Fail(String),
    /// It was not decided, and why.
    NotChecked(String),
}

/// One stage of a report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Line {
    /// Which stage.
    pub stage: Stage,
    /// What it found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// A report on one artefact.
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
        let passed = |stage| {
            self.stages.iter().any(|line| line.stage == stage && matches!(line.finding, Finding::Pass(_)))
        };
        self.stages.iter().all(|line| !matches!(line.finding, Finding::Fail(_)))
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
    let verified = policy.verify_log(&proof.checkpoint);
    let (log, inclusion) = match &verified {
        Ok(signed) => {
            let head = signed.checkpoint();
            let log = Finding::Pass(format!(
                "{} signed a head of {} entries with root {}",
                head.origin,
                head.size,
                head.root.to_base64()
            ));
            let inclusion = verify_inclusion(leaf, proof.index, head.size, &proof.hashes, head.root);
            let pass = || format!("the entry is at index {} of {}", proof.index, head.size);
            (log, finding(inclusion.map(|()| pass())))
        }
        Err(error) => (
            Finding::Fail(with_causes(error)),
            Finding::NotChecked("no log of the policy signed the head that the proof leads to".into()),
        ),
    };
    let quorum = policy.verify(&proof.checkpoint).map(|head| {
        let names: Vec<String> = head
            .cosignatures()
            .iter()
            .map(|cosigned| format!("{} at {}", cosigned.witness, cosigned.time))
            .collect();
        if policy.needs_no_witness() {
            "the policy asks for no witness".to_owned()
        } else {
            format!(
                "cosigned by {} (times in seconds since 1970, by the clock of each witness)",
                names.join(", ")
            )
        }
    });
    let quorum = if verified.is_err() {
        Finding::NotChecked("no log of the policy signed the head".into())
    } else {
        finding(quorum)
    };
    let lone =
        |what: &str| Finding::NotChecked(format!("a proof of one entry does not have {what}; use a bundle"));
    let stages = [
        (Stage::Format, format),
        (Stage::StatementSignatures, signature),
        (Stage::Inclusion, inclusion),
        (Stage::LogSignature, log),
        (Stage::WitnessQuorum, quorum),
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
        Some(key) => finding(statement.verify(key).map(|_| "signed by the given key".to_owned())),
    };
    (format, signature)
}

fn finding<E: Error>(result: Result<String, E>) -> Finding {
    match result {
        Ok(pass) => Finding::Pass(pass),
        Err(error) => Finding::Fail(with_causes(&error)),
    }
}
