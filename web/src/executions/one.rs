//! One execution.

use askama::Template;
use axum::body::Body;
use axum::extract::State as Shared;
use axum::http::Response;
use countersign_verifier::bundle::{MEDIA_TYPE, SUFFIX};
use countersign_verifier::lineage::{Judgement, Severity};
use countersign_verifier::merkle::LeafIndex;
use countersign_verifier::statement::{Kind, Payload, Statement};
use serde::Serialize;

use super::bundle::bundle;
use super::judged::judged;
use super::steps::{EntryStep, Step, with_missing};
use crate::draw::glyph;
use crate::entries::{facts, sentence};
use crate::explorer::Explorer;
use crate::index::{Gist, State};
use crate::mirror::Fetched;
use crate::page::{Ask, Cache, Frame, Refusal, Section, Sentence, Stamp, Text, codes, link, page};
use crate::words;

/// How many entries of one execution a page shows.
const LIMIT: usize = 100;
/// How many are walked over to know the rest.
const WALK: usize = 100_000;

#[derive(Template, Serialize)]
#[template(path = "execution.html")]
struct ExecutionPage {
    #[serde(skip)]
    frame: Frame,
    id: Text,
    /// What happened, in plain words, as far as the entries say.
    summary: Vec<Sentence>,
    state: &'static str,
    /// The verdict on all its entries, and what was found; `None` when it has too many to be judged here.
    lineage: Option<Judgement>,
    #[serde(skip)]
    findings: Vec<FindingLine>,
    entries: u64,
    /// As of which size.
    size: u64,
    steps: Vec<Step>,
    /// Whether there are more entries than are shown.
    cut: bool,
    #[serde(skip)]
    all: String,
    /// The address of everything in one file.
    bundle: String,
}

/// A finding as a line of the page.
struct FindingLine {
    severity: Severity,
    index: u64,
    sentence: Text,
}

pub(crate) async fn show(Shared(explorer): Shared<Explorer>, ask: Ask) -> Response<Body> {
    let result = find(&explorer, &ask).await;
    explorer.answer(&ask, result)
}

async fn find(explorer: &Explorer, ask: &Ask) -> Result<Response<Body>, Refusal> {
    let (id, is_bundle) = named(&ask.path);
    if is_bundle {
        return bundle(explorer, ask, &id).await;
    }
    let (found, size) = {
        let known = explorer.begun()?;
        (known.index().execution_entries(&id, WALK), known.read_up_to().get())
    };
    let Some((indexes, entries)) = found else {
        return Err(unknown(&id, size));
    };
    let shown: Vec<LeafIndex> = indexes.iter().take(LIMIT).copied().filter_map(LeafIndex::new).collect();
    let shown = explorer.mirror().entries(&shown).await?;
    let read: Vec<(Fetched, Option<Statement>)> = shown
        .into_iter()
        .map(|entry| {
            let statement = Statement::parse(&entry.bytes).ok();
            (entry, statement)
        })
        .collect();
    let cut = entries > u64::try_from(read.len()).unwrap_or(u64::MAX);
    let lineage = if cut { None } else { judged(explorer, &read).await? };
    let known = explorer.begun()?;
    let mut state = State::default();
    indexes.iter().filter_map(|index| known.index().gist(*index)).for_each(|gist| state.add(gist));
    let summary = summary(&read.iter().filter_map(|(_, statement)| statement.as_ref()));
    let steps = read.into_iter().map(|(entry, statement)| step(&entry, statement.as_ref()));
    let steps = match &lineage {
        Some(judgement) => with_missing(steps.collect(), judgement, size),
        None => steps.map(|(_, step)| Step::Entry(Box::new(step))).collect(),
    };
    let findings = lineage.iter().flat_map(|judgement| &judgement.findings).map(|finding| FindingLine {
        severity: finding.code.severity(),
        index: finding.index.get(),
        sentence: Text::new(&finding.sentence),
    });
    let findings = findings.collect();
    let shown_id = Text::new(id.as_str());
    let page_data = ExecutionPage {
        frame: Frame::new(&known, Section::Executions, format!("Execution {shown_id}"), link::execution(&id))
            .json(link::execution_as(&id, ".json"))
            .alternate(link::execution_as(&id, SUFFIX), MEDIA_TYPE, "everything in one file")
            .checking(),
        id: shown_id,
        summary,
        state: words::state(state),
        lineage,
        findings,
        entries,
        size,
        steps,
        cut,
        all: format!("/entries?q={}", link::in_query(&id)),
        bundle: link::execution_as(&id, SUFFIX),
    };
    Ok(page(ask, Cache::Moment, &page_data, &page_data))
}

/// The execution that an address names, and whether it asks for the bundle.
fn named(path: &str) -> (String, bool) {
    let path = path.trim_start_matches("/executions/");
    let without = |suffix| path.strip_suffix(suffix).filter(|name| !name.is_empty());
    let (name, is_bundle) = match without(SUFFIX) {
        Some(name) => (name, true),
        None => (without(".json").unwrap_or(path), false),
    };
    let name = match link::split_suffix(name) {
        (inner, Some(".html")) => inner,
        _ => name,
    };
    (link::decode(name).unwrap_or_else(|| name.to_owned()), is_bundle)
}

/// Nothing is known of the execution among the first `size` entries.
pub(super) fn unknown(id: &str, size: u64) -> Refusal {
    let detail = Sentence::of("None of the ")
        .number(size)
        .words(" entries that this explorer has read names the execution ")
        .value(id)
        .words(".");
    Refusal::new(&codes::EXECUTION_UNKNOWN, detail)
        .within(Section::Executions)
        .or(format!("/search?q={}", link::in_query(id)), "Search for it")
        .or("/executions", "All executions")
}

fn step(entry: &Fetched, statement: Option<&Statement>) -> (Option<Kind>, EntryStep) {
    let gist = statement.map_or(Gist::Unreadable, Gist::of);
    let kind = gist.kind();
    let claims = statement.map(Statement::claims);
    let step = EntryStep {
        index: entry.index.get(),
        id: entry.leaf.to_string(),
        kind: kind.map(Kind::as_str),
        says: words::gist(gist),
        sentence: statement.map_or_else(Sentence::default, sentence),
        facts: statement.map(facts).unwrap_or_default(),
        issuer: claims.map(|claims| Text::new(claims.issuer.as_str())),
        issued_at: claims.map(|claims| Stamp(claims.issued_at.get())),
        heading: words::kind(kind),
        glyph: glyph(kind),
    };
    (kind, step)
}

/// Who asked, what was decided, who allowed it, whether it was checked, what happened: one sentence each, in this
/// order, and none for what no entry says.
fn summary<'a>(statements: &(impl Iterator<Item = &'a Statement> + Clone)) -> Vec<Sentence> {
    let last = |wanted: fn(&Payload) -> bool| {
        statements.clone().filter(|statement| wanted(statement.payload())).last()
    };
    let mut sentences = Vec::new();
    let intent = last(|payload| matches!(payload, Payload::Intent(_)));
    let decision = last(|payload| matches!(payload, Payload::Decision(_)));
    let authorization = last(|payload| matches!(payload, Payload::Authorization(_)));
    // An authorization that nobody asked for says itself what it is about.
    sentences.extend(intent.or(authorization).map(sentence));
    if let Some(statement) = decision {
        sentences.push(sentence(statement));
    }
    if let (Some(statement), true) = (authorization, intent.is_some()) {
        let claims = statement.claims();
        let sentence = Sentence::default().issuer(claims.issuer.as_str()).words(" authorized it");
        sentences.push(match &claims.validity {
            Some(validity) => sentence
                .words(" until ")
                .time(validity.expires.get())
                .words(", under the control of ")
                .issuer(validity.audience.as_str())
                .words("."),
            None => sentence.words("."),
        });
    }
    let rest: [fn(&Payload) -> bool; 3] = [
        |payload| matches!(payload, Payload::Verification(_)),
        |payload| matches!(payload, Payload::Outcome(_)),
        |payload| matches!(payload, Payload::Enforcement(_)),
    ];
    sentences.extend(rest.into_iter().filter_map(last).map(sentence));
    sentences
}
