//! One execution with everything that it stands on, in one file that readers check on machines of their own.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use countersign_verifier::bundle::{
    Bundle, BundleError, MAX_BUNDLE_BYTES, MAX_ENTRIES, MEDIA_TYPE, Need, Needs, SUFFIX, Unproven,
};
use countersign_verifier::causes::with_causes;
use countersign_verifier::merkle::{LeafHash, LeafIndex, verify_multiproof};
use countersign_verifier::quorum::VerifiedCheckpoint;
use countersign_verifier::statement::Statement;

use super::one::unknown;
use crate::explorer::Explorer;
use crate::mirror::{Fetched, ProofTrouble, ReadError};
use crate::page::{Ask, Cache, Refusal, Section, Sentence, Text, codes, file, link};
use crate::proof::refuse;

/// How many bytes of statements a bundle has room for: they stand in it in base64.
const MAX_STATEMENTS: usize = MAX_BUNDLE_BYTES / 4 * 3;
/// How many entries are asked for at once.
const AT_ONCE: usize = 64;

/// The bundle of an execution under the newest head that was accepted. The log is not believed: the bundle is made of
/// entries that were verified, and its proof leads to the signed root.
pub(super) async fn bundle(explorer: &Explorer, ask: &Ask, id: &str) -> Result<Response<Body>, Refusal> {
    // What came since the last look is taken in part by part, which is over in a moment.
    if explorer.mirror().known().is_reading() {
        explorer.mirror().catch_up().await;
    }
    let (head, indexes) = find(explorer, id)?;
    let mut gathered = Gathered { entries: BTreeMap::new(), bytes: 0 };
    let mut needs = Needs::default();
    for indexes in indexes.chunks(AT_ONCE) {
        for entry in explorer.mirror().entries(indexes).await? {
            let index = entry.index;
            needs.show(index, gathered.keep(&entry)?);
        }
    }
    while let Some(need) = needs.next() {
        let index =
            place(explorer, &need, &head).await?.ok_or_else(|| impossible(&BundleError::Missing(need)))?;
        if !gathered.entries.contains_key(&index) {
            let entry = explorer.mirror().entry(index).await?;
            let statement = gathered.keep(&entry)?;
            needs.show(index, statement);
        }
    }
    let made = prove(explorer, id, &head, gathered.entries).await?;
    let name: String = id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let bytes = made.to_bytes();
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(too_large(id));
    }
    let mut response = file(ask, Cache::Moment, MEDIA_TYPE, &format!("{name}{SUFFIX}"), bytes);
    // What is in it is public and checks itself, so any page may fetch it.
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// The newest head, when it was read to its end, and where the entries of the execution are.
fn find(explorer: &Explorer, id: &str) -> Result<(VerifiedCheckpoint, Vec<LeafIndex>), Refusal> {
    let known = explorer.begun()?;
    let size = known.read_up_to();
    let (indexes, count) =
        known.index().execution_entries(id, MAX_ENTRIES).ok_or_else(|| unknown(id, size.get()))?;
    if count > indexes.len() as u64 {
        return Err(too_large(id));
    }
    let head = known.head().map(|head| head.verified.clone());
    let head = head.filter(|head| head.checkpoint().size == size).ok_or_else(|| {
        let detail = Sentence::of("The first ").number(size.get()).words(" entries are read so far.");
        Refusal::new(&codes::STILL_READING, detail).within(Section::Executions).again_in(2)
    })?;
    Ok((head, indexes.into_iter().filter_map(LeafIndex::new).collect()))
}

/// The entries so far.
struct Gathered {
    entries: BTreeMap<LeafIndex, Statement>,
    bytes: usize,
}

impl Gathered {
    fn keep(&mut self, Fetched { index, bytes, .. }: &Fetched) -> Result<&Statement, Refusal> {
        let index = *index;
        let statement =
            Statement::parse(bytes).map_err(|cause| impossible(&BundleError::Statement { index, cause }))?;
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > MAX_STATEMENTS || self.entries.len() == MAX_ENTRIES {
            let about = statement.execution().map(ToString::to_string).unwrap_or_default();
            return Err(too_large(&about));
        }
        Ok(self.entries.entry(index).or_insert(statement))
    }
}

/// Where an entry is that is needed, below the head.
async fn place(
    explorer: &Explorer,
    need: &Need,
    head: &VerifiedCheckpoint,
) -> Result<Option<LeafIndex>, ReadError> {
    let index = match need {
        Need::Genesis => LeafIndex::new(0),
        Need::Registration { issuer, before } => {
            explorer.mirror().known().index().registration(issuer, before.get()).and_then(LeafIndex::new)
        }
        Need::Policy { entry, .. } => explorer.mirror().find(*entry).await?,
    };
    Ok(index.filter(|index| head.checkpoint().size.contains(*index)))
}

async fn prove(
    explorer: &Explorer,
    id: &str,
    head: &VerifiedCheckpoint,
    entries: BTreeMap<LeafIndex, Statement>,
) -> Result<Bundle, Refusal> {
    let execution = id.parse().map_err(|error| impossible(&BundleError::Execution(error)))?;
    let unproven = Unproven::new(execution, head.to_note(), entries).map_err(|error| impossible(&error))?;
    let (size, root) = (head.checkpoint().size, head.checkpoint().root);
    let nodes = explorer.mirror().nodes(unproven.plan(), size).await?;
    let made = unproven.prove(&nodes).map_err(|error| refuse(&ProofTrouble::from(error)))?;
    let leaves: Vec<(LeafIndex, LeafHash)> = made.entries().map(|step| (step.index, step.entry)).collect();
    verify_multiproof(&leaves, size, made.multiproof(), root)
        .map_err(|error| refuse(&ProofTrouble::from(error)))?;
    Ok(made)
}

fn impossible(error: &BundleError) -> Refusal {
    let reason = with_causes(error);
    tracing::warn!(reason, "the log lacks what a bundle needs");
    Refusal::new(&codes::BUNDLE_IMPOSSIBLE, Sentence::of(format!("{}.", Text::new(reason))))
        .within(Section::Executions)
        .or("/health", "Health of the log")
}

fn too_large(id: &str) -> Refusal {
    let detail = Sentence::of("The execution ").value(id).words(" does not fit into one file.");
    Refusal::new(&codes::BUNDLE_TOO_LARGE, detail)
        .within(Section::Executions)
        .or(link::execution(id), "Page of the execution")
}
