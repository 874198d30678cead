//! The side of whoever needs a data folder that stands still.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use countersign_verifier::program::{Exit, Failed};

use super::{FAILED, FOLDER, HERE, REQUEST, SOCKET};
use crate::log::{DATABASE, OpenError};
use crate::store::{Hold, StoreError};

/// Why there is no data folder that stands still.
#[derive(Debug, thiserror::Error)]
pub enum StillError {
    /// A process has the database open and does not listen.
    #[error("another process uses the data folder {} and gives no snapshots of it", .0.display())]
    Deaf(PathBuf),
    /// The process that serves the log could not make one.
    #[error("the process that serves the log could not make a snapshot: {0}")]
    Refused(String),
    /// The socket cannot be used.
    #[error("the process that serves the log cannot be asked for a snapshot")]
    Socket(#[from] io::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<StillError> for Failed {
    fn from(error: StillError) -> Self {
        let hint = match error {
            StillError::Store(error) => return OpenError::from(error).into(),
            StillError::Deaf(_) => {
                "end that process, or wait until it is done: a restore or a check may be using the folder; a log that \
                 serves gives snapshots unless its own messages say why it cannot"
            }
            StillError::Refused(_) => {
                "look at the messages of the serving process, and at the room on its disk"
            }
            StillError::Socket(_) => "run this as the user that the log runs as",
        };
        Self::new(Exit::CouldNotCheck, "the data cannot be read while it stands still")
            .hint(hint)
            .because(error)
    }
}

/// A data folder that stands still as long as this is held.
#[derive(Debug)]
pub struct Still {
    folder: PathBuf,
    kept: Kept,
}

/// What keeps it still.
#[derive(Debug)]
#[expect(dead_code, reason = "they are held, not read")]
enum Kept {
    Snapshot(BufReader<UnixStream>),
    Hold(Hold),
}

impl Still {
    /// The data folder `data`: a snapshot of it when the log is served, else the folder itself, which then nobody can
    /// begin to serve.
    pub fn of(data: &Path) -> Result<Self, StillError> {
        match UnixStream::connect(data.join(SOCKET)) {
            Ok(stream) => Self::ask(data, stream),
            Err(error) if is_nobody(&error) => match Hold::of(&data.join(DATABASE)) {
                Ok(hold) => Ok(Self { folder: data.to_owned(), kept: Kept::Hold(hold) }),
                Err(StoreError::Locked(_)) => Err(StillError::Deaf(data.to_owned())),
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    fn ask(data: &Path, mut stream: UnixStream) -> Result<Self, StillError> {
        stream.write_all(REQUEST.as_bytes())?;
        let mut answer = String::new();
        let mut stream = BufReader::new(stream);
        stream.read_line(&mut answer)?;
        let answer = answer.trim_end();
        match answer.strip_prefix(HERE) {
            Some(name) => Ok(Self { folder: data.join(FOLDER).join(name), kept: Kept::Snapshot(stream) }),
            None => Err(StillError::Refused(answer.strip_prefix(FAILED).unwrap_or(answer).to_owned())),
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The database in it.
    pub fn database(&self) -> PathBuf {
        self.folder.join(DATABASE)
    }

    /// Whether it is a snapshot of a log that is served.
    pub const fn is_snapshot(&self) -> bool {
        matches!(self.kept, Kept::Snapshot(_))
    }
}

/// Whether nobody can be listening. A path that is too long for a socket is one on which nobody ever listened.
fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused | ErrorKind::InvalidInput)
}
