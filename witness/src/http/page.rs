//! `GET /`: who this witness is and what it watches, for people.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{Html, IntoResponse as _, Response};

use super::catalog;
use super::problem::Problem;
use crate::latest::Shown;
use crate::witness::Witness;

/// How many logs the page shows.
const SHOWN: usize = 500;

const STYLE: &str = include_str!("../../templates/style.css");
/// Pages have no scripts, and load nothing but their style.
pub(super) const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    name: String,
    vkey: String,
    logs: Vec<Row>,
    /// How many logs there are beyond those shown.
    more: usize,
    ready: bool,
}

struct Row {
    origin: String,
    hash: String,
    state: Standing,
}

enum Standing {
    Nothing,
    Head { size: String, root: String, time: String },
    RolledBack,
}

/// The page.
pub(super) async fn page(State(witness): State<Arc<Witness>>) -> Response {
    let logs = witness.logs();
    let rows = logs.iter().take(SHOWN).map(|(origin, _)| Row {
        origin: origin.to_string(),
        hash: origin.hash(),
        state: match witness.latest(origin) {
            None => Standing::Nothing,
            Some(Shown::RolledBack(_)) => Standing::RolledBack,
            Some(Shown::Head(head)) => Standing::Head {
                size: head.size().to_string(),
                root: head.root().to_base64(),
                time: head.time().to_string(),
            },
        },
    });
    render(&Page {
        name: witness.key().name().to_string(),
        vkey: witness.key().to_string(),
        logs: rows.collect(),
        more: logs.len().saturating_sub(SHOWN),
        ready: witness.faults().is_empty(),
    })
}

/// The style of all pages.
pub(super) async fn style() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")];
    (headers, STYLE).into_response()
}

/// Answers with a page.
pub(super) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(page) => {
            ([(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)], Html(page)).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be drawn");
            Problem::new(&catalog::INTERNAL, "the page could not be drawn").into_response()
        }
    }
}
