//! `GET /errors` and `GET /errors/<code>`: what the refusals mean.

use askama::Template;
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use countersign_verifier::statement::Problem as Sort;

use super::problem::Problem;
use super::{catalog, page};

#[derive(Template)]
#[template(path = "errors.html")]
struct Errors {
    sorts: Vec<&'static Sort>,
}

/// All of them on one page.
pub(super) async fn list() -> Response {
    page::render(&Errors { sorts: catalog::all().collect() })
}

/// The one with this code.
pub(super) async fn one(Path(code): Path<String>) -> Response {
    match catalog::by_code(&code) {
        Some(sort) => page::render(&Errors { sorts: vec![sort] }),
        None => {
            Problem::new(&catalog::NOT_FOUND, "expected one of the codes that /errors lists").into_response()
        }
    }
}
