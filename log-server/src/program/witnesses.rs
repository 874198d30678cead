//! The witnesses that the operator chose: a tlog-policy with submission URLs.

use std::path::{Path, PathBuf};

use countersign_verifier::note::KeyKind;
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::quorum::{Policy, PolicyError};

/// What to write into the file.
const HOW_TO: &str = "write the witnesses into a file, one line each, and the quorum, for example\n\n    \
    witness first w1.example+1a2b3c4d+BA... https://w1.example/\n    \
    witness second w2.example+5e6f7a8b+BA... https://w2.example/\n    \
    witness third w3.example+9c0d1e2f+BA... https://w3.example/\n    \
    group two-of-three 2 first second third\n    \
    quorum two-of-three\n\n\
    and name it with --witnesses FILE. Each line has the verifier key that countersign-witness init prints, and the \
    URL that it serves under. For a log without witnesses, which nobody can check against another view, the file \
    has one line: quorum none";

/// Why the witnesses cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum WitnessesError {
    /// No file was named.
    #[error("the witnesses of the log are not named")]
    NotNamed,
    /// The file cannot be read.
    #[error("cannot read {}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is no policy.
    #[error("{} is not a tlog-policy", .path.display())]
    NotAPolicy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: PolicyError,
    },
    /// A witness cannot be asked.
    #[error("the line of witness {witness} has no URL")]
    NoUrl {
        /// Its name in the file.
        witness: String,
    },
    /// A witness's cosignatures are not checked here, and so never count.
    #[error("the key of witness {witness} is of type 0x{found:02x}, whose cosignatures are not checked yet")]
    KeyKind {
        /// Its name in the file.
        witness: String,
        /// The type of its key.
        found: u8,
    },
}

impl From<WitnessesError> for Failed {
    fn from(error: WitnessesError) -> Self {
        let hint = match &error {
            WitnessesError::NotNamed | WitnessesError::NotAPolicy { .. } => HOW_TO,
            WitnessesError::Unreadable { .. } => "look at the path and its permissions",
            WitnessesError::NoUrl { .. } => {
                "write the witness's submission URL at the end of its line; without it the log cannot ask for \
                 cosignatures"
            }
            WitnessesError::KeyKind { .. } => {
                "use the witness's key of type 0x04 (the base64 begins with BA to BP), or leave the witness out"
            }
        };
        let exit = match error {
            WitnessesError::Unreadable { .. } => Exit::CouldNotCheck,
            _ => Exit::Usage,
        };
        Self::new(exit, "the log has no witnesses to ask").because(error).hint(hint)
    }
}

/// Reads the file. Every witness in it can be asked, and every cosignature can count.
pub(super) fn read(path: Option<&Path>) -> Result<Policy, WitnessesError> {
    let path = path.ok_or(WitnessesError::NotNamed)?;
    let bytes =
        std::fs::read(path).map_err(|source| WitnessesError::Unreadable { path: path.to_owned(), source })?;
    let policy = Policy::parse(&bytes)
        .map_err(|source| WitnessesError::NotAPolicy { path: path.to_owned(), source })?;
    for witness in policy.witnesses() {
        let name = || witness.name.clone();
        if witness.key.kind() != KeyKind::CosignatureV1 {
            return Err(WitnessesError::KeyKind { witness: name(), found: witness.key.kind().byte() });
        }
        if witness.url.is_none() {
            return Err(WitnessesError::NoUrl { witness: name() });
        }
    }
    Ok(policy)
}
