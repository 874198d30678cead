//! The pages behind problem types: what a problem means and what to do about it.

use askama::Template;
use axum::Json;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use countersign_verifier::statement::Problem;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::catalog::{self, codes};
use super::negotiate;
use super::problem::{PROBLEM_JSON, Refusal};
use super::query::cut;

const HTML: &str = "text/html";
const JSON: &str = "application/json";

/// The style of the pages, inside of them: they stand alone, also when the explorer is switched off.
const STYLE: &str = ":root{color-scheme:light dark}body{max-width:44rem;margin:2rem auto;padding:0 1rem;line-height:1.5;\
    font-family:system-ui,sans-serif}\
    code{font-family:ui-monospace,monospace}dt{margin-top:1rem;font-weight:600}dd{margin:0}";

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    style: &'static str,
    problem: &'static Problem,
}

#[derive(Template)]
#[template(path = "errors.html")]
struct ErrorsPage {
    style: &'static str,
    problems: Vec<&'static Problem>,
}

/// A problem type as JSON: the twin of its page.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProblemType {
    /// The problem type, which is also the path of its page.
    r#type: String,
    /// A few words that never change with the occurrence.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What it means.
    explanation: &'static str,
    /// What to do about it.
    remedy: &'static str,
}

impl From<&'static Problem> for ProblemType {
    fn from(problem: &'static Problem) -> Self {
        let Problem { code, title, status, explanation, remedy } = *problem;
        Self { r#type: catalog::type_uri(code), title, status, explanation, remedy }
    }
}

/// `GET /errors`: all problem types.
pub(super) async fn list(headers: HeaderMap) -> Result<Response, Refusal> {
    if wants_html(&headers, None)? {
        return Ok(page(&ErrorsPage { style: STYLE, problems: catalog::all().collect() }));
    }
    Ok(json(&catalog::all().map(ProblemType::from).collect::<Vec<_>>()))
}

/// `GET /errors/<code>` and `GET /errors/<code>.json`: one problem type.
pub(super) async fn show(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let (code, suffix) = name.strip_suffix(".json").map_or((&*name, None), |code| (code, Some(JSON)));
    let problem = catalog::find(code).ok_or_else(|| {
        let detail =
            format!("found the problem code {:?}, expected one of those that GET /errors lists", cut(code));
        Refusal::new(&codes::NOT_FOUND, detail)
    })?;
    if wants_html(&headers, suffix)? {
        return Ok(page(&ErrorPage { style: STYLE, problem }));
    }
    Ok(json(&ProblemType::from(problem)))
}

/// Whether the page is wanted and not its JSON twin. A suffix goes before what the client says it accepts.
fn wants_html(headers: &HeaderMap, suffix: Option<&str>) -> Result<bool, Refusal> {
    let chosen = suffix.or_else(|| negotiate::choose(headers, &[HTML, JSON, PROBLEM_JSON]));
    let refusal = || {
        let detail =
            "the header Accept names none of text/html and application/json, in which this page exists";
        Refusal::new(&codes::NOT_ACCEPTABLE, detail)
    };
    chosen.map(|chosen| chosen == HTML).ok_or_else(refusal)
}

fn page(template: &impl Template) -> Response {
    let Ok(html) = template.render() else {
        tracing::error!("a problem page could not be rendered");
        return Refusal::internal().into_response();
    };
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&content_security_policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    common(headers);
    response
}

/// Nothing may be loaded, run, framed or submitted; the one style inside of the page is named by its hash.
fn content_security_policy() -> String {
    use base64::Engine as _;
    let style = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

fn json(value: &impl Serialize) -> Response {
    let mut response = (StatusCode::OK, Json(value)).into_response();
    common(response.headers_mut());
    response
}

fn common(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
}
