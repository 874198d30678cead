//! Sending.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::StatusCode;
use tokio::task::JoinSet;

use super::Prepared;
use super::kept::{self, Kept};
use super::protocol::{Form, Protocol};
use super::publication::Publication;
use super::schedule::{Schedule, Turns};
use super::tally::{Tally, add};
use crate::client::{Address, Answer, Client, ClientError};

/// How long an answer may take before it counts as none.
const PATIENCE: Duration = Duration::from_mins(1);

/// How late the last requests may be by the system's doing.
const TIMERS_LATE: Duration = Duration::from_millis(100);

/// How long opening the connections may take.
const CONNECTING: Duration = Duration::from_secs(3);

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
    /// What it understands.
    pub protocol: Protocol,
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

    const fn form(&self) -> Form {
        Form::of(self.protocol, self.batch.is_some())
    }
}

struct Run {
    plan: Plan,
    prepared: Arc<Prepared>,
    next: AtomicU64,
    stop: AtomicBool,
    /// When requests are due, and who has to send them.
    schedule: Option<(Schedule, Turns)>,
    /// Only where the answers themselves do not wait for what the plan waits for.
    publication: Option<Publication>,
    requests: u64,
    deadline: Instant,
    /// How many bytes of answers are kept by now.
    kept: AtomicUsize,
    /// One for all connections: with one each, thousands of histograms would have to be made and added up.
    tally: Mutex<Tally>,
}

/// Sends the prepared statements as planned, then judges the answers. Returns what was seen, and how long it took to
/// the last answer.
pub async fn run(plan: Plan, prepared: Arc<Prepared>) -> (Tally, Duration) {
    let (mut tally, took) = send(plan.clone(), Arc::clone(&prepared)).await;
    judge(&plan, &prepared, &mut tally);
    (tally, took)
}

/// Judges the answers that [`send`] left in a tally: an acknowledgement counts as one from then on.
pub fn judge(plan: &Plan, prepared: &Prepared, tally: &mut Tally) {
    kept::judge(plan.form(), prepared, tally);
}

/// Sends the prepared statements as planned, and keeps the answers unread. Returns what was seen, and how long it took
/// to the last answer.
pub async fn send(plan: Plan, prepared: Arc<Prepared>) -> (Tally, Duration) {
    let publication = (plan.protocol == Protocol::Tessera && plan.wait == Wait::Cosigned)
        .then(|| Publication::of(plan.log.clone()));
    let clients = connect(&plan).await;
    let start = Instant::now();
    let per_request = plan.per_request();
    let requests = prepared.count().div_ceil(per_request);
    #[expect(clippy::cast_precision_loss, reason = "a batch has at most 1,024 statements")]
    let schedule = plan.rate.map(|rate| (Schedule::new(start, rate / per_request as f64), Turns::default()));
    let deadline = start.checked_add(plan.duration).unwrap_or(start);
    let run = Arc::new(Run {
        plan,
        prepared,
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        schedule,
        publication,
        requests,
        deadline,
        kept: AtomicUsize::new(0),
        tally: Mutex::default(),
    });
    let clock = run.schedule.is_some().then(|| {
        let run = Arc::clone(&run);
        std::thread::spawn(move || {
            if let Some((schedule, turns)) = &run.schedule {
                schedule.release(run.requests, turns, &run.stop);
            }
        })
    });
    let mut workers = JoinSet::new();
    for client in clients {
        workers.spawn(work(Arc::clone(&run), client));
    }
    while let Some(ended) = workers.join_next().await {
        if let Err(error) = ended {
            add(&mut run.tally().silences, format!("a connection's task ended: {error}"), 1);
        }
    }
    let took = start.elapsed();
    let tally = core::mem::take(&mut *run.tally());
    run.stop.store(true, Ordering::Relaxed);
    if let Some(clock) = clock {
        // The thread only sleeps and counts; were it to panic, the workers would have said so above.
        let _ = tokio::task::spawn_blocking(move || clock.join()).await;
    }
    (tally, took)
}

/// Opens the connections beforehand, and has one answer over each: connecting costs more than most requests do, and a
/// connection that the system has taken waits until the server takes it. What cannot be opened now, because the server
/// takes no more for example, is tried again by whoever needs it.
async fn connect(plan: &Plan) -> Vec<Client> {
    let mut clients: Vec<Client> =
        (0..plan.connections.max(1)).map(|_| Client::new(plan.log.clone())).collect();
    let all = async {
        for client in &mut clients {
            if client.get("/checkpoint").await.is_err() {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(CONNECTING, all).await;
    clients
}

async fn work(run: Arc<Run>, mut client: Client) {
    while let Some((number, due)) = run.take().await {
        let now = Instant::now();
        // A timer that is late by a moment is not a connection that was busy.
        if now >= run.deadline && now.saturating_duration_since(due) > TIMERS_LATE {
            let mut tally = run.tally();
            tally.unsent = tally.unsent.saturating_add(1);
            tally.latency.record(now.saturating_duration_since(due));
            continue;
        }
        let Some(request) = Request::new(&run, number) else { break };
        let (first, count) = (request.first, request.count);
        match tokio::time::timeout(PATIENCE, run.exchange(&mut client, request)).await {
            Err(_) => add(&mut run.tally().silences, format!("no answer in {PATIENCE:?}"), 1),
            Ok(Err(error)) => add(&mut run.tally().silences, error.to_string(), 1),
            Ok(Ok(answer)) => {
                let answered = Instant::now();
                let mut tally = run.tally();
                if answer.status.is_success() {
                    tally.latency.record(answered.saturating_duration_since(due));
                } else {
                    tally.refusals.record(answered.saturating_duration_since(now));
                    count_retry_after(&answer, &mut tally);
                }
                run.keep(first, count, &answer, &mut tally);
            }
        }
    }
}

/// Whoever refuses for want of room has to say when there will be some.
fn count_retry_after(answer: &Answer, tally: &mut Tally) {
    let pressed = matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    if pressed && answer.header("retry-after").is_none() {
        tally.without_retry_after = tally.without_retry_after.saturating_add(1);
    }
}

impl Run {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the next request and when it is due; `None` when there is nothing more to do.
    async fn take(&self) -> Option<(u64, Instant)> {
        if let Some((_, turns)) = &self.schedule {
            if !turns.take().await {
                return None;
            }
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

    /// Sends a request, and waits for what the plan waits for.
    async fn exchange(&self, client: &mut Client, request: Request) -> Result<Answer, ClientError> {
        let form = self.plan.form();
        let path = form.path(self.plan.wait);
        let answer = client.post(path, form.content_type(), request.body).await?;
        if let Some(publication) = &self.publication
            && answer.status.is_success()
            && let Ok(index) = kept::index(&answer.body)
        {
            publication.covers(index.get()).await;
        }
        Ok(answer)
    }

    /// Keeps an answer for later, or judges it now if there is no more room for it.
    fn keep(&self, first: u64, count: u64, answer: &Answer, tally: &mut Tally) {
        // A copy has the size of the body; what came may hold on to a buffer many times as large.
        let kept = Kept { first, count, status: answer.status, body: Bytes::copy_from_slice(&answer.body) };
        let before = self.kept.fetch_add(kept.body.len(), Ordering::Relaxed);
        if before < kept::AT_MOST_BYTES {
            tally.kept.push(kept);
            return;
        }
        tally.judged_at_once = tally.judged_at_once.saturating_add(1);
        if let Err(wrong) = kept.judge(self.plan.form(), &self.prepared, tally) {
            self.stop.store(true, Ordering::Relaxed);
            tally.wrong = Some(wrong);
        }
    }
}

/// One request, with the statements from one number on.
struct Request {
    first: u64,
    count: u64,
    body: Bytes,
}

impl Request {
    fn new(run: &Run, number: u64) -> Option<Self> {
        let first = number.checked_mul(run.plan.per_request())?;
        let after = first.saturating_add(run.plan.per_request()).min(run.prepared.count());
        let count = after.checked_sub(first)?;
        if count == 1 {
            return Some(Self { first, count, body: run.prepared.statement(first)?.into() });
        }
        let mut body = Vec::new();
        for number in first..after {
            body.extend_from_slice(&run.prepared.statement(number)?);
        }
        Some(Self { first, count, body: body.into() })
    }
}
