//! The witness: what it is asked, and what it answers.

use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use countersign_verifier::checkpoint::{Checkpoint, LogSigned, OpenError, origin_line};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::witnessing::AddCheckpoint;

use crate::clock::Clock;
use crate::cosigned::Cosigned;
use crate::evidence::{Evidence, Kept};
use crate::folder::{Folder, FolderError};
use crate::health::Stop;
use crate::latest::{Latest, Shown};
use crate::ledger::{Keep, Ledger, LedgerError, Positions};
use crate::recorder::{Recorder, Request};
use crate::refusal::Refusal;
use crate::rollback::Rollback;
use crate::roster::{Logs, Roster, RosterError};

/// Why a witness cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder is not there, incomplete, or in use.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The list of logs cannot be read.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// What was cosigned is not known.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The system gives no thread.
    #[error("no thread can be started: {0}")]
    Thread(std::io::Error),
}

/// Something that keeps the witness from doing its work.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing is signed until the next start.
    Stopped(Arc<str>),
    /// Nothing is signed for one log.
    RolledBack(Arc<Rollback>),
    /// The list of logs is damaged; those known before are watched.
    Roster(Arc<str>),
}

/// A witness at work: it cosigns heads of the logs it watches, each consistent with all before.
///
/// It is the only one on its data folder. Dropping it closes it.
#[derive(Debug)]
pub struct Witness {
    key: VerifierKey,
    roster: Roster,
    recorder: Mutex<Option<Arc<Recorder>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    latest: Arc<Latest>,
    evidence: Arc<Evidence>,
    stop: Stop,
    /// Released when the witness is dropped.
    _lock: File,
}

impl Witness {
    /// Takes a data folder into use, and compares its database with its high-water mark.
    ///
    /// A log whose database turns out to be older than its mark gets no cosignatures; the others are served.
    pub fn open(folder: &Folder, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let cosigner = folder.cosigner()?;
        let lock = folder.lock()?;
        let roster = Roster::open(&folder.logs(), cosigner.key())?;
        let (ledger, positions) = Ledger::open(&folder.database(), folder.high_water(), &cosigner)?;
        for rollback in positions.values().filter_map(|position| position.rollback.as_ref()) {
            tracing::error!(%rollback, "no cosignatures for this log: its database is older than its high-water mark");
        }
        Self::start(folder, cosigner, clock, roster, Box::new(ledger), positions, lock)
    }

    fn start(
        folder: &Folder,
        cosigner: crate::cosigned::Cosigner,
        clock: Arc<dyn Clock>,
        roster: Roster,
        keep: Box<dyn Keep>,
        positions: Positions,
        lock: File,
    ) -> Result<Self, StartError> {
        let key = cosigner.key().clone();
        let stop = Stop::default();
        let latest = Arc::new(Latest::of(&positions));
        let (recorder, thread) =
            Recorder::start(cosigner, clock, keep, positions, Arc::clone(&latest), stop.clone())
                .map_err(StartError::Thread)?;
        Ok(Self {
            key,
            roster,
            recorder: Mutex::new(Some(Arc::new(recorder))),
            thread: Mutex::new(Some(thread)),
            latest,
            evidence: Arc::new(Evidence::in_folder(folder.evidence())),
            stop,
            _lock: lock,
        })
    }

    /// The key by which its cosignatures are verified.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The logs that it watches.
    pub fn logs(&self) -> Arc<Logs> {
        self.roster.logs()
    }

    /// Decides on the body of an add-checkpoint request (C2SP tlog-witness).
    ///
    /// When this returns a head, it is kept, and its cosignature says that the head is consistent with all heads of the log that
    /// this witness cosigned before.
    pub async fn add_checkpoint(&self, body: &[u8]) -> Result<Arc<Cosigned>, Refusal> {
        let AddCheckpoint { old, proof, checkpoint } = AddCheckpoint::parse(body)?;
        let origin = origin_line(&checkpoint).map_err(Refusal::NoOrigin)?;
        let logs = self.logs();
        let log = logs.get(&origin).ok_or(Refusal::UnknownLog(origin))?;
        let head = LogSigned::open(&checkpoint, &log.keys).map_err(|error| match error {
            OpenError::Untrusted(error) => Refusal::Untrusted(error),
            OpenError::NotACheckpoint(error) => Refusal::NotACheckpoint(error),
        })?;
        let extensions = head.checkpoint().extensions.len();
        if extensions > 0 {
            return Err(Refusal::ExtensionLines(extensions));
        }
        let asked = head.checkpoint().clone();
        let verdict = match self.recorder() {
            Some(recorder) => recorder.ask(Request { old, proof, head, per_day: log.per_day }).await,
            None => Err(Refusal::Stopped("this witness is shutting down".into())),
        };
        if let Err(refusal) = &verdict {
            self.keep_evidence(refusal, asked, body).await;
        }
        verdict
    }

    /// What can be said of the log whose origin has this SHA-256, in lowercase hex digits.
    pub fn latest_by_hash(&self, hash: &str) -> Option<Shown> {
        self.latest.by_hash(hash)
    }

    /// What can be said of a log.
    pub fn latest(&self, origin: &countersign_verifier::checkpoint::Origin) -> Option<Shown> {
        self.latest.of_log(origin)
    }

    /// What keeps the witness from doing all of its work. Empty when nothing does.
    pub fn faults(&self) -> Vec<Fault> {
        let stopped = self.stop.cause().map(Fault::Stopped);
        let rolled_back = self.latest.rollbacks().into_iter().map(Fault::RolledBack);
        stopped.into_iter().chain(rolled_back).chain(self.roster.fault().map(Fault::Roster)).collect()
    }

    /// Finishes what was begun, and gives the data folder free. Further requests are refused.
    pub fn close(&self) {
        drop(self.recorder.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the part that signs ended in a panic");
        }
    }

    fn recorder(&self) -> Option<Arc<Recorder>> {
        self.recorder.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn keep_evidence(&self, refusal: &Refusal, asked: Checkpoint, request: &[u8]) {
        if !matches!(
            refusal,
            Refusal::EmptyRoot { .. } | Refusal::OtherRoot { .. } | Refusal::Inconsistent { .. }
        ) {
            return;
        }
        let evidence = Arc::clone(&self.evidence);
        let (refused, request) = (refusal.clone(), request.to_vec());
        let origin = asked.origin.clone();
        let kept = tokio::task::spawn_blocking(move || evidence.keep(&refused, &asked, &request)).await;
        match kept.unwrap_or_else(|error| Err(error.into())) {
            Ok(Some(Kept::At(path))) => {
                tracing::error!(%origin, %refusal, evidence = %path.display(), "a log signed what it should not have");
            }
            Ok(Some(Kept::Already | Kept::Enough) | None) => {
                tracing::debug!(%origin, %refusal, "a log signed what it should not have, again");
            }
            Err(error) => tracing::error!(%origin, %refusal, %error, "evidence could not be kept"),
        }
    }
}

impl Drop for Witness {
    /// The data folder is given free only after the last head is kept.
    fn drop(&mut self) {
        self.close();
    }
}
