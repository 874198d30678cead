//! Where an audit stood, on disk.
//!
//! Two files: `FILE` says where the audit stood and how much of the record counts; `FILE.record` has what every entry
//! added, and only ever grows. `FILE` is replaced as a whole, after the record is on disk, so a crash at any moment
//! leaves the old standing or the new one; what the record has beyond it is cut off. Both are under SHA-256: a state of
//! which one bit has changed is refused.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use countersign_verifier::audit::{Accusation, Audit, Position, Restore};
use countersign_verifier::note::SignedNote;
use countersign_verifier::program::{Exit, Failed, durable};
use countersign_verifier::statement::ExecutionId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const FORMAT: &str = "countersign-audit/v1";

/// What stands in the state file, after a line with the SHA-256 of it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standing {
    format: String,
    origin: String,
    /// The newest head under which all entries were audited.
    head: Option<String>,
    position: Position,
    record_bytes: u64,
    record_sha256: String,
    /// What evidence is still to be made of, once a root is known to be signed.
    accusations: Vec<Accusation>,
    /// The executions of which a bundle is still to be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    violated: Vec<String>,
}

/// The files of a state, held by this process alone.
pub(crate) struct StateFiles {
    path: PathBuf,
    record: File,
    bytes: u64,
    digest: Sha256,
}

/// A state that was taken up again, or the one before the first entry.
#[derive(Default)]
pub(crate) struct Restored {
    pub(crate) audit: Audit,
    pub(crate) head: Option<SignedNote>,
    pub(crate) suspicions: Suspicions,
}

/// What is to be shown to others, once a root is known to be signed.
#[derive(Default)]
pub(crate) struct Suspicions {
    /// Entries that should not be there.
    pub(crate) accusations: Vec<Accusation>,
    /// Executions whose record breaks the rules.
    pub(crate) violated: Vec<ExecutionId>,
}

impl StateFiles {
    /// Opens the state, or begins one where there is none.
    pub(crate) fn open(path: &Path, origin: &str) -> Result<(Self, Option<Restored>), Failed> {
        let record_path = beside(path, ".record");
        let unusable = |what: &Path, error: std::io::Error| {
            Failed::new(Exit::CouldNotCheck, format!("cannot open {}", what.display())).because(error)
        };
        let standing = match std::fs::read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(path, error)),
        };
        let record = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&record_path)
            .map_err(|error| unusable(&record_path, error))?;
        record.try_lock().map_err(|_| {
            Failed::new(Exit::CouldNotCheck, format!("another audit uses {}", record_path.display()))
                .hint("wait until it is done, or give another --state")
        })?;
        let mut files = Self { path: path.to_owned(), record, bytes: 0, digest: Sha256::new() };
        let Some(standing) = standing else { return Ok((files, None)) };
        let restored = files.restore(&standing, origin)?;
        Ok((files, Some(restored)))
    }

    fn restore(&mut self, standing: &[u8], origin: &str) -> Result<Restored, Failed> {
        let standing = parse(standing).ok_or_else(|| self.damaged("it is not what an audit wrote"))?;
        if standing.origin != origin {
            let what = format!(
                "the state {} is of the log {}, not of {origin}",
                self.path.display(),
                standing.origin
            );
            return Err(Failed::new(Exit::Usage, what).hint("give another --state for each log"));
        }
        let mut restore = Restore::new();
        let mut buffer = vec![0; 1 << 20];
        while self.bytes < standing.record_bytes {
            let left = standing.record_bytes.saturating_sub(self.bytes);
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let part = buffer.get_mut(..most).unwrap_or_default();
            let count = self
                .record
                .read(part)
                .map_err(|error| self.damaged("the record cannot be read").because(error))?;
            let part = part.get(..count).filter(|part| !part.is_empty());
            let part = part.ok_or_else(|| self.damaged("the record is shorter than it was"))?;
            self.digest.update(part);
            self.bytes = self.bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            restore
                .feed(part)
                .map_err(|error| self.damaged("the record is not what it was").because(error))?;
        }
        if hex::encode(self.digest.clone().finalize()) != standing.record_sha256 {
            return Err(self.damaged("the record is not what it was"));
        }
        let audit = restore.finish(&standing.position);
        let audit = audit.map_err(|error| self.damaged("it is not what an audit wrote").because(error))?;
        let head = standing.head.map(|note| SignedNote::parse(note.as_bytes())).transpose();
        let head = head.map_err(|error| self.damaged("its head is no note").because(error))?;
        let violated = standing.violated.iter().map(|name| name.parse()).collect::<Result<_, _>>();
        let violated =
            violated.map_err(|error| self.damaged("it names what is no execution").because(error))?;
        let suspicions = Suspicions { accusations: standing.accusations, violated };
        Ok(Restored { audit, head, suspicions })
    }

    /// Keeps where an audit stands. When this returns, it survives a crash.
    pub(crate) fn keep(
        &mut self,
        (record, position): (Vec<u8>, Position),
        origin: &str,
        head: Option<&SignedNote>,
        suspicions: &Suspicions,
    ) -> Result<(), Failed> {
        let unkept = |error: std::io::Error| {
            Failed::new(Exit::CouldNotCheck, format!("the state {} cannot be written", self.path.display()))
                .because(error)
        };
        // Beyond what counts may lie what an earlier run wrote before it was stopped.
        self.record.set_len(self.bytes).map_err(unkept)?;
        self.record.seek(SeekFrom::Start(self.bytes)).map_err(unkept)?;
        self.record.write_all(&record).map_err(unkept)?;
        self.record.sync_data().map_err(unkept)?;
        let bytes = self.bytes.saturating_add(u64::try_from(record.len()).unwrap_or(u64::MAX));
        let mut digest = self.digest.clone();
        digest.update(&record);
        let standing = Standing {
            format: FORMAT.to_owned(),
            origin: origin.to_owned(),
            head: head.map(ToString::to_string),
            position,
            record_bytes: bytes,
            record_sha256: hex::encode(digest.clone().finalize()),
            accusations: suspicions.accusations.clone(),
            violated: suspicions.violated.iter().map(ToString::to_string).collect(),
        };
        let json = serde_json::to_string(&standing).map_err(|error| unkept(error.into()))?;
        let text = format!("{}\n{json}\n", hex::encode(Sha256::digest(json.as_bytes())));
        durable::replace(&self.path, text.as_bytes()).map_err(unkept)?;
        (self.bytes, self.digest) = (bytes, digest);
        Ok(())
    }

    fn damaged(&self, how: &str) -> Failed {
        let path = self.path.display();
        Failed::new(Exit::StateDamaged, format!("the state {path} is damaged: {how}")).hint(format!(
            "remove {path} and {path}.record to begin again with the first entry, or put back a copy of both"
        ))
    }
}

fn parse(bytes: &[u8]) -> Option<Standing> {
    let (digest, json) = core::str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split_once('\n')?;
    if hex::encode(Sha256::digest(json.as_bytes())) != digest {
        return None;
    }
    serde_json::from_str(json).ok().filter(|standing: &Standing| standing.format == FORMAT)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(suffix);
    beside.into()
}
