//! Reading one resource again and again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::tally::Times;
use crate::client::{Address, Client, ClientError};

/// What is read, by how many, for how long.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    /// The log.
    pub log: Address,
    /// The path of the resource.
    pub path: String,
    /// How many connections there are, each of which asks again when it has its answer.
    pub connections: usize,
    /// For how long new requests are sent.
    pub duration: Duration,
}

/// What was read.
#[derive(Debug, Default)]
pub struct Reads {
    /// How long each whole answer took.
    pub latency: Times,
    /// How many bytes came, headers apart.
    pub bytes: u64,
}

/// Why reading ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// One resource, two lengths.
    #[error("GET {path} answers {now} bytes, and answered {before} before")]
    Length {
        /// What was asked for.
        path: String,
        /// The length of the first answer.
        before: usize,
        /// Another length.
        now: usize,
    },
    /// A task panicked.
    #[error("a connection's task ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Reads as planned. Every answer is held against the length of the first one, and no more: what is in it is checked
/// by whoever reads a log back.
pub async fn run(plan: ReadPlan) -> Result<(Reads, Duration), ReadError> {
    let mut clients = Vec::new();
    for _ in 0..plan.connections.max(1) {
        let mut client = Client::new(plan.log.clone());
        client.connect().await?;
        clients.push(client);
    }
    let start = Instant::now();
    let deadline = start.checked_add(plan.duration).unwrap_or(start);
    let plan = Arc::new(plan);
    let mut workers = JoinSet::new();
    for client in clients {
        workers.spawn(read(Arc::clone(&plan), client, deadline));
    }
    let mut all = Reads::default();
    while let Some(one) = workers.join_next().await {
        let one = one??;
        all.latency.merge(one.latency);
        add_bytes(&mut all.bytes, one.bytes);
    }
    Ok((all, start.elapsed()))
}

async fn read(plan: Arc<ReadPlan>, mut client: Client, deadline: Instant) -> Result<Reads, ReadError> {
    let mut reads = Reads::default();
    let mut length = None;
    loop {
        let sent = Instant::now();
        if sent >= deadline {
            return Ok(reads);
        }
        let now = client.length(&plan.path).await?;
        reads.latency.record(sent.elapsed());
        let before = *length.get_or_insert(now);
        if now != before {
            return Err(ReadError::Length { path: plan.path.clone(), before, now });
        }
        add_bytes(&mut reads.bytes, now as u64);
    }
}

fn add_bytes(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}
