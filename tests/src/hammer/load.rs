//! Sending.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use countersign_verifier::merkle::LeafHash;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Prepared;
use super::answers::{Heads, Item, Said, Wrong};
use super::schedule::Schedule;
use super::tally::{Tally, add};
use crate::client::{Address, Answer, Client};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_mins(1);

/// How late the last requests may be by the system's doing.
const TIMERS_LATE: Duration = Duration::from_millis(100);

/// What a submission waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Wait {
    /// The entry is durable and in a head signed by the log.
    Sequenced,
    /// A quorum of the log's witnesses has cosigned a head with the entry.
    Cosigned,
}

impl Wait {
    /// The word in the query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sequenced => "sequenced",
            Self::Cosigned => "cosigned",
        }
    }
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The log.
    pub log: Address,
    /// What to wait for.
    pub wait: Wait,
    /// How many statements are due each second; `None` for as many as the connections can.
    pub rate: Option<f64>,
    /// How many connections there are.
    pub connections: usize,
    /// How many statements go in one request: one by one, or in batches.
    pub batch: Option<u64>,
    /// For how long new requests are sent.
    pub duration: Duration,
}

impl Plan {
    /// How many statements are due in all, at a fixed rate.
    pub fn due(&self) -> Option<u64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "rates are positive and small"
        )]
        let count = |rate: f64| (rate * self.duration.as_secs_f64()).ceil().max(1.0) as u64;
        self.rate.map(count)
    }

    fn per_request(&self) -> u64 {
        self.batch.unwrap_or(1).max(1)
    }
}

struct Run {
    plan: Plan,
    prepared: Arc<Prepared>,
    next: AtomicU64,
    stop: AtomicBool,
    schedule: Option<(Schedule, Arc<Semaphore>)>,
    requests: u64,
    deadline: Instant,
}

/// Sends the prepared statements as planned. Returns what was seen, and how long it took to the last answer.
pub async fn run(plan: Plan, prepared: Arc<Prepared>) -> (Tally, Duration) {
    let start = Instant::now();
    let per_request = plan.per_request();
    let requests = prepared.count().div_ceil(per_request);
    #[expect(clippy::cast_precision_loss, reason = "a batch has at most 1,024 statements")]
    let schedule =
        plan.rate.map(|rate| (Schedule::new(start, rate / per_request as f64), Arc::new(Semaphore::new(0))));
    let deadline = start.checked_add(plan.duration).unwrap_or(start);
    let connections = plan.connections.max(1);
    let next = AtomicU64::new(0);
    let run =
        Arc::new(Run { plan, prepared, next, stop: AtomicBool::new(false), schedule, requests, deadline });
    let clock = run.schedule.clone().map(|(schedule, permits)| {
        let run = Arc::clone(&run);
        std::thread::spawn(move || {
            schedule.release(run.requests, &permits, &run.stop);
            // One more for each connection, so that each finds that there is nothing left.
            permits.add_permits(connections);
        })
    });
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        workers.spawn(work(Arc::clone(&run)));
    }
    let mut tally = Tally::default();
    while let Some(one) = workers.join_next().await {
        match one {
            Ok(one) => tally.merge(one),
            Err(error) => add(&mut tally.silences, format!("a connection's task ended: {error}"), 1),
        }
    }
    let took = start.elapsed();
    run.stop.store(true, Ordering::Relaxed);
    if let Some(clock) = clock {
        // The thread only sleeps and counts; were it to panic, the workers would have said so above.
        let _ = tokio::task::spawn_blocking(move || clock.join()).await;
    }
    (tally, took)
}

async fn work(run: Arc<Run>) -> Tally {
    let mut client = Client::new(run.plan.log.clone());
    let mut tally = Tally::default();
    while let Some((number, due)) = run.take().await {
        let now = Instant::now();
        // A timer that is late by a moment is not a connection that was busy.
        if now >= run.deadline && now.saturating_duration_since(due) > TIMERS_LATE {
            tally.unsent = tally.unsent.saturating_add(1);
            tally.latency.record(now.saturating_duration_since(due));
            continue;
        }
        let Some(request) = Request::new(&run, number) else { break };
        match tokio::time::timeout(PATIENCE, request.send(&mut client)).await {
            Err(_) => add(&mut tally.silences, format!("no answer in {PATIENCE:?}"), 1),
            Ok(Err(error)) => add(&mut tally.silences, error.to_string(), 1),
            Ok(Ok(answer)) => {
                let answered = Instant::now();
                let (from_due, from_sent) =
                    (answered.saturating_duration_since(due), answered.saturating_duration_since(now));
                if let Err((number, wrong)) = request.read(&answer, from_due, from_sent, &mut tally) {
                    run.stop.store(true, Ordering::Relaxed);
                    tally.wrong = Some((number, wrong));
                }
            }
        }
    }
    tally
}

impl Run {
    /// The number of the next request and when it is due; `None` when there is nothing more to do.
    async fn take(&self) -> Option<(u64, Instant)> {
        if let Some((_, permits)) = &self.schedule {
            permits.acquire().await.ok()?.forget();
        } else if Instant::now() >= self.deadline {
            return None;
        }
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let due = self.schedule.as_ref().map_or_else(Instant::now, |(schedule, _)| schedule.due(number));
        (number < self.requests).then_some((number, due))
    }
}

/// One request: its statements by number, and their ids.
struct Request {
    path: String,
    content_type: &'static str,
    body: Bytes,
    statements: Vec<(u64, LeafHash)>,
    batch: bool,
}

impl Request {
    fn new(run: &Run, number: u64) -> Option<Self> {
        let per_request = run.plan.per_request();
        let first = number.checked_mul(per_request)?;
        let mut body = Vec::new();
        let mut statements = Vec::new();
        for number in first..first.saturating_add(per_request).min(run.prepared.count()) {
            let statement = run.prepared.statement(number)?;
            statements.push((number, LeafHash::of(&statement)));
            body.extend_from_slice(&statement);
        }
        let wait = run.plan.wait.as_str();
        let batch = run.plan.batch.is_some();
        let (path, content_type) = if batch {
            (format!("/entries/batch?wait={wait}"), "application/cbor-seq")
        } else {
            (format!("/entries?wait={wait}"), "application/cose")
        };
        Some(Self { path, content_type, body: body.into(), statements, batch })
    }

    async fn send(&self, client: &mut Client) -> Result<Answer, crate::client::ClientError> {
        client.post(&self.path, self.content_type, self.body.clone()).await
    }

    /// Takes an answer into the tally. The error is an answer that is false on its face.
    fn read(
        &self,
        answer: &Answer,
        from_due: Duration,
        from_sent: Duration,
        tally: &mut Tally,
    ) -> Result<(), (u64, Wrong)> {
        let first = self.statements.first().map_or(0, |(number, _)| *number);
        let status = answer.status.as_u16();
        if !answer.status.is_success() {
            tally.refusals.record(from_sent);
            let code = problem_code(&answer.body);
            for (number, _) in &self.statements {
                refuse(tally, *number, code.clone(), status);
            }
            return Ok(());
        }
        tally.latency.record(from_due);
        let pending = answer.status == hyper::StatusCode::ACCEPTED;
        if self.batch {
            let items = Item::batch(&answer.body, self.statements.len()).map_err(|wrong| (first, wrong))?;
            for (item, (number, sent)) in items.into_iter().zip(&self.statements) {
                let said = item.check(*sent, pending, &mut tally.heads).map_err(|wrong| (*number, wrong))?;
                note(tally, *number, status, said);
            }
            return Ok(());
        }
        let Some((number, sent)) = self.statements.first() else { return Ok(()) };
        let said = Item::single(&answer.body).and_then(|item| item.check(*sent, pending, &mut tally.heads));
        note(tally, *number, status, said.map_err(|wrong| (*number, wrong))?);
        Ok(())
    }
}

fn note(tally: &mut Tally, number: u64, status: u16, said: Said) {
    match said {
        Said::There(index) => {
            add(&mut tally.statuses, status, 1);
            tally.acknowledged.insert(number, index.get());
        }
        Said::Refused(code, status) => refuse(tally, number, code, status),
    }
}

fn refuse(tally: &mut Tally, number: u64, code: String, status: u16) {
    add(&mut tally.statuses, status, 1);
    add(&mut tally.codes, code, 1);
    // A server that failed does not know itself what became of the statement; all others say that it is not in.
    if status != 500 {
        tally.refused.insert(number);
    }
}

fn problem_code(body: &[u8]) -> String {
    let item =
        Item::single(body).and_then(|item| item.check(LeafHash::of(b""), false, &mut Heads::default()));
    match item {
        Ok(Said::Refused(code, _)) => code,
        _ => "no problem document".to_owned(),
    }
}
