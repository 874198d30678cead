//! Entries: the list of them, and one of them in every form.

mod one;
mod story;

use std::str::FromStr as _;

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use countersign_verifier::merkle::LeafIndex;
use countersign_verifier::statement::Kind;
use serde::Serialize;

use crate::explorer::Explorer;
use crate::index::Filter;
use crate::page::{Ask, Cache, EntryLine, Frame, Refusal, Section, Sentence, Text, codes, entry_lines, page};
use crate::words;

pub(crate) use one::show;
pub(crate) use story::{facts, sentence};

/// How many entries a page lists.
const LIMIT: usize = 50;

#[derive(Template, Serialize)]
#[template(path = "entries.html")]
struct List {
    #[serde(skip)]
    frame: Frame,
    kind: Option<&'static str>,
    issuer: Option<Text>,
    query: Option<Text>,
    /// How many entries there are, matching or not.
    total: u64,
    entries: Vec<EntryLine>,
    /// Everything from this entry on was compared.
    searched_from: u64,
    /// The address of the next page of this list.
    next: Option<String>,
    #[serde(skip)]
    next_page: Option<String>,
    #[serde(skip)]
    is_first: bool,
    #[serde(skip)]
    kinds: Vec<(&'static str, &'static str)>,
}

impl List {
    fn is_filtered(&self) -> bool {
        self.kind.is_some() || self.issuer.is_some() || self.query.is_some()
    }
}

pub(crate) async fn list(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let result = list_page(&explorer, &ask);
    explorer.answer(&ask, result)
}

fn list_page(explorer: &Explorer, ask: &Ask) -> Result<Response<Body>, Refusal> {
    let known = explorer.begun()?;
    // What is no number is no place in the list, and what is no kind selects nothing: both are passed over.
    let before = ask.parameter("before").and_then(|text| text.parse::<u64>().ok());
    let filter = Filter {
        kind: ask.parameter("kind").and_then(|kind| Kind::from_str(kind).ok()),
        issuer: ask.parameter("issuer").map(str::to_owned),
        text: ask.parameter("q").map(str::to_owned),
    };
    let slice = known.index().list(before.unwrap_or(u64::MAX), &filter, LIMIT);
    let address = |form: &str, before: Option<u64>| address(form, before, &filter);
    let list = List {
        frame: Frame::new(&known, Section::Entries, "Entries", address("/entries", before))
            .json(address("/entries.json", before)),
        kind: filter.kind.map(Kind::as_str),
        issuer: filter.issuer.as_deref().map(Text::new),
        query: filter.text.as_deref().map(Text::new),
        total: known.index().len(),
        entries: entry_lines(slice.items),
        searched_from: slice.searched_from,
        next: slice.next.map(|next| address("/entries.json", Some(next))),
        next_page: slice.next.map(|next| address("/entries", Some(next))),
        is_first: before.is_none(),
        kinds: Kind::ALL.iter().map(|kind| (kind.as_str(), words::kind(Some(*kind)))).collect(),
    };
    Ok(page(ask, Cache::Moment, &list, &list))
}

fn address(form: &str, before: Option<u64>, filter: &Filter) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    let kind = filter.kind.map(|kind| kind.as_str().to_owned());
    for (name, value) in [("kind", &kind), ("issuer", &filter.issuer), ("q", &filter.text)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() { form.to_owned() } else { format!("{form}?{query}") }
}

/// Reads the number of an entry, which has to exist already.
pub(crate) fn parse_index(explorer: &Explorer, text: &str) -> Result<LeafIndex, Refusal> {
    let known = explorer.begun()?;
    let Some(index) = LeafIndex::parse(text) else {
        let detail = Sentence::of("Found ").value(text).words(", expected a number such as 0 or 1204.");
        return Err(Refusal::new(&codes::INDEX_MALFORMED, detail)
            .within(Section::Entries)
            .or("/entries", "All entries"));
    };
    let size = known.read_up_to();
    if size.contains(index) {
        return Ok(index);
    }
    let detail = match size.last_index() {
        None => Sentence::of("The log has no entries yet."),
        Some(last) => Sentence::of("The log has ")
            .number(size.get())
            .words(" entries, numbered 0 to ")
            .number(last.get())
            .words("; number ")
            .number(index.get())
            .words(" does not exist yet."),
    };
    Err(Refusal::new(&codes::ENTRY_NOT_YET, detail).within(Section::Entries).or("/entries", "Newest entries"))
}
