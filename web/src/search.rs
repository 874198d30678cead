//! Search: from a number, an id or part of a name to the page about it.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use countersign_verifier::merkle::LeafHash;
use serde::Serialize;

use crate::executions::ExecutionLine;
use crate::explorer::Explorer;
use crate::page::{Ask, Cache, Frame, Refusal, Section, Sentence, Text, codes, link, page, redirect};

/// How many executions are listed as results.
const RESULTS: usize = 20;

#[derive(Template, Serialize)]
#[template(path = "search.html")]
struct Search {
    #[serde(skip)]
    frame: Frame,
    query: Text,
    /// An issuer of exactly this name.
    issuer: Option<Text>,
    #[serde(skip)]
    issuer_href: String,
    executions: Vec<ExecutionLine>,
    /// Whether there are more executions than are listed, or not all were looked at.
    more: bool,
    read_up_to: u64,
}

pub(crate) async fn show(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let result = find(&explorer, &ask).await;
    explorer.answer(&ask, result)
}

async fn find(explorer: &Explorer, ask: &Ask) -> Result<Response<Body>, Refusal> {
    let query = ask.parameter("q").unwrap_or_default();
    let suffix = if ask.json { ".json" } else { "" };
    drop(explorer.begun()?);
    if !query.is_empty() && query.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(redirect(&format!("/entries/{query}{suffix}")));
    }
    if let Ok(id) = query.to_ascii_lowercase().parse::<LeafHash>() {
        return to_entry(explorer, id, suffix).await;
    }
    let known = explorer.begun()?;
    let index = known.index();
    if !query.is_empty() && index.execution_entries(query, 1).is_some() {
        return Ok(redirect(&link::execution_as(query, suffix)));
    }
    let slice =
        if query.is_empty() { None } else { Some(index.list_executions(u64::MAX, Some(query), RESULTS)) };
    let more = slice.as_ref().is_some_and(|slice| slice.next.is_some());
    let path = format!("/search?q={}", link::in_query(query));
    let json = format!("/search.json?q={}", link::in_query(query));
    let mut search = Search {
        frame: Frame::new(&known, Section::None, "Search", path).json(json),
        query: Text::new(query).cut(200),
        issuer: Some(query).filter(|name| index.knows_issuer(name)).map(Text::new),
        issuer_href: link::issuer(query),
        executions: slice
            .map(|slice| slice.items.into_iter().map(ExecutionLine::from).collect())
            .unwrap_or_default(),
        more,
        read_up_to: known.read_up_to().get(),
    };
    search.frame.query = Text::new(query);
    Ok(page(ask, Cache::Moment, &search, &search))
}

/// `/leaf/<id>`: an entry by its id.
pub(crate) async fn leaf(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let result = find_leaf(&explorer, &ask).await;
    explorer.answer(&ask, result)
}

async fn find_leaf(explorer: &Explorer, ask: &Ask) -> Result<Response<Body>, Refusal> {
    let name = ask.path.trim_start_matches("/leaf/");
    let (name, suffix) = link::split_suffix(name);
    let Ok(id) = name.parse::<LeafHash>() else {
        let detail = Sentence::of("Found ").value(name).words(", expected 64 lowercase hexadecimal digits.");
        return Err(Refusal::new(&codes::ENTRY_ID_MALFORMED, detail).within(Section::Entries));
    };
    drop(explorer.begun()?);
    to_entry(explorer, id, suffix.filter(|_| ask.json).unwrap_or_default()).await
}

async fn to_entry(explorer: &Explorer, id: LeafHash, suffix: &str) -> Result<Response<Body>, Refusal> {
    if let Some(index) = explorer.mirror().find(id).await? {
        return Ok(redirect(&format!("/entries/{index}{suffix}")));
    }
    let known = explorer.begun()?;
    let head = known.head().map(|head| head.verified.checkpoint());
    if head.is_some_and(|head| head.root.as_bytes() == id.as_bytes()) {
        return Ok(redirect("/health"));
    }
    let detail = Sentence::of("The id ")
        .code(id.to_string())
        .words(" is not among the ")
        .number(known.read_up_to().get())
        .words(" entries that this explorer has read.");
    Err(Refusal::new(&codes::ENTRY_ID_UNKNOWN, detail).within(Section::Entries).or("/entries", "All entries"))
}
