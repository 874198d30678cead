//! What a log answers to a submission, and whether it holds.

use core::fmt;
use core::str::FromStr;
use std::time::Duration;

use countersign_verifier::checkpoint::{Checkpoint, CheckpointError};
use countersign_verifier::merkle::{LeafHash, LeafIndex, ProofError, verify_inclusion};
use countersign_verifier::proof::{self, ProofFormatError, TlogProof};
use countersign_verifier::quorum::{Policy, QuorumError};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::error::SubmitError;
use super::http::Response;
use super::problem::Problem;

/// What a submission waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// A head with the quorum's cosignatures that includes the entry.
    #[default]
    Cosigned,
    /// The entry is durable, in a head signed by the log.
    Sequenced,
}

impl Wait {
    /// The word in the query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cosigned => "cosigned",
            Self::Sequenced => "sequenced",
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is none of `cosigned` and `sequenced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected cosigned or sequenced")]
pub struct UnknownWait;

impl FromStr for Wait {
    type Err = UnknownWait;

    fn from_str(word: &str) -> Result<Self, UnknownWait> {
        [Self::Cosigned, Self::Sequenced].into_iter().find(|wait| wait.as_str() == word).ok_or(UnknownWait)
    }
}

/// What the client was told to trust, out of band.
#[derive(Debug, Clone)]
pub enum Trust {
    /// This policy: the log's key and, for cosigned answers, the quorum.
    Policy(Box<Policy>),
    /// Nothing: that the proof is one for the entry, under the head that the log shows, is all that can be checked.
    Nothing,
}

/// How much a receipt shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The entry is included in a head with the log's signature and the quorum of the policy.
    Cosigned {
        /// How many witnesses of the policy cosigned.
        witnesses: usize,
    },
    /// The entry is included in a head with the log's signature.
    LogSigned,
    /// The entry is included in the head that the answer shows. Who signed that head was not checked.
    InclusionOnly,
}

/// A checked answer: the entry is in the tree at that place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the entry.
    pub entry: LeafHash,
    /// Where it is.
    pub index: LeafIndex,
    /// Whether the log had it before.
    pub known: bool,
    /// The proof, whole.
    pub proof: TlogProof,
    /// The head that it leads to.
    pub head: Checkpoint,
    /// How far it was checked.
    pub shown: Shown,
}

/// What became of a submission that the log took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// It is in the tree, with a proof that was checked.
    Logged(Box<Receipt>),
    /// The log says that it has it, and shows no proof yet.
    Accepted {
        /// The id of the entry.
        entry: LeafHash,
        /// Where it is, if the log says so; unproven.
        index: Option<LeafIndex>,
    },
}

impl Submitted {
    /// The id of the entry.
    pub fn entry(&self) -> LeafHash {
        match self {
            Self::Logged(receipt) => receipt.entry,
            Self::Accepted { entry, .. } => *entry,
        }
    }

    /// Where it is. Proven only for [`Submitted::Logged`].
    pub fn index(&self) -> Option<LeafIndex> {
        match self {
            Self::Logged(receipt) => Some(receipt.index),
            Self::Accepted { index, .. } => *index,
        }
    }
}

/// Why an answer cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// Not the JSON that it should be.
    #[error("{0}")]
    Json(serde_json::Error),
    /// A success without a proof.
    #[error("it says status {status} and carries no proof")]
    NoProof {
        /// The HTTP status.
        status: u16,
    },
    /// Another number of results than statements were sent.
    #[error("{got} results for {want} statements")]
    Count {
        /// How many were sent.
        want: usize,
        /// How many came back.
        got: usize,
    },
    /// A list of keys that are none.
    #[error("expected keys with public_key, roles, status and index")]
    IssuerKeys,
}

/// Why an answer does not show what it should.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    /// The answer names another entry than was sent.
    #[error("it is about the entry {stated}, and {sent} was sent")]
    OtherEntry {
        /// The id in the answer.
        stated: String,
        /// The id of what was sent.
        sent: LeafHash,
    },
    /// The proof is for another index than the answer says.
    #[error("it says index {stated}, and its proof is for index {proven}")]
    OtherIndex {
        /// The index in the answer.
        stated: u64,
        /// The index in the proof.
        proven: LeafIndex,
    },
    /// The proof is none.
    #[error("the proof has the wrong form")]
    Form(#[from] ProofFormatError),
    /// The proof does not hold under the policy.
    #[error("the proof does not hold under the trust policy")]
    Policy(#[from] proof::Unproven),
    /// The head is not signed by a log of the policy.
    #[error("the head is not one by a log of the trust policy")]
    Log(#[from] QuorumError),
    /// The head is none.
    #[error("the head has the wrong form")]
    Head(#[from] CheckpointError),
    /// The entry is not where the proof says.
    #[error("the proof does not lead to the head")]
    Inclusion(#[from] ProofError),
}

/// One answer, before patience is considered.
#[derive(Debug)]
pub(super) enum Reply {
    Proven(Box<Receipt>),
    /// Taken, but what was waited for has not come.
    Pending {
        index: Option<LeafIndex>,
        after: Duration,
    },
    /// Not taken for now.
    Busy {
        problem: Box<Problem>,
        after: Duration,
    },
}

impl Reply {
    /// When to send the statement again, if that makes sense.
    pub(super) fn come_back(&self) -> Option<Duration> {
        match self {
            Self::Proven(_) => None,
            Self::Pending { after, .. } | Self::Busy { after, .. } => Some(*after),
        }
    }

    /// What the answer amounts to when it is the last.
    pub(super) fn settled(self, statement: &[u8]) -> Result<Submitted, SubmitError> {
        match self {
            Self::Proven(receipt) => Ok(Submitted::Logged(receipt)),
            Self::Pending { index, .. } => Ok(Submitted::Accepted { entry: LeafHash::of(statement), index }),
            Self::Busy { problem, after } => Err(SubmitError::Busy { problem, after }),
        }
    }
}

/// When to come back if the log does not say.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Deserialize)]
struct Taken {
    index: Option<u64>,
    entry: Option<String>,
    proof: Option<String>,
}

/// Understands the answer to one statement.
pub(super) fn single(
    response: &Response,
    statement: &[u8],
    wait: Wait,
    trust: &Trust,
) -> Result<Reply, SubmitError> {
    let after = response.retry_after.unwrap_or(PAUSE);
    match response.status {
        StatusCode::OK | StatusCode::CREATED => {
            let taken: Taken = serde_json::from_slice(&response.body).map_err(AnswerError::Json)?;
            let known = response.status == StatusCode::OK;
            check(&taken, response.status.as_u16(), known, statement, wait, trust)
        }
        StatusCode::ACCEPTED => {
            let taken: Option<Taken> = serde_json::from_slice(&response.body).ok();
            let index = taken.and_then(|taken| taken.index).and_then(LeafIndex::new);
            Ok(Reply::Pending { index: index.or_else(|| index_in(response.location.as_deref()?)), after })
        }
        status => refused(Problem::parse(status.as_u16(), &response.body, &response.base), after),
    }
}

/// Understands the answer to a batch: one result or problem for each statement, in order.
pub(super) fn batch(
    response: &Response,
    statements: &[&[u8]],
    wait: Wait,
    trust: &Trust,
) -> Result<Vec<Result<Reply, SubmitError>>, SubmitError> {
    let after = response.retry_after.unwrap_or(PAUSE);
    let status = response.status.as_u16();
    if !response.status.is_success() {
        let reply = refused(Problem::parse(status, &response.body, &response.base), after)?;
        // What is said of the whole batch is said of each of its statements.
        let Reply::Busy { problem, after } = reply else {
            return Err(AnswerError::NoProof { status }.into());
        };
        let busy = || Ok(Reply::Busy { problem: problem.clone(), after });
        return Ok(statements.iter().map(|_| busy()).collect());
    }
    let results: Vec<Value> = serde_json::from_slice(&response.body).map_err(AnswerError::Json)?;
    if results.len() != statements.len() {
        return Err(AnswerError::Count { want: statements.len(), got: results.len() }.into());
    }
    let understand = |(result, statement): (Value, &&[u8])| {
        if result.get("type").is_some() || result.get("title").is_some() {
            return refused(Problem::from_value(status, &result, &response.base), after);
        }
        let taken = Taken::deserialize(result).map_err(AnswerError::Json)?;
        match taken.proof {
            Some(_) => check(&taken, status, false, statement, wait, trust),
            None => Ok(Reply::Pending { index: taken.index.and_then(LeafIndex::new), after }),
        }
    };
    Ok(results.into_iter().zip(statements).map(understand).collect())
}

fn refused(problem: Problem, after: Duration) -> Result<Reply, SubmitError> {
    let problem = Box::new(problem);
    match problem.status {
        429 | 503 => Ok(Reply::Busy { problem, after }),
        400..500 if problem.status != 408 => Err(SubmitError::Refused(problem)),
        _ => Err(SubmitError::Failed(problem)),
    }
}

/// Holds an answer against what was sent and what is trusted.
fn check(
    taken: &Taken,
    status: u16,
    known: bool,
    statement: &[u8],
    wait: Wait,
    trust: &Trust,
) -> Result<Reply, SubmitError> {
    let (Some(stated), Some(entry), Some(proof)) = (taken.index, &taken.entry, &taken.proof) else {
        return Err(AnswerError::NoProof { status }.into());
    };
    let holds = || -> Result<Receipt, Unproven> {
        let sent = LeafHash::of(statement);
        if *entry != sent.to_string() {
            let stated = entry.chars().filter(|c| !c.is_control()).take(80).collect();
            return Err(Unproven::OtherEntry { stated, sent });
        }
        let proof = TlogProof::parse(proof.as_bytes())?;
        if stated != proof.index.get() {
            return Err(Unproven::OtherIndex { stated, proven: proof.index });
        }
        let (head, shown) = prove(&proof, sent, wait, trust)?;
        Ok(Receipt { entry: sent, index: proof.index, known, proof, head, shown })
    };
    match holds() {
        Ok(receipt) => Ok(Reply::Proven(Box::new(receipt))),
        Err(why) => Err(SubmitError::Unproven { why: Box::new(why), proof: proof.clone() }),
    }
}

/// Shows that an entry is in the tree, as far as the trust goes.
fn prove(
    proof: &TlogProof,
    entry: LeafHash,
    wait: Wait,
    trust: &Trust,
) -> Result<(Checkpoint, Shown), Unproven> {
    let (head, shown) = match (trust, wait) {
        (Trust::Policy(policy), Wait::Cosigned) => {
            let verified = proof.verify(entry, policy)?;
            let witnesses = verified.head().cosignatures().len();
            return Ok((verified.head().checkpoint().clone(), Shown::Cosigned { witnesses }));
        }
        (Trust::Policy(policy), Wait::Sequenced) => {
            (policy.verify_log(&proof.checkpoint)?.checkpoint().clone(), Shown::LogSigned)
        }
        (Trust::Nothing, _) => (Checkpoint::parse(proof.checkpoint.text())?, Shown::InclusionOnly),
    };
    verify_inclusion(entry, proof.index, head.size, &proof.hashes, head.root)?;
    Ok((head, shown))
}

/// The index at the end of a path such as `/entries/12`.
fn index_in(location: &str) -> Option<LeafIndex> {
    LeafIndex::parse(location.rsplit('/').next()?)
}
