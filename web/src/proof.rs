//! The Merkle proof of one entry, step by step.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use countersign_verifier::causes::with_causes;
use countersign_verifier::merkle::{LeafIndex, TreeSize};
use countersign_verifier::quorum::VerifiedCheckpoint;
use serde::Serialize;

use crate::draw::{Ladder, Rung, rungs};
use crate::entries::parse_index;
use crate::explorer::{Explorer, unknown};
use crate::mirror::{Fetched, PathProof, ProofTrouble};
use crate::page::{Ask, Cache, Frame, Refusal, Section, Sentence, Stamp, Text, codes, link, page};

#[derive(Template, Serialize)]
#[template(path = "proof.html")]
struct Proof {
    #[serde(skip)]
    frame: Frame,
    index: u64,
    id: String,
    size: u64,
    /// Hex, like the other hashes here.
    root: String,
    path: Vec<Rung>,
    /// The signed head, when `size` is its size.
    checkpoint: Option<Text>,
    signatures: Vec<SignatureLine>,
    #[serde(skip)]
    ladder: Ladder,
    #[serde(skip)]
    newest: u64,
}

/// A line under the head, in words.
#[derive(Serialize)]
struct SignatureLine {
    name: Text,
    /// `log` or the witness's name in the trust policy.
    by: Text,
    cosigned_at: Option<Stamp>,
}

pub(crate) async fn show(State(explorer): State<Explorer>, ask: Ask) -> Response<Body> {
    let Some((number, "proof" | "proof.json")) = ask
        .path
        .trim_start_matches("/entries/")
        .split_once('/')
        .map(|(number, form)| (number.to_owned(), form))
    else {
        return unknown(State(explorer), ask).await;
    };
    let result = find(&explorer, &ask, &number).await;
    explorer.answer(&ask, result)
}

async fn find(explorer: &Explorer, ask: &Ask, number: &str) -> Result<Response<Body>, Refusal> {
    let index = parse_index(explorer, number)?;
    let entry = explorer.mirror().entry(index).await?;
    let (newest, read_up_to) = {
        let known = explorer.begun()?;
        (known.head().map(|head| head.verified.checkpoint().size), known.read_up_to())
    };
    let size = match ask.parameter("size") {
        None => newest.unwrap_or(read_up_to),
        Some(text) => parse_size(index, read_up_to, newest, text)?,
    };
    let (proof, head) = if newest == Some(size) {
        let (proof, head) = newest_proof(explorer, &entry).await?;
        (proof, Some(head))
    } else {
        let root = explorer.mirror().root_at(size).await?;
        let proof = explorer.mirror().prove(&entry, size, root).await;
        (proof.map_err(|trouble| refuse(&trouble))?, None)
    };
    // The log may have grown while the proof was made, in which case the proof is of the head it was made for.
    let size = head.as_ref().map_or(size, |head| head.checkpoint().size);
    let path = rungs(entry.leaf, index, size, &proof.hashes);
    let known = explorer.begun()?;
    let address = format!("/entries/{index}/proof?size={size}");
    let frame = Frame::new(&known, Section::Entries, format!("Proof of entry {index} in {size}"), address)
        .json(format!("/entries/{index}/proof.json?size={size}"))
        .alternate(format!("/entries/{index}.tlog-proof"), "text/plain", "proof in one file")
        .checking();
    let page_data = Proof {
        frame,
        index: index.get(),
        id: entry.leaf.to_string(),
        size: size.get(),
        root: proof.root.to_string(),
        ladder: Ladder::new(index.get(), &entry.leaf.to_string(), &path),
        path,
        checkpoint: head.as_ref().map(|head| Text::lines(head.to_note().to_string())),
        signatures: head.as_ref().map(signatures).unwrap_or_default(),
        newest: newest.unwrap_or(read_up_to).get(),
    };
    Ok(page(ask, Cache::Moment, &page_data, &page_data))
}

/// The proof of an entry under the newest accepted head, verified, with that head.
pub(crate) async fn newest_proof(
    explorer: &Explorer,
    entry: &Fetched,
) -> Result<(PathProof, VerifiedCheckpoint), Refusal> {
    let head = explorer.begun()?.head().map(|head| head.verified.clone());
    let Some(head) = head else {
        return Err(Refusal::new(
            &codes::NO_HEAD_YET,
            Sentence::of("No head with its quorum has been published yet."),
        ));
    };
    let (size, root) = (head.checkpoint().size, head.checkpoint().root);
    let proof = explorer.mirror().prove(entry, size, root).await.map_err(|trouble| refuse(&trouble))?;
    Ok((proof, head))
}

/// Why there is no proof, for the reader.
pub(crate) fn refuse(trouble: &ProofTrouble) -> Refusal {
    let problem =
        if trouble.is_contradiction() { &codes::LOG_CONTRADICTS_HEAD } else { &codes::LOG_UNREADABLE };
    let reason = with_causes(trouble);
    tracing::warn!(reason, "the log's tiles give no proof");
    Refusal::new(problem, Sentence::of(format!("{}.", Text::new(reason))))
        .within(Section::Entries)
        .or("/health", "Health of the log")
}

fn parse_size(
    index: LeafIndex,
    read_up_to: TreeSize,
    newest: Option<TreeSize>,
    text: &str,
) -> Result<TreeSize, Refusal> {
    let size = TreeSize::parse(text).filter(|size| size.contains(index));
    if let Some(size) = size.filter(|size| *size <= read_up_to || Some(*size) == newest) {
        return Ok(size);
    }
    let detail = Sentence::of("Found ")
        .value(text)
        .words(", expected a size from ")
        .number(index.size_including().get())
        .words(" to ")
        .number(read_up_to.get())
        .words(".");
    let problem = if size.is_some() { &codes::ENTRY_NOT_YET } else { &codes::SIZE_MALFORMED };
    let refusal = Refusal::new(problem, detail).within(Section::Entries);
    Err(refusal.or(format!("{}/proof", link::entry(index.get())), "Proof for the newest head"))
}

fn signatures(head: &VerifiedCheckpoint) -> Vec<SignatureLine> {
    let note = head.to_note();
    let lines = note.signatures().iter().map(|line| {
        let witness = head.cosignatures().iter().find(|cosigned| cosigned.line == *line);
        SignatureLine {
            name: Text::new(line.name().as_str()),
            by: Text::new(witness.map_or("the log", |cosigned| cosigned.witness.as_str())),
            cosigned_at: witness.map(|cosigned| Stamp(cosigned.time.get())),
        }
    });
    lines.collect()
}
