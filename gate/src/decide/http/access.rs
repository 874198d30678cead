//! The access evaluation API.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use tokio::sync::SemaphorePermit;
use tokio::task::JoinSet;

use super::refusal::Refusal;
use super::{Desk, body};
use crate::decide::answer::Answer;
use crate::decide::request::{Evaluations, Request, RequestError, Semantic};

/// `POST /access/v1/evaluation`.
pub(super) async fn evaluation(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    desk.admit(&headers)?;
    let request = Request::parse(&body::read(&headers, body).await?)?;
    one(&desk, &request).await
}

/// `POST /access/v1/evaluations`.
pub(super) async fn evaluations(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    desk.admit(&headers)?;
    match Evaluations::parse(&body::read(&headers, body).await?)? {
        Evaluations::One(request) => one(&desk, &request).await,
        Evaluations::Many(items, semantic) => {
            let _room = desk.room(items.len())?;
            let answers = match semantic {
                Semantic::ExecuteAll => all(&desk, items).await?,
                Semantic::DenyOnFirstDeny => up_to(&desk, items, false).await,
                Semantic::PermitOnFirstPermit => up_to(&desk, items, true).await,
            };
            Ok(Json(json!({ "evaluations": answers })).into_response())
        }
    }
}

async fn one(desk: &Desk, request: &Request) -> Result<Response, Refusal> {
    let _room = desk.room(1)?;
    Ok(Json(desk.point.decide(request).await).into_response())
}

/// Decides all items at once, and answers in their order.
async fn all(desk: &Arc<Desk>, items: Vec<Result<Request, RequestError>>) -> Result<Vec<Answer>, Refusal> {
    let mut deciding = JoinSet::new();
    let mut answers = Vec::with_capacity(items.len());
    for (at, item) in items.into_iter().enumerate() {
        answers.push(None);
        let desk = Arc::clone(desk);
        deciding.spawn(async move { (at, desk.item(item).await) });
    }
    while let Some(decided) = deciding.join_next().await {
        let (at, answer) = decided.map_err(|_| Refusal::Internal)?;
        if let Some(place) = answers.get_mut(at) {
            *place = Some(answer);
        }
    }
    answers.into_iter().map(|answer| answer.ok_or(Refusal::Internal)).collect()
}

/// Decides items one after the other, up to the first that comes out like this.
async fn up_to(desk: &Desk, items: Vec<Result<Request, RequestError>>, last: bool) -> Vec<Answer> {
    let mut answers = Vec::new();
    for item in items {
        let answer = desk.item(item).await;
        let ends = answer.permits() == last;
        answers.push(answer);
        if ends {
            break;
        }
    }
    answers
}

impl Desk {
    fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(token) = &self.token else {
            let known = |host: &HeaderValue| {
                host.to_str().is_ok_and(|host| self.hosts.iter().any(|known| known.is(host)))
            };
            // Of several, nobody can tell by which one it was asked.
            let mut hosts = headers.get_all(header::HOST).iter();
            let is_here = hosts.next().is_some_and(known) && hosts.next().is_none();
            return if is_here { Ok(()) } else { Err(Refusal::Elsewhere) };
        };
        let shown = headers.get(header::AUTHORIZATION).is_some_and(|shown| token.opens(shown.as_bytes()));
        if shown { Ok(()) } else { Err(Refusal::Unauthorized) }
    }

    /// Room for so many decisions, or none at all: who waits for room only grows older.
    fn room(&self, decisions: usize) -> Result<SemaphorePermit<'_>, Refusal> {
        let decisions = u32::try_from(decisions).map_err(|_| Refusal::Overloaded)?;
        self.room.try_acquire_many(decisions).map_err(|_| Refusal::Overloaded)
    }

    async fn item(&self, item: Result<Request, RequestError>) -> Answer {
        match item {
            Ok(request) => self.point.decide(&request).await,
            Err(error) => {
                let answer = Answer::no_request(&error);
                answer.count(Duration::ZERO);
                answer
            }
        }
    }
}
