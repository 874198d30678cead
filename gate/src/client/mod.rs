//! A client of the log: `POST /entries`, `POST /entries/batch`, `GET /issuers/<name>.json`, and single entries by their id.
//!
//! It believes nothing that it can check: an answer counts only when its proof is one for the very bytes that were
//! sent, and holds against whatever the client was told to trust. It says how far that went in [`Receipt::shown`].
//! Sending the same statement again is always safe, because a log keeps each statement once.

mod answer;
mod entry;
mod error;
mod http;
mod problem;
mod receipt;
mod registered;

use std::time::{Duration, Instant};

use countersign_verifier::statement::MAX_STATEMENT;
use url::Url;

pub use answer::AnswerError;
pub use error::SubmitError;
pub use problem::Problem;
pub use receipt::{Receipt, Shown, Submitted, Trust, UnknownWait, Unproven, Wait};
pub use registered::RegisteredKey;

use answer::Reply;
use http::{Atomicity, Http};

/// How many statements one batch may have.
pub const MAX_BATCH: usize = 1_024;
/// How many bytes one batch may have.
pub const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;
/// How long a submission is repeated while the log asks to wait.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A client of one log.
#[derive(Debug, Clone)]
pub struct Client {
    http: Http,
    trust: Trust,
    patience: Duration,
}

impl Client {
    /// A client of the log at `base`, whose answers are held against `trust`.
    pub fn new(base: &Url, trust: Trust) -> Result<Self, SubmitError> {
        Ok(Self { http: Http::new(base)?, trust, patience: PATIENCE })
    }

    /// Waits at most this long when the log asks to come back later.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where the log is, with a slash at the end.
    pub fn base(&self) -> &Url {
        self.http.base()
    }

    /// Submits one statement, and repeats it while the log asks to.
    ///
    /// [`Submitted::Logged`] carries a proof that was checked. [`Submitted::Accepted`] says that the log promises to
    /// keep the statement, but showed no proof within the client's patience.
    pub async fn submit(&self, statement: &[u8], wait: Wait) -> Result<Submitted, SubmitError> {
        let deadline = Deadline::after(self.patience);
        loop {
            let reply = self.attempt(statement, wait, deadline.left()).await?;
            let after = match &reply {
                Reply::Proven(_) => return reply.settled(statement),
                Reply::Pending { after, .. } | Reply::Busy { after, .. } => *after,
            };
            if !deadline.sleep(after).await {
                return reply.settled(statement);
            }
        }
    }

    /// Submits one statement once: what a load generator measures. Being asked to come back is an error here, or
    /// [`Submitted::Accepted`] when the log has the statement already.
    pub async fn submit_once(&self, statement: &[u8], wait: Wait) -> Result<Submitted, SubmitError> {
        self.attempt(statement, wait, self.patience).await?.settled(statement)
    }

    /// Submits statements in their order, later ones of which may refer to earlier ones, and repeats them while the
    /// log asks to. The answers are in the same order. Batches of the size that a log takes are made as needed.
    ///
    /// The error is one that concerns all of a batch, such as an unreachable log; what earlier batches brought is
    /// lost with it, but sending everything again finds it.
    pub async fn submit_batch(
        &self,
        statements: &[&[u8]],
        wait: Wait,
    ) -> Result<Vec<Result<Submitted, SubmitError>>, SubmitError> {
        let deadline = Deadline::after(self.patience);
        let mut results = Vec::with_capacity(statements.len());
        let mut rest = statements;
        while let Some((batch, tail)) =
            rest.split_at_checked(batch_length(rest)).filter(|(batch, _)| !batch.is_empty())
        {
            results.extend(self.submit_one_batch(batch, wait, Atomicity::Each, &deadline).await?);
            rest = tail;
        }
        Ok(results)
    }

    /// Submits statements of which the log takes all or none, at most as many as one batch has. A statement that was
    /// not taken because of another one has the problem `batch-refused`.
    pub async fn submit_all_or_none(
        &self,
        statements: &[&[u8]],
        wait: Wait,
    ) -> Result<Vec<Result<Submitted, SubmitError>>, SubmitError> {
        let deadline = Deadline::after(self.patience);
        self.submit_one_batch(statements, wait, Atomicity::AllOrNone, &deadline).await
    }

    async fn submit_one_batch(
        &self,
        batch: &[&[u8]],
        wait: Wait,
        atomicity: Atomicity,
        deadline: &Deadline,
    ) -> Result<Vec<Result<Submitted, SubmitError>>, SubmitError> {
        loop {
            let response = self.http.post_batch(batch, wait, atomicity, deadline.left()).await?;
            let replies = answer::batch(&response, batch, wait, &self.trust)?;
            // The log keeps each statement once, so that the whole batch can go again, in its order.
            let after = replies.iter().flatten().filter_map(Reply::come_back).max();
            if let Some(after) = after
                && deadline.sleep(after).await
            {
                continue;
            }
            let settle = |(reply, statement): (Result<Reply, SubmitError>, &&[u8])| reply?.settled(statement);
            return Ok(replies.into_iter().zip(batch).map(settle).collect());
        }
    }

    async fn attempt(&self, statement: &[u8], wait: Wait, limit: Duration) -> Result<Reply, SubmitError> {
        let response = self.http.post_entry(statement, wait, limit).await?;
        answer::single(&response, statement, wait, &self.trust)
    }

    /// Asks which keys are registered under a name, revoked ones included. The answer is the log's word, unproven.
    pub async fn registered_keys(&self, name: &str) -> Result<Vec<RegisteredKey>, SubmitError> {
        registered::parse(&self.http.get_issuer(name).await?)
    }
}

/// How many of `statements` fit in one batch; at least one, if there are any.
fn batch_length(statements: &[&[u8]]) -> usize {
    let mut bytes = 0_usize;
    let fits = statements.iter().take(MAX_BATCH).take_while(|statement| {
        bytes = bytes.saturating_add(statement.len());
        bytes <= MAX_BATCH_BYTES
    });
    fits.count().max(1).min(statements.len())
}

const _: () = assert!(MAX_STATEMENT <= MAX_BATCH_BYTES, "every statement fits in a batch");

/// When patience ends.
#[derive(Debug, Clone, Copy)]
struct Deadline(Option<Instant>);

impl Deadline {
    fn after(patience: Duration) -> Self {
        Self(Instant::now().checked_add(patience))
    }

    fn left(&self) -> Duration {
        self.0.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
    }

    /// Sleeps, unless patience ends before that: then `false`, at once.
    async fn sleep(&self, pause: Duration) -> bool {
        if pause >= self.left() {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_end_at_their_limits() {
        let small: &[u8] = &[0; 10];
        let large = vec![0; MAX_STATEMENT];
        assert_eq!(batch_length(&[]), 0);
        assert_eq!(batch_length(&[small; 5]), 5);
        assert_eq!(batch_length(&vec![small; MAX_BATCH + 1]), MAX_BATCH);
        assert_eq!(batch_length(&vec![large.as_slice(); MAX_BATCH]), MAX_BATCH_BYTES / MAX_STATEMENT);
        let oversized = vec![0; MAX_BATCH_BYTES + 1];
        assert_eq!(batch_length(&[&oversized, small]), 1);
    }
}
