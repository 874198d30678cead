//! The first page: what this log is, how large it is, and where to go from here.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use countersign_verifier::statement::Kind;
use serde::Serialize;

use crate::draw::glyph;
use crate::explorer::Explorer;
use crate::health::Health;
use crate::index::Filter;
use crate::page::{Ask, Cache, EntryLine, Frame, Section, entry_lines, page};
use crate::words;

/// How many entries the first page shows.
const LATEST: usize = 10;

#[derive(Template, Serialize)]
#[template(path = "console.html")]
struct Console {
    #[serde(skip)]
    frame: Frame,
    health: Health,
    entries: u64,
    executions: u64,
    issuers: u64,
    kinds: Vec<KindCount>,
    latest: Vec<EntryLine>,
    /// Where the log itself is, for programs.
    #[serde(skip)]
    log_base: String,
}

#[derive(Serialize)]
struct KindCount {
    kind: &'static str,
    count: u64,
    #[serde(skip)]
    heading: &'static str,
    #[serde(skip)]
    means: &'static str,
    #[serde(skip)]
    glyph: &'static str,
}

pub(crate) async fn show(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let mirror = explorer.mirror();
    let known = mirror.known();
    let index = known.index();
    let kinds = Kind::ALL.iter().map(|kind| KindCount {
        kind: kind.as_str(),
        count: index.count(*kind),
        heading: words::kind(Some(*kind)),
        means: words::kind_means(Some(*kind)),
        glyph: glyph(Some(*kind)),
    });
    let console = Console {
        frame: Frame::new(&known, Section::Console, "What this log has recorded", "/").json("/index.json"),
        health: Health::of(mirror, &known),
        entries: index.len(),
        executions: index.execution_count(),
        issuers: index.issuer_count(),
        kinds: kinds.filter(|kind| kind.count > 0).collect(),
        latest: entry_lines(index.list(u64::MAX, &Filter::default(), LATEST).items),
        log_base: mirror.source().base().to_owned(),
    };
    page(&ask, Cache::Moment, &console, &console)
}
