//! Executions: what was asked, decided, allowed, checked and done, as one story.

mod bundle;
mod judged;
mod one;
mod steps;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use serde::Serialize;

use crate::explorer::Explorer;
use crate::index::Execution;
use crate::page::{Ask, Cache, Frame, Refusal, Section, Stamp, Text, link, page};
use crate::words;

pub(crate) use one::show;

/// How many executions a page lists.
const LIMIT: usize = 50;

/// An execution as a line of a list.
#[derive(Debug, Serialize)]
pub(crate) struct ExecutionLine {
    pub(crate) id: Text,
    /// How far it got, by its own entries.
    pub(crate) state: &'static str,
    pub(crate) entries: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) started_at: Option<Stamp>,
    pub(crate) closed: bool,
    #[serde(skip)]
    pub(crate) href: String,
}

impl From<Execution> for ExecutionLine {
    fn from(execution: Execution) -> Self {
        Self {
            href: link::execution(&execution.id),
            id: Text::new(execution.id),
            state: words::state(execution.state),
            entries: execution.entries,
            first: execution.first,
            last: execution.last,
            started_at: execution.started_at.map(Stamp),
            closed: execution.state.closed,
        }
    }
}

#[derive(Template, Serialize)]
#[template(path = "executions.html")]
struct List {
    #[serde(skip)]
    frame: Frame,
    query: Option<Text>,
    total: u64,
    read_up_to: u64,
    executions: Vec<ExecutionLine>,
    /// The address of the next page of this list.
    next: Option<String>,
    #[serde(skip)]
    next_page: Option<String>,
    #[serde(skip)]
    is_first: bool,
}

pub(crate) async fn list(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let result = list_page(&explorer, &ask);
    explorer.answer(&ask, result)
}

fn list_page(explorer: &Explorer, ask: &Ask) -> Result<Response<Body>, Refusal> {
    let known = explorer.begun()?;
    // What is no number is no place in the list: the list begins at its top.
    let before = ask.parameter("before").and_then(|text| text.parse::<u64>().ok());
    let query = ask.parameter("q");
    let slice = known.index().list_executions(before.unwrap_or(u64::MAX), query, LIMIT);
    let address = |form: &str, before: Option<u64>| {
        let mut address = url::form_urlencoded::Serializer::new(String::new());
        if let Some(before) = before {
            address.append_pair("before", &before.to_string());
        }
        if let Some(query) = query {
            address.append_pair("q", query);
        }
        let query = address.finish();
        if query.is_empty() { form.to_owned() } else { format!("{form}?{query}") }
    };
    let frame = Frame::new(&known, Section::Executions, "Executions", address("/executions", before))
        .json(address("/executions.json", before));
    let list = List {
        frame,
        query: query.map(Text::new),
        total: known.index().execution_count(),
        read_up_to: known.read_up_to().get(),
        executions: slice.items.into_iter().map(ExecutionLine::from).collect(),
        next: slice.next.map(|next| address("/executions.json", Some(next))),
        next_page: slice.next.map(|next| address("/executions", Some(next))),
        is_first: before.is_none(),
    };
    Ok(page(ask, Cache::Moment, &list, &list))
}
