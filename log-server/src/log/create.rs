//! Founding a log.

use std::path::{Path, PathBuf};

use countersign_verifier::admission::{AdmitError, MemoryState, Refusal, admit};
use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::note::{KeyError, KeyName, NoteSigner, VerifierKey};
use countersign_verifier::program::keyfile::{self, KeyFileError};
use countersign_verifier::program::{Exit, Failed, durable};
use countersign_verifier::statement::payload::{Genesis, Operator};
use countersign_verifier::statement::{
    Claims, Draft, IssuerName, NameError, Payload, References, Rules, SignatureError, StatementError,
    Subject, UnixSeconds, VerifiedStatement,
};
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::Log;
use crate::high_water::{self, HighWater};
use crate::store::{Batch, Growth, Head, Journal as _, NewEntry, RocksStore, StoreError};
use crate::tree::Edge;

/// The log's key in its data folder.
pub const LOG_KEY: &str = "log.key";
/// The operator's key in the data folder. Only founding needs it there.
pub(crate) const OPERATOR_KEY: &str = "operator.pem";
/// The database in the data folder.
pub const DATABASE: &str = "db";

/// Why no log was founded.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The folder has a log, or what remains of one.
    #[error("{} is already there, and a log is never written over", .0.display())]
    Exists(PathBuf),
    /// The folder cannot be made.
    #[error("the folder {} cannot be made", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The origin cannot be the name of a key.
    #[error("the origin cannot be the name of the log's key")]
    Origin(#[from] KeyError),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes for the keys")]
    Random(#[from] getrandom::Error),
    /// A key cannot be written.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The genesis cannot be made.
    #[error("the genesis cannot be made")]
    Genesis(#[from] GenesisError),
    /// The file `high-water` cannot be written.
    #[error("the file high-water cannot be written")]
    HighWater(#[from] std::io::Error),
    /// The store cannot be made.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why there is no genesis.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// The operator has no good name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It would not be well-formed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It would not be signed well.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The rules would not admit it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<CreateError> for Failed {
    fn from(error: CreateError) -> Self {
        let exit = match &error {
            CreateError::Exists(_) | CreateError::Origin(_) => Exit::Usage,
            _ => Exit::CouldNotCheck,
        };
        let failed = Self::new(exit, "no log was founded");
        let failed = match &error {
            CreateError::Exists(_) => failed.hint(
                "name another folder, or serve the log that is there; if its founding was interrupted, remove the folder",
            ),
            CreateError::Origin(_) => {
                failed.hint("an origin looks like example.org/log: no white space and no plus sign")
            }
            _ => failed.hint("remove what was written into the folder before you try again"),
        };
        failed.because(error)
    }
}

impl Log {
    /// Founds a log in the folder `data`: makes its keys (`log.key`, `operator.pem`) and its entry 0. `now` is the
    /// time that the genesis states. Returns the log's public key. A folder that has any of it already is refused.
    ///
    /// When it returns `Ok`, all of it survives any crash.
    pub fn create(data: &Path, origin: &Origin, now: UnixSeconds) -> Result<VerifierKey, CreateError> {
        for name in [LOG_KEY, OPERATOR_KEY, DATABASE, high_water::FILE] {
            let path = data.join(name);
            if path.exists() {
                return Err(CreateError::Exists(path));
            }
        }
        let name = KeyName::new(origin.as_str())?;
        durable::create_folder(data, 0o777)
            .map_err(|source| CreateError::Folder { path: data.to_owned(), source })?;
        let signer = NoteSigner::from_seed(name, false, &*random()?);
        let operator = SigningKey::from_bytes(&*random()?);
        keyfile::write_note_signer(&data.join(LOG_KEY), &signer)?;
        keyfile::write_signing_key(&data.join(OPERATOR_KEY), &operator)?;
        let mut id = [0; 16];
        getrandom::fill(&mut id)?;
        let growth = found(genesis(origin, &operator, now, id)?)?;
        let head = Checkpoint::new(origin.clone(), growth.head.size, growth.head.root).sign(&signer);
        let store = RocksStore::create(&data.join(DATABASE), origin)?;
        store.commit(&Batch { growth: Some(growth), publication: None })?;
        let (high_water, _) = HighWater::open(data, signer.verifier())?;
        high_water.raise(&head.to_string()).and_then(|()| high_water.settle(data))?;
        Ok(signer.verifier().clone())
    }
}

fn random() -> Result<Zeroizing<[u8; 32]>, getrandom::Error> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed)?;
    Ok(seed)
}

fn genesis(
    origin: &Origin,
    operator: &SigningKey,
    now: UnixSeconds,
    id: [u8; 16],
) -> Result<VerifiedStatement, GenesisError> {
    let public_key = PublicKey::from(operator);
    let claims = Claims {
        issuer: IssuerName::OPERATOR.parse()?,
        subject: Subject::Log(origin.clone()),
        validity: None,
        issued_at: now,
        id,
    };
    let operator_named = Operator { public_key };
    let payload = Genesis { origin: origin.clone(), operator: operator_named, rules: Rules::CountersignV1 };
    let draft = Draft::new(&public_key, claims, &Payload::Genesis(payload), &References::default())?;
    Ok(draft.sign(operator)?)
}

/// The tree with the genesis as its only entry.
fn found(genesis: VerifiedStatement) -> Result<Growth, GenesisError> {
    let admitted = match admit(&MemoryState::new(), &genesis) {
        Ok(admitted) => admitted,
        Err(AdmitError::Refused(refusal)) => return Err(refusal.into()),
        Err(AdmitError::State(impossible)) => match impossible {},
    };
    let mut edge = Edge::default();
    let appended = edge.append([genesis.entry_id()]).unwrap_or_default();
    let entry = NewEntry { bytes: genesis.into_bytes(), effects: admitted.effects };
    let head = Head { size: edge.size(), root: edge.root() };
    Ok(Growth { entries: vec![entry], full_tiles: appended.full_tiles, edge: appended.edge, head })
}
