//! A store out of nothing but entries.
//!
//! The entries of a log are all that there is to it: tiles, indexes and head follow from them. So a store can be made anew
//! from whoever has them, the explorer's log, a mirror, a folder of C2SP tiles or a damaged store, and one that is older
//! than it should be can be brought up to where the log stood. Nobody is believed: every signature is checked, every
//! admission decided again, and the root that comes out has to be the one that the log signed. Only then is anything
//! replaced. What was acknowledged and is nowhere any more, this does not bring back.

mod error;
mod grow;
mod source;

use std::fs;
use std::path::Path;

use countersign_verifier::checkpoint::{LogSigned, Origin};
use countersign_verifier::note::{SignedNote, VerifierKey};
use countersign_verifier::program::durable;
use countersign_verifier::quorum::Policy;

pub use error::{RebuildError, SourceError};
use grow::Grower;
pub use source::{CHECKPOINT, EntrySource, Remote, TileFolder, Worn};

use crate::backup::{Restored, copy_database};
use crate::high_water::{self, HighWater};
use crate::log::DATABASE;
use crate::progress::Progress;
use crate::store::{Batch, Head, Hold, Journal as _, Ledger as _, Publication, RocksStore};

/// How what is being built is called until it is whole, beside the database.
const NEW: &str = "new";
/// How the database before it is called while the two change places.
const OLD: &str = "old";

/// The head that a store is brought up to.
#[derive(Debug, Clone)]
pub struct Goal {
    /// The head.
    pub head: Head,
    /// The note in which the log signed it; none where it stands in a store of its own.
    pub note: Option<SignedNote>,
}

/// Makes the database in the data folder `data`, or brings the one that is there up to `goal`, out of the entries of
/// `source`. With `policy`, the note of the goal must have its quorum, and is published.
///
/// It is done as a whole or not at all: one that is interrupted leaves the database that was there, and the next one begins
/// anew with it, for what was half built cannot be told from what was damaged.
///
/// When it returns `Ok`, the folder leads to the goal, is marked as restored, and survives any crash. When it returns
/// `Err`, the database that was there is as it was.
pub fn rebuild(
    source: &dyn EntrySource,
    goal: &Goal,
    data: &Path,
    key: &VerifierKey,
    policy: Option<&Policy>,
    progress: &dyn Progress,
) -> Result<Head, RebuildError> {
    let origin = Origin::new(key.name().as_str())?;
    let publication = publication(goal, key, policy)?;
    let database = data.join(DATABASE);
    let new = database.with_extension(NEW);
    fs::create_dir_all(data).map_err(RebuildError::file(data))?;
    if new.exists() {
        fs::remove_dir_all(&new).map_err(RebuildError::file(&new))?;
    }
    put_back(&database).map_err(RebuildError::file(&database))?;
    let _held = if database.exists() { Some(Hold::of(&database)?) } else { None };
    let store = if database.exists() {
        copy_database(&database, Some(&database), &new, &Untold)?;
        RocksStore::open(&new)?
    } else {
        RocksStore::create(&new, &origin)?
    };
    if store.origin()? != origin {
        return Err(RebuildError::OtherLog { found: store.origin()?, expected: origin });
    }
    let mut grower = Grower::on(store)?;
    if grower.head().size > goal.head.size {
        return Err(RebuildError::Behind { store: grower.head().size, found: goal.head.size });
    }
    progress.begin(goal.head.size.get().saturating_sub(grower.head().size.get()));
    grower.grow(source, goal.head.size, progress)?;
    progress.finish("writing");
    if grower.head() != goal.head {
        return Err(RebuildError::Root { computed: grower.head().root, signed: goal.head.root });
    }
    grower.store().commit(&Batch { growth: None, publication })?;
    drop(grower);
    settle(data, goal, key)?;
    replace(&database, &new).map_err(RebuildError::file(&database))?;
    Ok(goal.head)
}

/// What is published with the goal.
fn publication(
    goal: &Goal,
    key: &VerifierKey,
    policy: Option<&Policy>,
) -> Result<Option<Publication>, RebuildError> {
    let Some((note, policy)) = goal.note.as_ref().zip(policy) else { return Ok(None) };
    let policy = policy.clone().for_log(key.clone());
    let verified = policy.verify(note)?;
    let size = verified.checkpoint().size;
    let by_name = |name: &str| policy.witnesses().iter().find(|witness| witness.name == name);
    let cosigned = verified.cosignatures().iter();
    let cosigned =
        cosigned.filter_map(|cosigned| Some((by_name(&cosigned.witness)?.key.clone(), size))).collect();
    Ok(Some(Publication { note: verified.to_note().to_string(), cosigned }))
}

/// Writes down what the folder was brought up to, before the database is. A newer head that is acknowledged there stays.
fn settle(data: &Path, goal: &Goal, key: &VerifierKey) -> Result<(), RebuildError> {
    let path = data.join(high_water::FILE);
    let signed = |note: &SignedNote| LogSigned::open(note, core::slice::from_ref(key)).ok();
    if let Some(signed_goal) = goal.note.as_ref().and_then(signed) {
        let (high_water, before) = HighWater::open(data, key).map_err(RebuildError::file(&path))?;
        let before = before.and_then(|note| signed(&SignedNote::parse(&note).ok()?));
        if before.is_none_or(|before| before.checkpoint().size < goal.head.size) {
            let raised = high_water.raise(&signed_goal.to_note().to_string());
            raised.and_then(|()| high_water.settle(data)).map_err(RebuildError::file(&path))?;
        }
    }
    Ok(Restored { size: goal.head.size, declared: false }.write(data)?)
}

/// Whether there is what a rebuild of `database` leaves that did not come to its end.
pub(crate) fn is_interrupted(database: &Path) -> bool {
    [NEW, OLD].iter().any(|end| database.with_extension(end).exists())
}

/// Puts the database back that was moved away by one who did not come to the end.
fn put_back(database: &Path) -> std::io::Result<()> {
    let old = database.with_extension(OLD);
    if old.exists() && !database.exists() { fs::rename(old, database) } else { Ok(()) }
}

fn replace(database: &Path, new: &Path) -> std::io::Result<()> {
    let old = database.with_extension(OLD);
    if database.exists() {
        fs::rename(database, &old)?;
    }
    durable::rename(new, database)?;
    if old.exists() { fs::remove_dir_all(old) } else { Ok(()) }
}

/// For what takes no time worth telling.
struct Untold;

impl Progress for Untold {
    fn begin(&self, _all: u64) {}
    fn advance(&self, _more: u64) {}
    fn finish(&self, _with: &'static str) {}
}
