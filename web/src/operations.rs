//! What the operator of an explorer asks it: whether it runs, whether it is ready, and its figures.

use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use countersign_serving::figures::Figures;
use countersign_serving::readiness::{Reason, alive, ready};
use countersign_verifier::causes::with_causes;
use metrics::gauge;

use crate::explorer::Explorer;
use crate::figures::{FIGURES, NOT_READY, OF_PROGRAM, READY};
use crate::health::Condition;
use crate::mirror::Known;

const NOTHING_READ: &str = "nothing-read";
const NOT_FOLLOWED: &str = "log-not-followed";
const CONTRADICTION: &str = "log-contradicts-itself";

/// The codes of all reasons for which an explorer is not ready.
pub const REASON_CODES: &[&str] = &[NOTHING_READ, NOT_FOLLOWED, CONTRADICTION];

/// Why pages are missing or old, if they are.
fn reason(known: &Known) -> Option<Reason> {
    let trouble = known.trouble().map(|trouble| with_causes(trouble));
    Some(match Condition::of(known) {
        Condition::Contradiction => Reason {
            code: CONTRADICTION,
            detail: trouble.unwrap_or_else(|| "it did so since this program was started".to_owned()),
            remedy: "Save /health.json, which has both sides, before you restart, and show it to those who rely on the log.",
        },
        Condition::Unreadable => Reason {
            code: NOT_FOLLOWED,
            detail: trouble.unwrap_or_default(),
            remedy: "Look at the log and the way to it, and whether the trust policy is still the one for it.",
        },
        Condition::Waiting => Reason {
            code: NOTHING_READ,
            detail: trouble.unwrap_or_else(|| "the log was not read yet".to_owned()),
            remedy: "Wait until the log has published a head and its first entries are read.",
        },
        Condition::Following | Condition::Reading => return None,
    })
}

impl Explorer {
    /// `/healthz`, `/readyz` and `/metrics`, for an explorer that is a server of its own.
    pub fn operations(&self, figures: Figures) -> Router {
        Router::new()
            .route("/healthz", get(alive))
            .route("/readyz", get(answer_ready))
            .route("/metrics", get(render))
            .layer(Extension(figures))
            .with_state(self.clone())
    }

    /// Begins to count, for an explorer that is a server of its own.
    pub fn start_figures() -> Figures {
        Figures::start("countersign-explorer", env!("CARGO_PKG_VERSION"), &[OF_PROGRAM, FIGURES])
    }
}

async fn answer_ready(State(explorer): State<Explorer>) -> Response {
    ready(reason(&explorer.mirror().known()))
}

async fn render(State(explorer): State<Explorer>, Extension(figures): Extension<Figures>) -> Response {
    let reason = reason(&explorer.mirror().known());
    let one_if = |yes| f64::from(u8::from(yes));
    gauge!(READY).set(one_if(reason.is_none()));
    for code in REASON_CODES {
        gauge!(NOT_READY, "reason" => *code)
            .set(one_if(reason.as_ref().is_some_and(|reason| reason.code == *code)));
    }
    figures.render()
}
