//! `POST /entries/batch`: up to 1,024 statements in one request.

use std::collections::VecDeque;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use countersign_verifier::statement::UnixSeconds;
use serde::Serialize;
use tokio::sync::SemaphorePermit;

use super::answer::{self, Answer, Pending, Wait};
use super::app::{App, BATCH_KIB};
use super::body::{self, CBOR_SEQ};
use super::catalog::codes;
use super::cbor_seq;
use super::intake::{self, Taken};
use super::metrics;
use super::negotiate;
use super::problem::Refusal;
use super::query::Query;
use super::submit::sequence;
use crate::log::{Atomicity, Log, Rejection, Sequenced};

/// The most statements of one batch.
pub(super) const MAX_STATEMENTS: usize = 1024;
/// The most bytes of one batch.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What became of one statement.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Item {
    Proven(Answer),
    Pending(Pending),
    Refused(Refusal),
}

pub(super) async fn submit_batch(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let deadline = tokio::time::Instant::now() + app.options.wait;
    let (parts, body) = request.into_parts();
    let query = Query::of(&parts.uri, &["wait", "atomic"])?;
    let wait = Wait::of(&query)?;
    let atomicity = atomicity(&query)?;
    body::media_type(&parts.headers, &[CBOR_SEQ])?;
    if negotiate::choose(&parts.headers, &["application/json"]).is_none() {
        let detail = "the header Accept names no media type of the answer, expected application/json";
        return Err(Refusal::new(&codes::NOT_ACCEPTABLE, detail));
    }
    let room = room(&app, body::announced_length(&parts.headers)).await?;
    let bytes = body::read(&parts.headers, body, MAX_BYTES, app.options.body).await?;
    let (log, now) = (Arc::clone(&app.log), app.now());
    let taken = app.checkers.run(move || check(&log, now, &bytes)).await??;
    let results = decide(&app, taken, atomicity).await?;
    drop(room);
    respond(&app, results, wait, deadline).await
}

fn atomicity(query: &Query) -> Result<Atomicity, Refusal> {
    let parse = |text: &str| match text {
        "true" => Some(Atomicity::AllOrNone),
        "false" => Some(Atomicity::Each),
        _ => None,
    };
    Ok(query.optional("atomic", parse, "true or false")?.unwrap_or(Atomicity::Each))
}

/// Holds room for the bytes of a batch: only so many are in memory at once, however many connections send them.
async fn room(app: &App, announced: Option<u64>) -> Result<SemaphorePermit<'_>, Refusal> {
    let largest = MAX_BYTES.div_ceil(1024);
    let kib = announced.and_then(|bytes| usize::try_from(bytes.div_ceil(1024)).ok()).unwrap_or(largest);
    let permits = u32::try_from(kib.min(largest).min(BATCH_KIB)).unwrap_or(u32::MAX);
    if let Ok(Ok(permit)) = tokio::time::timeout(app.options.wait, app.batches.acquire_many(permits)).await {
        return Ok(permit);
    }
    let detail = "too many batches are under way";
    Err(Refusal::new(&codes::OVERLOADED, detail).retry_after(std::time::Duration::from_secs(1)))
}

/// Takes the batch apart and checks its statements. If it cannot be taken apart, nothing of it is taken.
fn check(log: &Log, now: UnixSeconds, bytes: &Bytes) -> Result<Vec<Result<Taken, Refusal>>, Refusal> {
    let mut items: Vec<&[u8]> = Vec::new();
    for item in cbor_seq::items(bytes) {
        if items.len() == MAX_STATEMENTS {
            let detail = format!("the batch has more than {MAX_STATEMENTS} statements");
            return Err(Refusal::new(&codes::BATCH_TOO_LONG, detail));
        }
        items.push(item.map_err(|error| Refusal::new(&codes::BATCH_MALFORMED, error.to_string()))?);
    }
    if items.is_empty() {
        let detail = format!("the batch is empty, expected 1 to {MAX_STATEMENTS} statements");
        return Err(Refusal::new(&codes::BATCH_MALFORMED, detail));
    }
    Ok(intake::batch(log, now, &items))
}

/// Enters what was found in order, and says of every statement what became of it.
async fn decide(
    app: &App,
    taken: Vec<Result<Taken, Refusal>>,
    atomicity: Atomicity,
) -> Result<Vec<Result<Sequenced, Refusal>>, Refusal> {
    let taken: Vec<Result<Taken, Refusal>> = taken
        .into_iter()
        .map(|taken| match taken {
            Ok(Taken::Fresh(statement)) => {
                app.rates.take(&statement.statement().claims().issuer).map(|()| Taken::Fresh(statement))
            }
            other => other,
        })
        .collect();
    if atomicity == Atomicity::AllOrNone
        && let Some(culprit) = taken.iter().position(Result::is_err)
    {
        let others = || Err(Rejection::WithOthers(culprit).into());
        return Ok(taken.into_iter().map(|taken| taken.map_or_else(Err, |_| others())).collect());
    }
    let mut fresh = Vec::new();
    let mut positions = Vec::new();
    let mut results: Vec<Option<Result<Sequenced, Refusal>>> = Vec::new();
    for (position, taken) in taken.into_iter().enumerate() {
        results.push(match taken {
            Err(refusal) => Some(Err(refusal)),
            Ok(Taken::Known(known)) => Some(Ok(known)),
            Ok(Taken::Fresh(statement)) => {
                fresh.push(*statement);
                positions.push(position);
                None
            }
        });
    }
    let decided = if fresh.is_empty() { Vec::new() } else { sequence(app, fresh, atomicity).await? };
    let mut decided = VecDeque::from(decided);
    let in_the_batch = |rejection: Rejection| match rejection {
        Rejection::WithOthers(at) => Rejection::WithOthers(positions.get(at).copied().unwrap_or(at)),
        refused @ Rejection::Refused(_) => refused,
    };
    results
        .into_iter()
        .map(|result| match result {
            Some(result) => Ok(result),
            None => decided
                .pop_front()
                .map(|result| result.map_err(|rejection| in_the_batch(rejection).into()))
                .ok_or_else(Refusal::internal),
        })
        .collect()
}

async fn respond(
    app: &App,
    results: Vec<Result<Sequenced, Refusal>>,
    wait: Wait,
    deadline: tokio::time::Instant,
) -> Result<Response, Refusal> {
    let entered: Vec<Sequenced> = results.iter().filter_map(|result| result.as_ref().ok()).copied().collect();
    for sequenced in &entered {
        metrics::count_statement(sequenced.new);
    }
    let last = entered.iter().map(|sequenced| sequenced.index).max();
    let head = match last {
        Some(last) => answer::head(app, last, wait, deadline).await,
        None => None,
    };
    let pending = last.is_some() && head.is_none();
    let mut answers = VecDeque::new();
    if let Some(head) = head {
        answers = app.read(move |log| answer::prove(log, &head, &entered)).await??.into();
    }
    let items: Vec<Item> = results
        .into_iter()
        .map(|result| match result {
            Err(refusal) => Item::Refused(refusal.counted()),
            Ok(sequenced) => match answers.pop_front() {
                Some(answer) => Item::Proven(answer),
                None => Item::Pending(sequenced.into()),
            },
        })
        .collect();
    let status = if pending { StatusCode::ACCEPTED } else { StatusCode::OK };
    let mut response = (status, Json(items)).into_response();
    if pending {
        response.headers_mut().insert(header::RETRY_AFTER, answer::ask_again());
    }
    Ok(response)
}
