//! What a log answers to a submission, understood and held against what was sent.

use std::time::Duration;

use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::proof::TlogProof;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::error::SubmitError;
use super::http::Response;
use super::problem::Problem;
use super::receipt::{Receipt, Submitted, Trust, Unproven, Wait, prove};

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
        // Whether it took the statement before it stopped is not known, and waiting does not help.
        503 if problem.code == "log-stopped" => Err(SubmitError::Failed(problem)),
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

/// The index at the end of a path such as `/entries/12`.
pub(super) fn index_in(location: &str) -> Option<LeafIndex> {
    LeafIndex::parse(location.rsplit('/').next()?)
}
