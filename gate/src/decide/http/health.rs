//! Whether decisions can be made, recorded and authorized.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use countersign_serving::readiness::{self, Reason};
use countersign_verifier::causes::with_causes;
use countersign_verifier::statement::{IssuerStatus, Role};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::Desk;
use crate::decide::point::DecisionPoint;
use crate::issuer::Issuer;

/// The codes of all reasons.
pub const CODES: &[&str] = &[NOT_PUBLISHED, UNREACHABLE, NOT_REGISTERED];
const NOT_PUBLISHED: &str = "policy-not-published";
const UNREACHABLE: &str = "log-unreachable";
const NOT_REGISTERED: &str = "issuer-not-registered";

/// How long what was found out counts: the log is not asked as often as others ask.
const COUNTS: Duration = Duration::from_secs(2);
/// How long the log may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What was found out, and when.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Option<(Instant, Vec<Reason>)>>);

impl Health {
    /// Why not everything can be done, if so.
    pub(super) async fn reasons(&self, point: &DecisionPoint) -> Vec<Reason> {
        let mut known = self.0.lock().await;
        match &*known {
            Some((at, reasons)) if at.elapsed() < COUNTS => reasons.clone(),
            _ => {
                let reasons = find_out(point).await;
                *known = Some((Instant::now(), reasons.clone()));
                reasons
            }
        }
    }
}

/// `GET /readyz`.
pub(super) async fn ready(State(desk): State<Arc<Desk>>) -> Response {
    readiness::ready(desk.health.reasons(&desk.point).await)
}

async fn find_out(point: &DecisionPoint) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if point.cited().is_none() {
        reasons.push(Reason {
            code: NOT_PUBLISHED,
            detail: point.trouble(),
            remedy: "It is tried again all the time. See that the log runs, and that the authority is registered as author.",
        });
    }
    for (issuer, role) in [(&point.requester, Role::Requester), (&point.authority, Role::Authority)] {
        match registered(point, issuer, role).await {
            Ok(true) => {}
            Ok(false) => reasons.push(Reason {
                code: NOT_REGISTERED,
                detail: format!("the key of {} is not registered in the role {role}", issuer.name()),
                remedy: "The operator of the log registers it: countersign issuer add.",
            }),
            Err(detail) => {
                let remedy = "See that the log runs, and that the address in the configuration is its own.";
                reasons.push(Reason { code: UNREACHABLE, detail, remedy });
                break;
            }
        }
    }
    reasons
}

async fn registered(point: &DecisionPoint, issuer: &Issuer, role: Role) -> Result<bool, String> {
    match timeout(PATIENCE, point.client.registered_keys(issuer.name().as_str())).await {
        Ok(Ok(keys)) => Ok(keys.iter().any(|key| {
            key.public_key == *issuer.public_key()
                && key.status == IssuerStatus::Active
                && key.roles.contains(&role)
        })),
        Ok(Err(error)) if error.refusal().is_some_and(|problem| problem.status == 404) => Ok(false),
        Ok(Err(error)) => Err(with_causes(&error)),
        Err(_) => Err(format!("the log did not answer within {} s", PATIENCE.as_secs())),
    }
}
