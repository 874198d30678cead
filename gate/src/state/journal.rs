//! The journal of one execution: every statement before it is sent, and what became of it.
//!
//! It is a file of JSON lines that is only appended to, locked by the process that writes it. A process that dies
//! leaves a journal that nobody locks, from which the next one tells what is missing in the log. A last line without
//! its end was being written at that moment, and says nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::merkle::{LeafHash, LeafIndex};
use countersign_verifier::program::durable;
use countersign_verifier::statement::{ExecutionId, Kind, Statement, UnixSeconds};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::StateError;

/// How journal files end.
pub(super) const EXTENSION: &str = "journal";

/// One statement of the execution.
#[derive(Debug, Clone)]
pub struct Step {
    /// The statement.
    pub statement: Statement,
    /// Its entry id.
    pub entry: LeafHash,
    /// What became of it.
    pub standing: Standing,
}

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has to be sent, or sent again.
    Pending,
    /// The log has it.
    Logged(Option<LeafIndex>),
    /// The log refused it for good.
    Refused,
    /// It did not get into the log, and no longer should.
    Withdrawn,
}

impl Standing {
    /// Whether the statement is, or is to be, a part of the execution.
    pub fn counts(self) -> bool {
        match self {
            Self::Pending | Self::Logged(_) => true,
            Self::Refused | Self::Withdrawn => false,
        }
    }
}

/// The journal of one execution.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    execution: ExecutionId,
    steps: Vec<Step>,
    started: Option<UnixSeconds>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "lowercase", deny_unknown_fields)]
enum Record {
    Execution { id: String },
    Statement { bytes: String },
    Replaced { entry: String, bytes: String },
    Logged { entry: String, index: Option<u64> },
    Refused { entry: String, why: String },
    Withdrawn { entry: String },
    Started { at: u64 },
}

impl Journal {
    /// Begins the journal of an execution that has none here.
    pub(super) fn create(folder: &Path, execution: &ExecutionId) -> Result<Self, StateError> {
        // An execution id may hold slashes and be long; its hash may not.
        let name = hex::encode(Sha256::digest(execution.as_str()));
        let path = folder.join(&name).with_extension(EXTENSION);
        let io = |source| StateError::Io { path: path.clone(), source };
        let new = folder.join(format!("{name}.{}.new", std::process::id()));
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(&new).map_err(io)?;
        // Locked before it has its name, so that nobody takes it for one that was left behind.
        file.lock().map_err(io)?;
        file.set_len(0).map_err(io)?;
        let linked = std::fs::hard_link(&new, &path);
        std::fs::remove_file(&new).map_err(io)?;
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(StateError::InUse(execution.clone()));
            }
            Err(source) => return Err(io(source)),
        }
        let execution = execution.clone();
        let mut journal = Self { file, path: path.clone(), execution, steps: Vec::new(), started: None };
        journal.write(&[Record::Execution { id: journal.execution.to_string() }])?;
        durable::sync_folder_of(&path).map_err(|source| StateError::Io { path, source })?;
        Ok(journal)
    }

    /// Takes up a journal that was left behind; nothing, when a living process has it, or had it until just now.
    pub(super) fn take_up(path: &Path) -> Result<Option<Self>, StateError> {
        let io = |source| StateError::Io { path: path.to_owned(), source };
        let mut file = match OpenOptions::new().read(true).append(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(io(source)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        if file.metadata().map_err(io)?.nlink() == 0 {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1));
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(io)?;
            file.seek(SeekFrom::End(0)).map_err(io)?;
        }
        bytes.truncate(whole);
        if bytes.is_empty() {
            // It was cut off before it had begun: nothing was sent, nothing ran.
            std::fs::remove_file(path).map_err(io)?;
            return Ok(None);
        }
        let damaged = |line: usize| StateError::Damaged { path: path.to_owned(), line };
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
        let execution = match lines.next().and_then(|(_, line)| serde_json::from_slice(line).ok()) {
            Some(Record::Execution { id }) => id.parse().map_err(|_| damaged(1))?,
            _ => return Err(damaged(1)),
        };
        let mut journal = Self { file, path: path.to_owned(), execution, steps: Vec::new(), started: None };
        for (at, line) in lines {
            let record = serde_json::from_slice(line).ok();
            record.and_then(|record| journal.apply(&record)).ok_or_else(|| damaged(at.saturating_add(1)))?;
        }
        Ok(Some(journal))
    }

    /// Which execution.
    pub fn execution(&self) -> &ExecutionId {
        &self.execution
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its statements, in the order in which the log is to have them.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The newest statement of a kind that counts.
    pub fn newest(&self, kind: Kind) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.statement.kind() == kind && step.standing.counts())
    }

    /// When the command was started, if it came to that.
    pub fn started(&self) -> Option<UnixSeconds> {
        self.started
    }

    /// Notes statements that are about to be sent. They count as noted also when this fails: what can still be sent
    /// should be.
    pub fn add(&mut self, statements: Vec<Statement>) -> Result<(), StateError> {
        let records: Vec<Record> =
            statements.iter().map(|one| Record::Statement { bytes: STANDARD.encode(one.bytes()) }).collect();
        self.steps.extend(statements.into_iter().map(Step::new));
        self.write(&records)
    }

    /// Notes that a statement is sent in another form, for example with a newer time.
    pub fn replace(&mut self, entry: LeafHash, statement: Statement) -> Result<(), StateError> {
        let record = Record::Replaced { entry: entry.to_string(), bytes: STANDARD.encode(statement.bytes()) };
        if let Some(step) = self.step(entry) {
            *step = Step::new(statement);
        }
        self.write(&[record])
    }

    /// Notes that the log has a statement. Losing this note costs no more than sending the statement again.
    pub fn logged(&mut self, entry: LeafHash, index: Option<LeafIndex>) -> Result<(), StateError> {
        if let Some(step) = self.step(entry) {
            step.standing = Standing::Logged(index);
        }
        self.append(&[Record::Logged { entry: entry.to_string(), index: index.map(LeafIndex::get) }])
    }

    /// Notes that the log refused a statement for good.
    pub fn refused(&mut self, entry: LeafHash, why: String) -> Result<(), StateError> {
        if let Some(step) = self.step(entry) {
            step.standing = Standing::Refused;
        }
        self.write(&[Record::Refused { entry: entry.to_string(), why }])
    }

    /// Notes that a statement that did not get into the log is not sent again.
    pub fn withdraw(&mut self, entry: LeafHash) -> Result<(), StateError> {
        if let Some(step) = self.step(entry) {
            step.standing = Standing::Withdrawn;
        }
        self.write(&[Record::Withdrawn { entry: entry.to_string() }])
    }

    /// Notes that the command is about to be started. When this returns, that is on disk.
    pub fn start(&mut self, now: UnixSeconds) -> Result<(), StateError> {
        self.started = Some(now);
        self.write(&[Record::Started { at: now.get() }])
    }

    pub(super) fn end(self, refused: &Path) -> Result<(), StateError> {
        let io = |source| StateError::Io { path: self.path.clone(), source };
        if self.steps.iter().all(|step| step.standing != Standing::Refused) {
            return std::fs::remove_file(&self.path).map_err(io);
        }
        let name = self.path.file_name().unwrap_or_default();
        std::fs::rename(&self.path, refused.join(name)).map_err(io)
    }

    fn step(&mut self, entry: LeafHash) -> Option<&mut Step> {
        self.steps.iter_mut().find(|step| step.entry == entry)
    }

    fn apply(&mut self, record: &Record) -> Option<()> {
        let statement = |bytes: &str| Statement::parse(&STANDARD.decode(bytes).ok()?).ok();
        match record {
            Record::Execution { .. } => return None,
            Record::Statement { bytes } => self.steps.push(Step::new(statement(bytes)?)),
            Record::Replaced { entry, bytes } => {
                *self.step(entry.parse().ok()?)? = Step::new(statement(bytes)?);
            }
            Record::Logged { entry, index } => {
                self.step(entry.parse().ok()?)?.standing = Standing::Logged(index.and_then(LeafIndex::new));
            }
            Record::Withdrawn { entry } => self.step(entry.parse().ok()?)?.standing = Standing::Withdrawn,
            Record::Refused { entry, .. } => self.step(entry.parse().ok()?)?.standing = Standing::Refused,
            Record::Started { at } => self.started = Some(UnixSeconds::new(*at)?),
        }
        Some(())
    }

    fn write(&mut self, records: &[Record]) -> Result<(), StateError> {
        self.append(records)?;
        self.file.sync_data().map_err(|source| StateError::Io { path: self.path.clone(), source })
    }

    fn append(&mut self, records: &[Record]) -> Result<(), StateError> {
        let mut lines = Vec::new();
        let written = records.iter().try_for_each(|record| {
            serde_json::to_writer(&mut lines, record)?;
            lines.push(b'\n');
            Ok(())
        });
        let written = written.and_then(|()| self.file.write_all(&lines));
        written.map_err(|source| StateError::Io { path: self.path.clone(), source })
    }
}

impl Drop for Journal {
    /// Gives the lock up at once: closing the file would not, while a process that is just being started has it too.
    fn drop(&mut self) {
        // It fails only where there is no lock to give up.
        let _ = self.file.unlock();
    }
}

impl Step {
    fn new(statement: Statement) -> Self {
        let entry = LeafHash::of(statement.bytes());
        Self { statement, entry, standing: Standing::Pending }
    }
}
