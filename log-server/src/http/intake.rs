//! From bytes to verified statements: all that is checked before the queue, on the threads made for it.

use std::collections::HashMap;

use countersign_verifier::admission::AdmitError;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::{
    IssuerName, Payload, Statement, Submission, UnixSeconds, VerifiedStatement,
};
use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

use super::catalog::codes;
use super::problem::Refusal;
use crate::log::{Log, ReadError, Sequenced};

/// How far `iat` may be from the server's clock, in seconds, to either side.
const CLOCK_TOLERANCE: u64 = 300;

/// What became of a statement's bytes.
#[derive(Debug)]
pub(super) enum Taken {
    /// The log holds the same bytes already.
    Known(Sequenced),
    /// Signed by a registered key, and made now. Whether it may enter, the sequencer decides.
    Fresh(Box<VerifiedStatement>),
}

/// Checks a statement in its exact bytes.
///
/// What the log holds already is answered as such first: an issuer that retries gets its proof also after its clock
/// has moved on or its key has been revoked.
pub(super) fn cose(log: &Log, now: UnixSeconds, bytes: &[u8]) -> Result<Taken, Refusal> {
    Parsed::of(log, now, bytes)?.verify(log, &HashMap::new())
}

/// Checks a statement in its JSON form. It brings its key, which has to be the registered one.
pub(super) fn json(log: &Log, now: UnixSeconds, bytes: &[u8]) -> Result<Taken, Refusal> {
    let statement = Submission::parse(bytes)?.verify()?;
    if let Some(known) = find(log, statement.entry_id())? {
        return Ok(Taken::Known(known));
    }
    check_clock(now, statement.statement())?;
    signing_key(log, statement.statement(), &HashMap::new())?;
    Ok(Taken::Fresh(Box::new(statement)))
}

/// Checks the statements of a batch, all at once. Later ones may be signed by keys that earlier ones register.
pub(super) fn batch(log: &Log, now: UnixSeconds, items: &[&[u8]]) -> Vec<Result<Taken, Refusal>> {
    let parsed: Vec<_> = items.par_iter().map(|item| Parsed::of(log, now, item)).collect();
    let mut keys: HashMap<IssuerName, Vec<PublicKey>> = HashMap::new();
    for parsed in parsed.iter().flatten() {
        if let Parsed::Unknown(statement) = parsed
            && let Payload::Issuer(issuer) = statement.payload()
        {
            keys.entry(issuer.name.clone()).or_default().push(issuer.public_key);
        }
    }
    parsed.into_par_iter().map(|parsed| parsed?.verify(log, &keys)).collect()
}

enum Parsed {
    Known(Sequenced),
    Unknown(Box<Statement>),
}

impl Parsed {
    fn of(log: &Log, now: UnixSeconds, bytes: &[u8]) -> Result<Self, Refusal> {
        if let Some(known) = find(log, LeafHash::of(bytes))? {
            return Ok(Self::Known(known));
        }
        let statement = Statement::parse(bytes)?;
        check_clock(now, &statement)?;
        Ok(Self::Unknown(Box::new(statement)))
    }

    fn verify(self, log: &Log, batch_keys: &HashMap<IssuerName, Vec<PublicKey>>) -> Result<Taken, Refusal> {
        let statement = match self {
            Self::Known(known) => return Ok(Taken::Known(known)),
            Self::Unknown(statement) => *statement,
        };
        let key = signing_key(log, &statement, batch_keys)?;
        Ok(Taken::Fresh(Box::new(statement.verify(&key)?)))
    }
}

fn find(log: &Log, entry: LeafHash) -> Result<Option<Sequenced>, ReadError> {
    Ok(log.entry_index(&entry)?.map(|index| Sequenced { index, entry, new: false }))
}

/// The key that the statement names: registered, or about to be by the batch that it stands in. In the latter case
/// the sequencer still refuses it unless the registration before it was admitted.
fn signing_key(
    log: &Log,
    statement: &Statement,
    batch_keys: &HashMap<IssuerName, Vec<PublicKey>>,
) -> Result<PublicKey, Refusal> {
    let refused = match log.signing_key(statement) {
        Ok(key) => return Ok(key),
        Err(AdmitError::State(error)) => return Err(error.into()),
        Err(AdmitError::Refused(refused)) => refused,
    };
    let registered_here = batch_keys.get(&statement.claims().issuer).into_iter().flatten();
    let named = |key: &&PublicKey| countersign_verifier::statement::KeyThumbprint::of(key) == statement.kid();
    registered_here.into_iter().find(named).copied().ok_or_else(|| refused.into())
}

fn check_clock(now: UnixSeconds, statement: &Statement) -> Result<(), Refusal> {
    let issued_at = statement.claims().issued_at;
    if issued_at.get().abs_diff(now.get()) <= CLOCK_TOLERANCE {
        return Ok(());
    }
    let detail = format!(
        "the claim iat is {issued_at} and the server's clock {now}, expected a difference of at most {CLOCK_TOLERANCE} \
         seconds"
    );
    Err(Refusal::new(&codes::CLOCK_SKEW, detail))
}
