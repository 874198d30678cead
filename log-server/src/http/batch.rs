//! `POST /entries/batch`: up to 1,024 statements in one request.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};

use super::answer::{self, Wait};
use super::app::App;
use super::body::{self, CBOR_SEQ, Reading};
use super::catalog::codes;
use super::cbor_seq;
use super::checkers::Turn;
use super::claimed;
use super::intake::{self, Part, Taken};
use super::negotiate;
use super::problem::Refusal;
use super::query::Query;
use crate::fair::Load;
use crate::log::{Atomicity, Rejection, Sequenced};
use crate::stage::{self, Stage};

/// The most statements of one batch.
pub(super) const MAX_STATEMENTS: usize = 1024;
/// The most bytes of one batch.
pub(super) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// How many statements are checked, or proven, before others have their turn.
const SLICE: usize = 16;
/// In how many first bytes of a batch the issuer of its first statement is found.
const BEGINNING: usize = 512;

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
    let mut body = Reading::begin(&parts.headers, body, MAX_BYTES, app.options.body)?;
    let turn = claimed::in_cose(&body.first(BEGINNING).await?);
    let mut room = app.rooms.open(&turn, parts.extensions.get().copied());
    let items = split(&body.whole_within(|length| room.hold(length)).await?)?;
    let taken = check(&app, &turn, items).await?;
    tell_issuer(&taken);
    let results = decide(&app, taken, atomicity).await?;
    drop(room);
    respond(&app, &turn, results, wait, deadline).await
}

fn atomicity(query: &Query) -> Result<Atomicity, Refusal> {
    let parse = |text: &str| match text {
        "true" => Some(Atomicity::AllOrNone),
        "false" => Some(Atomicity::Each),
        _ => None,
    };
    Ok(query.optional("atomic", parse, "true or false")?.unwrap_or(Atomicity::Each))
}

/// Takes the batch apart. If it cannot be taken apart, nothing of it is taken.
fn split(bytes: &Bytes) -> Result<Vec<Bytes>, Refusal> {
    let mut items = Vec::new();
    for item in cbor_seq::items(bytes) {
        if items.len() == MAX_STATEMENTS {
            let detail = format!("the batch has more than {MAX_STATEMENTS} statements");
            return Err(Refusal::new(&codes::BATCH_TOO_LONG, detail));
        }
        let item = item.map_err(|error| Refusal::new(&codes::BATCH_MALFORMED, error.to_string()))?;
        items.push(bytes.slice_ref(item));
    }
    if items.is_empty() {
        let detail = format!("the batch is empty, expected 1 to {MAX_STATEMENTS} statements");
        return Err(Refusal::new(&codes::BATCH_MALFORMED, detail));
    }
    Ok(items)
}

/// Checks the statements, slice by slice.
async fn check(
    app: &Arc<App>,
    turn: &Turn,
    items: Vec<Bytes>,
) -> Result<Vec<Result<Taken, Refusal>>, Refusal> {
    let since = Instant::now();
    let whole = Load { statements: items.len(), bytes: items.iter().map(Bytes::len).sum() };
    let slices = items.chunks(SLICE).map(|slice| {
        let load = Load { statements: slice.len(), bytes: slice.iter().map(Bytes::len).sum() };
        let (app, slice) = (Arc::clone(app), slice.to_vec());
        (load, move || intake::part(&app, &slice))
    });
    let parts = app.checkers.run_all(turn, slices.collect()).await?;
    let taken = if parts.iter().any(Part::is_open) {
        app.checkers.run(turn, whole, move || intake::join(parts)).await?
    } else {
        intake::join(parts)
    };
    stage::record(Stage::Verified, since.elapsed());
    Ok(taken)
}

/// Puts the issuer into the line about the request: that of the first new statement. A batch is rarely of several.
fn tell_issuer(taken: &[Result<Taken, Refusal>]) {
    let issuer = taken.iter().find_map(|taken| match taken {
        Ok(Taken::Fresh(statement)) => Some(&statement.statement().claims().issuer),
        _ => None,
    });
    if let Some(issuer) = issuer {
        tracing::Span::current().record("issuer", tracing::field::display(issuer));
    }
}

/// Enters what was found in order, and says of every statement what became of it.
async fn decide(
    app: &App,
    taken: Vec<Result<Taken, Refusal>>,
    atomicity: Atomicity,
) -> Result<Vec<Result<Sequenced, Refusal>>, Refusal> {
    let within_rate = |taken: Result<Taken, Refusal>| match taken {
        Ok(Taken::Fresh(statement)) => {
            app.rates.take(&statement.statement().claims().issuer).map(|()| Taken::Fresh(statement))
        }
        other => other,
    };
    let taken: Vec<Result<Taken, Refusal>> = taken.into_iter().map(within_rate).collect();
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
    let decided = if fresh.is_empty() { Vec::new() } else { app.log.submit(fresh, atomicity).await? };
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
    turn: &Turn,
    results: Vec<Result<Sequenced, Refusal>>,
    wait: Wait,
    deadline: tokio::time::Instant,
) -> Result<Response, Refusal> {
    let mut last = None;
    for sequenced in results.iter().flatten() {
        app.statements.count(sequenced.new);
        last = last.max(Some(sequenced.index));
    }
    if let Some(first) = results.iter().flatten().next() {
        tracing::Span::current().record("index", first.index.get());
    }
    let head = match last {
        Some(last) => answer::head(app, last, wait, deadline).await,
        None => None,
    };
    let pending = last.is_some() && head.is_none();
    let head = head.map(Arc::new);
    let mut slices = Vec::new();
    let mut results = results.into_iter();
    loop {
        let slice: Vec<_> = results.by_ref().take(SLICE).collect();
        if slice.is_empty() {
            break;
        }
        let (log, head) = (Arc::clone(&app.log), head.clone());
        let load = Load { statements: slice.len(), bytes: 0 };
        slices.push((load, move || answer::write_items(&log, head.as_deref(), slice)));
    }
    let mut body = BytesMut::from("[");
    for slice in app.checkers.finish_all(turn, slices).await? {
        if body.len() > 1 {
            body.extend_from_slice(b",");
        }
        body.extend_from_slice(&slice?);
    }
    body.extend_from_slice(b"]");
    let status = if pending { StatusCode::ACCEPTED } else { StatusCode::OK };
    let mut response = (status, [(header::CONTENT_TYPE, answer::JSON)], body.freeze()).into_response();
    if pending {
        response.headers_mut().insert(header::RETRY_AFTER, answer::ask_again());
    }
    Ok(response)
}
