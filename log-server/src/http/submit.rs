//! `POST /entries`: one statement.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use countersign_verifier::statement::MAX_STATEMENT;
use tokio::sync::oneshot;

use super::answer::{self, Form, Wait};
use super::app::App;
use super::body::{self, COSE, JSON};
use super::catalog::codes;
use super::checkers::UnderWay;
use super::claimed;
use super::intake::{self, Taken};
use super::problem::Refusal;
use super::query::Query;
use crate::fair::Load;
use crate::log::{Rejection, Sequenced, SubmitError};
use crate::sequencer::Announced;
use crate::stage::{self, Stage};

/// The largest JSON form of a statement that is read: the longest statement with generous formatting.
pub(super) const MAX_JSON: usize = 256 * 1024;

pub(super) async fn submit(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let deadline = tokio::time::Instant::now() + app.options.wait;
    let (parts, body) = request.into_parts();
    let wait = Wait::of(&Query::of(&parts.uri, &["wait"])?)?;
    let form = Form::of(&parts.headers)?;
    let is_json = body::media_type(&parts.headers, &[COSE, JSON])?.essence == JSON.essence;
    let limit = if is_json { MAX_JSON } else { MAX_STATEMENT };
    let bytes = body::read(&parts.headers, body, limit, app.options.body).await?;
    let turn = if is_json { claimed::in_json(&bytes) } else { claimed::in_cose(&bytes) };
    let check = if is_json { intake::json } else { intake::cose };
    let here = Arc::clone(&app);
    let (load, since) = (Load { statements: 1, bytes: bytes.len() }, Instant::now());
    let (done, told) = oneshot::channel();
    app.checkers.give(&turn, load, app.log.share_of_one(), move |under_way| {
        let (done, announced) = (Done(Some((done, under_way))), here.log.announce());
        let checked = check(&here, &bytes);
        stage::record(Stage::Verified, since.elapsed());
        enter(&here, checked, announced, done);
    })?;
    // From here on it is not under way any more.
    let Ok((outcome, _)) = told.await else { return Err(app.log.reason_to_come().await.into()) };
    if let (Outcome::Decided(_), Some(issuer)) = (&outcome, &turn) {
        tracing::Span::current().record("issuer", tracing::field::display(issuer));
    }
    let sequenced = match outcome {
        Outcome::Refused(refusal) => return Err(refusal),
        Outcome::Known(sequenced) | Outcome::Decided(Ok(sequenced)) => sequenced,
        Outcome::Decided(Err(rejection)) => {
            let refusal = Refusal::from(rejection);
            return Err(if is_json { refusal.within_payload() } else { refusal });
        }
    };
    tracing::Span::current().record("index", sequenced.index.get());
    app.statements.count(sequenced.new);
    answer::respond(&app, sequenced, wait, form, deadline).await
}

/// What became of a statement.
enum Outcome {
    /// The log holds the same bytes already.
    Known(Sequenced),
    /// It was signed by whom it says it is of, and the sequencer has decided.
    Decided(Result<Sequenced, Rejection>),
    Refused(Refusal),
}

/// Where the outcome is told. Who drops it without one has met a fault.
struct Done(Option<(oneshot::Sender<(Outcome, UnderWay)>, UnderWay)>);

impl Done {
    fn tell(mut self, outcome: Outcome) {
        // When the client has gone, nobody listens.
        if let Some((done, under_way)) = self.0.take() {
            let _ = done.send((outcome, under_way));
        }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if let Some((done, under_way)) = self.0.take() {
            let _ = done.send((Outcome::Refused(Refusal::internal()), under_way));
        }
    }
}

/// Gives a statement that was checked to the sequencer at once: whoever waits for the answer is woken once, and not
/// twice.
fn enter(app: &App, checked: Result<Taken, Refusal>, announced: Announced, mut done: Done) {
    let statement = match checked {
        Ok(Taken::Fresh(statement)) => statement,
        Ok(Taken::Known(known)) => return done.tell(Outcome::Known(known)),
        Err(refusal) => return done.tell(Outcome::Refused(refusal)),
    };
    if let Err(refusal) = app.rates.take(&statement.statement().claims().issuer) {
        return done.tell(Outcome::Refused(refusal));
    }
    // From here on no word means that the log stops.
    let Some((done, under_way)) = done.0.take() else { return };
    app.log.hand_in(*statement, announced, |answer| {
        let outcome = match answer.map(|decisions| decisions.into_iter().next()) {
            Ok(Some(decision)) => Outcome::Decided(decision),
            Ok(None) => Outcome::Refused(Refusal::internal()),
            Err(error) => Outcome::Refused(error.into()),
        };
        let _ = done.send((outcome, under_way));
    });
}

impl From<SubmitError> for Refusal {
    fn from(error: SubmitError) -> Self {
        let (problem, seconds) = match error {
            SubmitError::QueueFull => (&codes::OVERLOADED, 1),
            SubmitError::ShuttingDown => (&codes::SHUTTING_DOWN, 5),
            SubmitError::Stopped(_) => (&codes::STOPPED, 60),
        };
        // What stopped the log is the operator's business, and stands at /readyz.
        let detail = match error {
            SubmitError::Stopped(_) => "the log has stopped signing; /readyz says why".to_owned(),
            error => error.to_string(),
        };
        Self::new(problem, detail).retry_after(std::time::Duration::from_secs(seconds))
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Refused(refused) => refused.into(),
            Rejection::WithOthers(_) => Self::new(&codes::BATCH_REFUSED, rejection.to_string()),
        }
    }
}
