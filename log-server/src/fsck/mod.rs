//! Checking every byte of a store.
//!
//! Entries are hashed and lead to tiles, tiles to tiles above them, these to the edge, the edge to the root, and the
//! root has to be the one that the log signed. Every signature of every entry is checked, every admission decided again,
//! and every row of every index compared with what the entries ask for, in both directions: none missing, none other,
//! none too many. What is found is said of the very row that is wrong: see [`Finding`].
//!
//! A success says that the store is what a log that keeps the rules would have written, under the heads that are kept
//! beside it. It does not say that these are the newest heads there ever were: that, only witnesses know.
//!
//! It takes one pass over the entries on all cores, and memory for 48 MiB of entries and the registrations; for nothing
//! that grows with the log otherwise.

mod ballot;
mod finding;
mod heads;
mod read;
mod replay;
mod rows;
mod state;
mod surplus;
mod tree;

use std::path::Path;
use std::sync::mpsc::sync_channel;

use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::quorum::Policy;
use rayon::prelude::*;

use finding::Findings;
pub use finding::{Finding, Report, Weight};
use heads::Heads;
use read::{Chunk, Kept};
use replay::{Replay, Sound};
use tree::{Decided, Tree};

use crate::progress::Progress;
use crate::store::{Entries, Facts, Head, Inventory, Ledger, Row, StoreError, Tiles};

/// How many chunks may be read ahead.
const AHEAD: usize = 2;
const META: &str = "meta";

/// What a store is checked against.
#[derive(Debug, Clone)]
pub struct Options {
    /// The log's key. Without it no signature of the log is checked.
    pub key: Option<VerifierKey>,
    /// Whose cosignatures count. Without it they are not checked.
    pub policy: Option<Policy>,
    /// How many findings are kept.
    pub limit: usize,
}

/// Checks the store of the data folder `data`. Fails only when something cannot be read at all; whatever is wrong is in
/// the report.
pub fn check<S: Entries + Tiles + Facts + Ledger + Inventory + Sync>(
    data: &Path,
    store: &S,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Report, StoreError> {
    let (mut findings, mut not_checked) = (Findings::up_to(options.limit), Vec::new());
    let heads = Heads::read(data, store, options.key.as_ref(), &mut findings, &mut not_checked)?;
    let Some(head) = choose_head(store, &heads, &mut findings)? else {
        let report = Report::new(String::new(), 0, String::new(), 0, 0);
        not_checked.push("everything else: there is no head to check it against".to_owned());
        return Ok(report.with(findings, not_checked));
    };
    let edge = surplus::edge(store, &mut findings)?;
    let mut tree = Tree::new(store, head, &edge, heads.sizes().chain([head.size]));
    let mut replay = Replay::new(store);
    progress.begin(head.size.get());
    std::thread::scope(|scope| {
        let (chunks, read) = sync_channel(AHEAD);
        scope.spawn(move || read::read(store, head.size, &chunks));
        for chunk in read {
            let chunk = chunk?;
            let count: usize = chunk.tiles.iter().map(Vec::len).sum();
            let sound = check_tree(&mut tree, &mut replay, store, chunk, &mut findings)?;
            replay.take(sound, &mut findings)?;
            progress.advance(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok::<_, StoreError>(())
    })?;
    progress.finish("indexes");
    let grown = tree.finish(&mut findings);
    surplus::check_left_over(store, &edge, head.size, &grown.blamed, &mut findings)?;
    surplus::check_beyond(store, head.size, &mut findings)?;
    let registrations = surplus::check_issuers(store, &replay.registrations, &replay.unsound, &mut findings)?;
    let marks = surplus::check_indexes(store, replay.present, &replay.unsound, &mut findings)?;
    let cosigned = surplus::meta(store, &mut findings)?;
    let origin = check_origin(store, options.key.as_ref(), replay.founded.as_ref(), &mut findings)?;
    heads.compare(head.size, &grown.roots, &mut findings, &mut not_checked);
    let policy = options.policy.clone().zip(options.key.clone()).map(|(policy, key)| policy.for_log(key));
    heads.check_witnesses(policy.as_ref(), &cosigned, head.size, &mut findings, &mut not_checked);
    if replay.undecided > 0 {
        not_checked
            .push(format!("the admission of {} entries: what it rests on is damaged", replay.undecided));
    }
    let rows = registrations.saturating_add(marks);
    let root = grown.root.unwrap_or(head.root).to_base64();
    let report = Report::new(origin, head.size.get(), root, grown.full_tiles, rows);
    Ok(report.with(findings, not_checked))
}

/// The head to check against: the one in the store, unless the newest signed one alone fits how many entries there are.
fn choose_head<S: Entries + Ledger>(
    store: &S,
    heads: &Heads,
    findings: &mut Findings,
) -> Result<Option<Head>, StoreError> {
    let finding = Finding::damage(META, "head");
    let acknowledged = heads.acknowledged().map(|head| Head { size: head.size, root: head.root });
    let kept = match store.head() {
        Ok(Some(kept)) => kept,
        Ok(None) => {
            let expected = acknowledged.map_or_else(String::new, |head| tell(&head));
            findings.report(finding.found("no row").expected(expected));
            return Ok(acknowledged);
        }
        Err(StoreError::DamagedRow { .. }) => {
            let expected = acknowledged.map_or_else(String::new, |head| tell(&head));
            findings.report(finding.found("a row that cannot be read").expected(expected));
            return Ok(acknowledged);
        }
        Err(error) => return Err(error),
    };
    match acknowledged {
        Some(signed)
            if signed.size != kept.size
                && !surplus::ends_at(store, kept.size)?
                && surplus::ends_at(store, signed.size)? =>
        {
            findings.report(finding.found(tell(&kept)).expected(tell(&signed)));
            Ok(Some(signed))
        }
        _ => Ok(Some(kept)),
    }
}

fn tell(head: &Head) -> String {
    format!("size {} and root {}", head.size, head.root)
}

/// Hashes the entries of a chunk, has the tree decide on them, and hands on those that are what it says.
fn check_tree<S: Entries + Tiles + Facts + Sync>(
    tree: &mut Tree<'_, S>,
    replay: &mut Replay<'_, S>,
    store: &S,
    chunk: Chunk,
    findings: &mut Findings,
) -> Result<Vec<Sound>, StoreError> {
    for stray in &chunk.strays {
        findings
            .report(Finding::damage("entries", stray).found("a row").expected("none between the entries"));
    }
    let mut sound = Vec::new();
    let mut next = chunk.first;
    for tile in chunk.tiles {
        let leaves: Vec<Option<LeafHash>> = tile
            .par_iter()
            .map(|kept| match kept {
                Kept::Bytes(bytes) => Some(LeafHash::of(bytes)),
                Kept::Missing | Kept::Unreadable(_) => None,
            })
            .collect();
        let decided = tree.take(&leaves, findings)?;
        for ((kept, leaf), decided) in tile.into_iter().zip(leaves).zip(decided) {
            let index = LeafIndex::new(next);
            next = next.saturating_add(1);
            let Some(index) = index else { continue };
            let id = match (&kept, decided) {
                (Kept::Bytes(_), Decided::Sound(id)) => {
                    if let Kept::Bytes(bytes) = kept {
                        sound.push(Sound { index, id, bytes });
                    }
                    continue;
                }
                (_, Decided::Sound(id)) => Some(id),
                (_, Decided::Damaged(id)) => id,
                (_, Decided::Doubtful) => {
                    replay.unsound.insert(index);
                    continue;
                }
            };
            replay.unsound.insert(index);
            findings.report(damaged(index, &kept, leaf, id));
            if let Some(id) = id
                && matches!(store.index(&id), Ok(Some(found)) if found == index)
            {
                replay.present.ids = replay.present.ids.saturating_add(1);
            }
        }
    }
    Ok(sound)
}

/// The finding on an entry that is not what the tree has the hash `id` of.
fn damaged(index: LeafIndex, kept: &Kept, leaf: Option<LeafHash>, id: Option<LeafHash>) -> Finding {
    let found = match kept {
        Kept::Bytes(_) => leaf.map_or_else(String::new, |leaf| format!("bytes that hash to {leaf}")),
        Kept::Missing => "no row".to_owned(),
        Kept::Unreadable(why) => why.clone(),
    };
    let expected = id.map_or_else(|| "an entry".to_owned(), |id| format!("entry {id}"));
    Finding::damage("entries", Row::Entry(index)).found(found).expected(expected)
}

/// Holds the origin in the store against the genesis and the key, and returns the one that is right.
fn check_origin<S: Ledger>(
    store: &S,
    key: Option<&VerifierKey>,
    founded: Option<&Origin>,
    findings: &mut Findings,
) -> Result<String, StoreError> {
    let named = key.map(|key| key.name().as_str());
    let expected = founded.map(Origin::as_str).or(named);
    let found = match store.origin() {
        Ok(origin) => origin.as_str().to_owned(),
        Err(StoreError::MissingRow { .. }) => "no row".to_owned(),
        Err(StoreError::DamagedRow { .. }) => "a row that cannot be read".to_owned(),
        Err(error) => return Err(error),
    };
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        findings.report(Finding::damage(META, "origin").found(&found).expected(expected));
    }
    if let (Some(named), Some(founded)) = (named, founded)
        && named != founded.as_str()
    {
        let finding = Finding::damage("log.key", "name").found(named).expected(founded);
        findings.report(finding.remedy("put the log's own key into the folder"));
    }
    Ok(expected.map_or(found, str::to_owned))
}
