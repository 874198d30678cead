//! `POST /entries`: one statement.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::response::Response;
use countersign_verifier::statement::MAX_STATEMENT;

use super::answer::{self, Form, Wait};
use super::app::App;
use super::body::{self, COSE, JSON};
use super::catalog::codes;
use super::claimed;
use super::intake::{self, Taken};
use super::metrics;
use super::problem::Refusal;
use super::query::Query;
use crate::fair::Load;
use crate::log::{Atomicity, Rejection, SubmitError};
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
    let taken = app.checkers.run(&turn, load, move || check(&here, &bytes)).await??;
    stage::record(Stage::Verified, since.elapsed());
    let sequenced = match taken {
        Taken::Known(sequenced) => sequenced,
        Taken::Fresh(statement) => {
            let issuer = &statement.statement().claims().issuer;
            tracing::Span::current().record("issuer", tracing::field::display(issuer));
            app.rates.take(issuer)?;
            let results = app.log.submit(vec![*statement], Atomicity::Each).await?;
            let result = results.into_iter().next().ok_or_else(Refusal::internal)?;
            result.map_err(|rejection| {
                let refusal = Refusal::from(rejection);
                if is_json { refusal.within_payload() } else { refusal }
            })?
        }
    };
    tracing::Span::current().record("index", sequenced.index.get());
    metrics::count_statement(sequenced.new);
    answer::respond(&app, sequenced, wait, form, deadline).await
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
