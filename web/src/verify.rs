//! The page on which readers check files that they have, on their own machine.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use serde::Serialize;

use crate::explorer::Explorer;
use crate::page::{Ask, Cache, Frame, SCRIPTS, Section, Text, page, raw};

#[derive(Template, Serialize)]
#[template(path = "verify.html")]
struct Verify {
    #[serde(skip)]
    frame: Frame,
    /// The trust policy of this explorer: an offer, and nothing to rely on.
    policy: Text,
    /// Every script, with what a browser compares it with before it runs.
    scripts: Vec<Script>,
}

#[derive(Serialize)]
struct Script {
    path: &'static str,
    integrity: &'static str,
}

pub(crate) async fn show(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let frame = Frame::new(&explorer.mirror().known(), Section::Verify, "Check a file", "/verify")
        .json("/verify.json")
        .with_script("verify-page.mjs");
    let scripts = SCRIPTS.iter().map(|asset| Script { path: asset.path(), integrity: asset.integrity() });
    let policy = Text::lines(explorer.mirror().policy().to_string());
    let page_data = Verify { frame, policy, scripts: scripts.collect() };
    page(&ask, Cache::Moment, &page_data, &page_data)
}

/// The trust policy of this explorer, as a file.
pub(crate) async fn policy(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let text = explorer.mirror().policy().to_string();
    raw(&ask, Cache::Moment, "text/plain; charset=utf-8", text.into_bytes())
}
