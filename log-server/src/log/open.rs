//! Opening a log: nothing is admitted, signed or shown before what was kept is known to be whole.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use countersign_verifier::checkpoint::{CheckpointError, Origin};
use countersign_verifier::merkle::RootHash;
use countersign_verifier::note::{SignedNote, VerifierKey};
use countersign_verifier::program::keyfile::{self, KeyFileError};
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::quorum::{Policy, Witness};
use tokio::sync::watch;

use super::create::{DATABASE, LOG_KEY};
use super::{Log, LogConfig, ProofError, Published, StopReason};
use crate::backup::{self, BackupError, Restored};
use crate::cosigners::{self, Board, Client, ClientError, Evidence, Ground, Judgement, judge};
use crate::high_water::{self, HighWater};
use crate::rebuild;
use crate::registrar::Issuers;
use crate::sequencer::{Queue, Sequencer, Tip};
use crate::stop::Stop;
use crate::store::{Ledger as _, RocksStore, Store, StoreError};
use crate::tree::{DamagedEdge, Edge, TileCache, TreeReader};

/// Why a log was not opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The key's name cannot be an origin.
    #[error("the name of the log's key is no origin")]
    KeyName(#[source] CheckpointError),
    /// The store has no entry: it was not founded to the end.
    #[error("the store has no genesis: its founding was not finished")]
    NotFounded,
    /// The store and the key belong to different logs.
    #[error("the store belongs to the log {store} and the key to {key}")]
    Origin {
        /// The origin in the store.
        store: Origin,
        /// The name of the key.
        key: Origin,
    },
    /// The right edge of the tree is not whole.
    #[error(transparent)]
    Edge(#[from] DamagedEdge),
    /// The stored hashes lead to another root than the last head had.
    #[error("the stored hashes lead to the root {computed} and the last head has {expected}")]
    Root {
        /// Where the hashes lead.
        computed: RootHash,
        /// What the last head says.
        expected: RootHash,
    },
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] ProofError),
    /// The published head that was kept is not one of this tree.
    #[error("the published head that was kept is not one of the stored tree")]
    Published,
    /// No quorum can ever come about with the witnesses that can be asked.
    #[error("the witnesses that can be asked can never make up the quorum: {}", .0.join(", "))]
    QuorumOutOfReach(Vec<String>),
    /// There is no client for asking the witnesses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The evidence of earlier runs cannot be read.
    #[error("the evidence in {} cannot be read", .path.display())]
    Evidence {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file `high-water` cannot be read or written.
    #[error("the file high-water cannot be read or written")]
    HighWater(#[source] std::io::Error),
    /// The file `high-water` holds no head of this log.
    #[error("the file high-water holds no head that this log signed")]
    HighWaterDamaged,
    /// The folder is a backup, which has to stay one.
    #[error("{} is a backup, and no log", .0.display())]
    Backup(PathBuf),
    /// The folder has no database, and what a restore left that did not come to its end.
    #[error("{} has no database: restoring it was interrupted", .0.display())]
    RestoreInterrupted(PathBuf),
    /// The mark of a restored folder cannot be read or taken away.
    #[error("the mark of a restored folder cannot be used")]
    Restored(#[from] BackupError),
    /// The sequencer's thread cannot be started.
    #[error("the sequencer's thread cannot be started")]
    Thread(#[source] std::io::Error),
}

impl OpenError {
    /// How a program that could not open its log ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::QuorumOutOfReach(_)
            | Self::Backup(_)
            | Self::RestoreInterrupted(_)
            | Self::Store(StoreError::Missing(_)) => Exit::Usage,
            Self::Store(StoreError::Locked(_) | StoreError::Failed { .. })
            | Self::Key(_)
            | Self::Client(_)
            | Self::Evidence { .. }
            | Self::HighWater(_)
            | Self::Thread(_) => Exit::CouldNotCheck,
            _ => Exit::StateDamaged,
        }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Store(StoreError::Missing(_)) => {
                "found a log with countersign-log init, or name its data folder"
            }
            Self::Store(StoreError::Locked(_)) => {
                "another process serves this log: end it first; two at once could sign heads that disagree"
            }
            Self::Store(StoreError::Format { .. }) => {
                "open it with the version of countersign-log that wrote it"
            }
            Self::Store(StoreError::Failed { .. }) | Self::Evidence { .. } | Self::HighWater(_) => {
                "look at the disk: is it full, failing, or mounted read-only"
            }
            Self::HighWaterDamaged => {
                "put back the file high-water from the copy that the database is from; only when you are certain that the \
                 database is the newest, remove the file"
            }
            Self::Backup(_) => {
                "make a data folder out of it: countersign-log restore --data DIR --from BACKUP"
            }
            Self::RestoreInterrupted(_) => {
                "run the same countersign-log restore again: it begins anew, and loses nothing that was there before"
            }
            Self::Restored(_) => "look at the file restored in the data folder: may it be read and removed",
            Self::Key(_) | Self::KeyName(_) => {
                "put the log's own log.key into the data folder, with mode 600"
            }
            Self::NotFounded | Self::Store(StoreError::Unfinished(_)) => {
                "if its founding was interrupted, remove the data folder and run countersign-log init again: nothing was \
                 ever in it; else restore the newest backup"
            }
            Self::Origin { .. } => "put the key and the database of the same log into the data folder",
            Self::QuorumOutOfReach(_) => {
                "give URLs and 0x04 keys for enough witnesses in the policy file, or change its quorum"
            }
            Self::Client(_) | Self::Thread(_) => {
                "look at the limits of the system: files, threads, certificates"
            }
            Self::Store(_) | Self::Edge(_) | Self::Root { .. } | Self::Tree(_) | Self::Published => {
                "the data folder is damaged: restore the newest backup; if witnesses have seen more than it has, the log \
                 will say so and not sign"
            }
        }
    }
}

impl From<OpenError> for Failed {
    fn from(error: OpenError) -> Self {
        Self::new(error.exit(), "the log cannot be opened").hint(error.remedy()).because(error)
    }
}

impl Log {
    /// Opens the log and starts its sequencer and its cosigners, on the runtime that this is called on.
    ///
    /// What is kept is checked first, in time that does not grow with the log, and before anything is changed; then all witnesses are asked, for at
    /// most [`super::Witnessing::probe_timeout`], what they saw of the log. When one of them holds a head that the
    /// log signed and the store does not have, the log opens for reading only and says so in [`Log::readiness`]. So does a
    /// log that was restored from a copy, unless enough witnesses cosign its head, for which it waits at most
    /// [`super::Witnessing::request_timeout`].
    pub async fn open(config: LogConfig) -> Result<Arc<Self>, OpenError> {
        Ok(Self::open_shared(config).await?.0)
    }

    /// The same, with the store itself, for who makes snapshots of it. Nobody else may write to it.
    pub async fn open_shared(config: LogConfig) -> Result<(Arc<Self>, Arc<RocksStore>), OpenError> {
        if config.data.join(backup::MARKER).exists() {
            return Err(OpenError::Backup(config.data));
        }
        let database = config.data.join(DATABASE);
        if !database.exists() && rebuild::is_interrupted(&database) {
            return Err(OpenError::RestoreInterrupted(config.data));
        }
        let store = Arc::new(open_store(&config.data, &database)?);
        let log = Self::open_on(config, Arc::<RocksStore>::clone(&store)).await?;
        Ok((log, store))
    }

    /// Opens a log whose store is given, and whose keys are in the data folder.
    pub async fn open_on(config: LogConfig, store: Arc<dyn Store>) -> Result<Arc<Self>, OpenError> {
        let signer = Arc::new(keyfile::read_note_signer(&config.data.join(LOG_KEY))?);
        let key = signer.verifier().clone();
        let origin = Origin::new(key.name().as_str()).map_err(OpenError::KeyName)?;
        let stored = store.origin()?;
        if stored != origin {
            return Err(OpenError::Origin { store: stored, key: origin });
        }
        let policy = Arc::new(config.policy.for_log(key.clone()));
        check_reach(&policy)?;
        let edge = restore(&*store)?;
        let published = restore_published(&*store, &edge, &key, &policy)?;
        let (tip, newest) = watch::channel(Arc::new(Tip::sign(edge, &origin, &signer)));
        let (stop, queue) = (Arc::new(Stop::new()), Arc::new(Queue::new(config.queue)));
        let issuers = Arc::new(Issuers::default());
        let ground = Ground {
            store: Arc::clone(&store),
            tip: newest.clone(),
            stop: Arc::clone(&stop),
            key,
            client: Client::new(config.witnessing.request_timeout)?,
            tiles: Arc::new(TileCache::default()),
            evidence: Evidence::below(&config.data),
            board: Arc::new(Board::new(&policy)),
            policy,
            witnessing: config.witnessing,
            steps: config.steps.clone(),
        };
        let tip_now = newest.borrow().clone();
        let high_water = open_high_water(&config.data, &ground, &tip_now)?;
        if let Some(reason) = ground.evidence.recall(&ground, &tip_now)? {
            stop.stop(reason);
        }
        cosigners::probe(&ground, &origin).await?;
        check_restored(&config.data, &ground).await?;
        let published = watch::Sender::new(published.map(Arc::new));
        let sequencer = Sequencer {
            store: Arc::clone(&store),
            issuers: Arc::clone(&issuers),
            tiles: Arc::clone(&ground.tiles),
            origin,
            signer: Arc::clone(&signer),
            queue: Arc::clone(&queue),
            tip,
            high_water,
            stop: Arc::clone(&stop),
            steps: config.steps,
        };
        let tasks =
            cosigners::start(&ground, Arc::clone(&queue), published.clone(), config.checkpoint_interval)?;
        let thread = thread::Builder::new()
            .name("sequencer".to_owned())
            .spawn(move || sequencer.run())
            .map_err(OpenError::Thread)?;
        Ok(Arc::new(Self {
            ground,
            signer,
            issuers,
            queue,
            published,
            closing: watch::Sender::new(false),
            thread: Mutex::new(Some(thread)),
            tasks: Mutex::new(tasks),
        }))
    }
}

/// Opens the store, for reading alone when it ends before the head that was acknowledged last: opening it for writing
/// would do away with all of its write-ahead log behind a damaged place, which may yet be wanted.
fn open_store(data: &Path, database: &Path) -> Result<RocksStore, OpenError> {
    let untouched = RocksStore::open_untouched(database)?;
    let key = keyfile::read_note_signer(&data.join(LOG_KEY))?.verifier().clone();
    let acknowledged = high_water::size(data, &key).map_err(OpenError::HighWater)?;
    let held = untouched.head()?.map(|head| head.size);
    if held < acknowledged {
        return Ok(untouched);
    }
    drop(untouched);
    Ok(RocksStore::open(database)?)
}

/// Whether the witnesses that can be asked can make up the quorum.
fn check_reach(policy: &Policy) -> Result<(), OpenError> {
    if policy.is_satisfied_by(|witness| cosigners::not_asked(witness).is_none()) {
        return Ok(());
    }
    let out_of_reach = policy
        .witnesses()
        .iter()
        .filter_map(|witness| cosigners::not_asked(witness).map(|why| format!("{} ({why})", witness.name)));
    Err(OpenError::QuorumOutOfReach(out_of_reach.collect()))
}

/// Takes up the tree as the last batch left it.
fn restore(store: &dyn Store) -> Result<Edge, OpenError> {
    let head = store.head()?.ok_or(OpenError::NotFounded)?;
    let edge = Edge::restore(head.size, &store.edge()?)?;
    let computed = edge.root();
    if computed == head.root { Ok(edge) } else { Err(OpenError::Root { computed, expected: head.root }) }
}

/// Compares the store with the head that was acknowledged last. A store that does not have it stops the log.
fn open_high_water(data: &Path, ground: &Ground, tip: &Tip) -> Result<HighWater, OpenError> {
    let (high_water, acknowledged) = HighWater::open(data, &ground.key).map_err(OpenError::HighWater)?;
    match acknowledged.map(|note| judge(&note, ground, tip)).transpose()? {
        Some(Judgement::Unproven) => return Err(OpenError::HighWaterDamaged),
        Some(Judgement::Contradicts { size, contradiction }) => {
            let held = tip.size();
            ground.stop.stop(StopReason::Forgotten { acknowledged: size, held, contradiction });
            return Ok(high_water);
        }
        Some(Judgement::Consistent) => {}
        None => tracing::warn!("there was no file high-water in the data folder; it is made anew"),
    }
    high_water.raise(&tip.head.text).and_then(|()| high_water.settle(data)).map_err(OpenError::HighWater)?;
    Ok(high_water)
}

/// Stops a log that was restored from a copy, unless enough witnesses vouch that they have cosigned no more than it has.
async fn check_restored(data: &Path, ground: &Ground) -> Result<(), OpenError> {
    let Some(restored) = Restored::read(data)?.filter(|_| ground.stop.reason().is_none()) else {
        return Ok(());
    };
    let (size, declared) = (restored.size, restored.declared);
    let vouching = if declared { Vec::new() } else { cosigners::vouching(ground).await? };
    let heard = |witness: &Witness| vouching.contains(&witness.key);
    // One that did not vouch may have shown why.
    if ground.stop.reason().is_some() {
        return Ok(());
    }
    if restored.is_confirmed(&ground.policy, heard) {
        tracing::info!(size = size.get(), declared, "the restored log goes on");
        return Ok(Restored::remove(data)?);
    }
    let known = ground.board.witnesses().into_iter().zip(ground.policy.witnesses());
    let silent = known.filter(|(_, witness)| !heard(witness));
    let witnesses = silent.map(|(known, _)| format!("{} ({})", known.name, known.condition)).collect();
    ground.stop.stop(StopReason::Unconfirmed { size, witnesses });
    Ok(())
}

/// Takes up the head that was published last. It must be one of this tree; whether it still satisfies the policy,
/// which may have changed, decides whether it is shown.
fn restore_published(
    store: &dyn Store,
    edge: &Edge,
    key: &VerifierKey,
    policy: &Policy,
) -> Result<Option<Published>, OpenError> {
    let Some(note) = store.published()? else { return Ok(None) };
    let signed = SignedNote::parse(note.as_bytes()).map_err(|_| OpenError::Published)?;
    let log_signed = policy.verify_log(&signed).map_err(|_| OpenError::Published)?;
    let head = log_signed.checkpoint();
    let (size, root) = (head.size, head.root);
    if size > edge.size() || TreeReader::new(edge, store, &TileCache::default()).root(size)? != root {
        return Err(OpenError::Published);
    }
    match policy.verify(&signed) {
        Ok(checkpoint) => Ok(Some(Published { note, size, root, checkpoint })),
        Err(error) => {
            tracing::warn!(
                origin = key.name().as_str(),
                "the published head does not satisfy the policy any more and has to be cosigned anew: {error}"
            );
            Ok(None)
        }
    }
}
