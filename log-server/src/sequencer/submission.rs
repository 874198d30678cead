//! What is submitted, and how its submitter is told what became of it.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use countersign_verifier::statement::{IssuerName, VerifiedStatement};
use tokio::sync::oneshot;

use super::queue::Announced;
use crate::fair::Load;
use crate::log::{Atomicity, SubmitError};
use crate::registrar::Decisions;

/// How many statements of a submission stay together. The next are taken when others had their turn. Larger groups would
/// save nothing, and whoever waits for a batch waits for whole groups.
pub(super) const MAX_GROUP: usize = 32;

/// The answer to a group.
pub(crate) type Answer = Result<Decisions, SubmitError>;

/// How a submitter is told what became of a group: at most once.
struct Reply(Box<dyn FnOnce(Answer) + Send>);

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// Statements of one submission that are decided together. Who drops it without an answer leaves the submitter with
/// none.
#[derive(Debug)]
pub(crate) struct Group {
    statements: Vec<VerifiedStatement>,
    atomicity: Atomicity,
    since: Instant,
    reply: Reply,
}

/// One submission on its way into the queue, and the answers to come, in the order of its statements.
#[derive(Debug)]
pub(crate) struct Submission {
    pub(super) issuer: Option<IssuerName>,
    pub(super) groups: Vec<(Load, Group)>,
    pub(super) announced: Option<Announced>,
    pub(crate) answers: Vec<oneshot::Receiver<Answer>>,
}

impl Submission {
    pub(crate) fn new(mut statements: Vec<VerifiedStatement>, atomicity: Atomicity) -> Self {
        let issuer = who_signed_most(&statements);
        let together = if atomicity == Atomicity::Each { MAX_GROUP } else { usize::MAX };
        let (mut groups, mut answers) = (Vec::new(), Vec::new());
        let since = Instant::now();
        while !statements.is_empty() {
            let rest = statements.split_off(statements.len().min(together));
            let (reply, answer) = oneshot::channel();
            // Whether the submitter still waits does not matter.
            let reply = Reply(Box::new(|answer| drop(reply.send(answer))));
            groups.push((load(&statements), Group { statements, atomicity, since, reply }));
            answers.push(answer);
            statements = rest;
        }
        Self { issuer, groups, announced: None, answers }
    }

    /// One statement that was announced, of which `tell` learns what becomes, on a thread that others wait for.
    pub(crate) fn one(
        statement: VerifiedStatement,
        announced: Announced,
        tell: impl FnOnce(Answer) + Send + 'static,
    ) -> Self {
        let issuer = Some(issuer(&statement).clone());
        let (statements, reply) = (vec![statement], Reply(Box::new(tell)));
        let load = load(&statements);
        let group = Group { statements, atomicity: Atomicity::Each, since: Instant::now(), reply };
        Self { issuer, groups: vec![(load, group)], announced: Some(announced), answers: Vec::new() }
    }
}

/// In whose lane statements wait. A stranger who adds own statements to somebody else's gets no more into the other's
/// lane than the other signed.
fn who_signed_most(statements: &[VerifiedStatement]) -> Option<IssuerName> {
    let first = issuer(statements.first()?);
    if statements.iter().all(|statement| issuer(statement) == first) {
        return Some(first.clone());
    }
    let mut bytes: HashMap<&IssuerName, usize> = HashMap::new();
    for statement in statements {
        let sum = bytes.entry(issuer(statement)).or_default();
        *sum = sum.saturating_add(statement.statement().bytes().len());
    }
    bytes
        .into_iter()
        .max_by(|one, other| (one.1, one.0).cmp(&(other.1, other.0)))
        .map(|(name, _)| name.clone())
}

fn issuer(statement: &VerifiedStatement) -> &IssuerName {
    &statement.statement().claims().issuer
}

fn load(statements: &[VerifiedStatement]) -> Load {
    let bytes = statements.iter().map(|statement| statement.statement().bytes().len()).sum();
    Load { statements: statements.len(), bytes }
}

impl Group {
    pub(crate) fn atomicity(&self) -> Atomicity {
        self.atomicity
    }

    /// Takes the statements out, once.
    pub(crate) fn take_statements(&mut self) -> Vec<VerifiedStatement> {
        core::mem::take(&mut self.statements)
    }

    /// How long it has been waiting.
    pub(super) fn waited(&self) -> Duration {
        self.since.elapsed()
    }

    /// Tells what became of it.
    pub(super) fn answer(self, answer: Answer) {
        (self.reply.0)(answer);
    }
}
