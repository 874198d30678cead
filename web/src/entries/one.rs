//! One entry: its page, its twin in JSON, its exact bytes, and its proof in one file.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::merkle::LeafIndex;
use countersign_verifier::proof::TlogProof;
use countersign_verifier::statement::Statement;
use serde::Serialize;
use serde_json::value::RawValue;

use super::parse_index;
use super::story::{facts, listings, sentence};
use crate::draw::glyph;
use crate::explorer::Explorer;
use crate::index::Gist;
use crate::mirror::Fetched;
use crate::page::{Ask, Cache, Fact, Frame, Refusal, Section, Sentence, Stamp, Text, file, link, page};
use crate::proof::newest_proof;
use crate::words;

/// How much of a payload stands on the page. All of it is in the other forms.
const PAYLOAD: usize = 8_000;

#[derive(Template, Serialize)]
#[template(path = "entry.html")]
struct Entry {
    #[serde(skip)]
    frame: Frame,
    index: u64,
    /// The entry id: the leaf hash.
    id: String,
    kind: Option<&'static str>,
    says: &'static str,
    sentence: Option<Sentence>,
    facts: Vec<Fact>,
    issuer: Option<Text>,
    subject: Option<Text>,
    execution: Option<Text>,
    issued_at: Option<Stamp>,
    /// The RFC 9679 thumbprint of the signing key, in hex.
    kid: Option<String>,
    refs: Vec<Reference>,
    payload: Option<Box<RawValue>>,
    /// The exact bytes, in base64.
    statement: String,
    /// The head under which it is shown.
    size: u64,
    #[serde(skip)]
    heading: &'static str,
    #[serde(skip)]
    means: &'static str,
    #[serde(skip)]
    glyph: &'static str,
    #[serde(skip)]
    execution_href: String,
    #[serde(skip)]
    issuer_href: String,
    #[serde(skip)]
    listings: Vec<(Text, Text)>,
    #[serde(skip)]
    shown_payload: Option<Text>,
    #[serde(skip)]
    length: usize,
    #[serde(skip)]
    previous: Option<u64>,
    #[serde(skip)]
    next: Option<u64>,
}

#[derive(Serialize)]
struct Reference {
    role: &'static str,
    id: String,
    /// Where the entry is, if this explorer has read it.
    index: Option<u64>,
    #[serde(skip)]
    role_words: &'static str,
    #[serde(skip)]
    says: &'static str,
}

pub(crate) async fn show(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let result = find(&explorer, &ask).await;
    explorer.answer(&ask, result)
}

async fn find(explorer: &Explorer, ask: &Ask) -> Result<Response<Body>, Refusal> {
    let name = ask.path.trim_start_matches("/entries/");
    let (number, form) = [".json", ".cose", ".tlog-proof"]
        .into_iter()
        .find_map(|suffix| Some((name.strip_suffix(suffix)?, suffix)))
        .unwrap_or((name, ""));
    let index = parse_index(explorer, number)?;
    let entry = explorer.mirror().entry(index).await?;
    match form {
        ".cose" => Ok(file(ask, Cache::Immutable, "application/cose", &format!("{index}.cose"), entry.bytes)),
        ".tlog-proof" => {
            let (proof, head) = newest_proof(explorer, &entry).await?;
            let file_text =
                TlogProof { extra: None, index, hashes: proof.hashes, checkpoint: head.to_note() }
                    .to_string();
            Ok(file(
                ask,
                Cache::Moment,
                "text/plain; charset=utf-8",
                &format!("{index}.tlog-proof"),
                file_text.into_bytes(),
            ))
        }
        _ => {
            let entry = read(explorer, index, entry).await?;
            Ok(page(ask, Cache::Moment, &entry, &entry))
        }
    }
}

async fn read(explorer: &Explorer, index: LeafIndex, entry: Fetched) -> Result<Entry, Refusal> {
    let statement = Statement::parse(&entry.bytes).ok();
    let mut refs = Vec::new();
    for (role, id) in statement.iter().flat_map(|statement| statement.references().iter()) {
        let found = explorer.mirror().find(id).await?;
        let line = found.and_then(|index| explorer.mirror().known().index().line(index.get()));
        refs.push(Reference {
            role: role.as_str(),
            id: id.to_string(),
            index: found.map(LeafIndex::get),
            role_words: words::reference(role),
            says: line.map_or("", |line| words::gist(line.gist)),
        });
    }
    let known = explorer.begun()?;
    let gist = statement.as_ref().map_or(Gist::Unreadable, Gist::of);
    let kind = gist.kind();
    let claims = statement.as_ref().map(Statement::claims);
    let execution = statement.as_ref().and_then(Statement::execution).map(|id| id.as_str().to_owned());
    let payload =
        statement.as_ref().and_then(|statement| core::str::from_utf8(statement.payload_json()).ok());
    let (heading, number) = (words::kind(kind), index.get());
    let frame =
        Frame::new(&known, Section::Entries, format!("Entry {number}: {heading}"), link::entry(number))
            .json(format!("/entries/{number}.json"))
            .alternate(format!("/entries/{number}.cose"), "application/cose", "exact bytes")
            .alternate(format!("/entries/{number}.tlog-proof"), "text/plain", "proof")
            .checking();
    Ok(Entry {
        frame,
        index: number,
        id: entry.leaf.to_string(),
        kind: kind.map(countersign_verifier::statement::Kind::as_str),
        says: words::gist(gist),
        sentence: statement.as_ref().map(sentence),
        facts: statement.as_ref().map(facts).unwrap_or_default(),
        issuer: claims.map(|claims| Text::new(claims.issuer.as_str())),
        subject: claims.map(|claims| Text::new(claims.subject.to_string())),
        execution_href: execution.as_deref().map(link::execution).unwrap_or_default(),
        execution: execution.map(Text::new),
        issued_at: claims.map(|claims| Stamp(claims.issued_at.get())),
        kid: statement.as_ref().map(|statement| statement.kid().to_string()),
        refs,
        payload: payload.and_then(|payload| RawValue::from_string(payload.to_owned()).ok()),
        statement: STANDARD.encode(&entry.bytes),
        size: known.read_up_to().get(),
        heading,
        means: words::kind_means(kind),
        glyph: glyph(kind),
        issuer_href: claims.map(|claims| link::issuer(claims.issuer.as_str())).unwrap_or_default(),
        listings: statement.as_ref().map(listings).unwrap_or_default(),
        shown_payload: payload.and_then(pretty).map(|payload| Text::lines(payload).cut(PAYLOAD)),
        length: entry.bytes.len(),
        previous: number.checked_sub(1),
        next: number.checked_add(1).filter(|next| *next < known.read_up_to().get()),
    })
}

fn pretty(payload: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(payload).ok()?;
    serde_json::to_string_pretty(&value).ok()
}
