//! From bytes to verified statements: all that is checked before the queue, on the threads made for it.

use std::collections::HashMap;

use bytes::Bytes;
use countersign_verifier::admission::AdmitError;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::{
    IssuerName, KeyThumbprint, Payload, Statement, Submission, UnixSeconds, VerifiedStatement,
};

use super::app::App;
use super::catalog::codes;
use super::problem::Refusal;
use crate::log::{ReadError, Sequenced, SubmitError};

/// How far `iat` may be from the server's clock, in seconds, to either side.
pub(super) const CLOCK_TOLERANCE: u64 = 300;

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
pub(super) fn cose(app: &App, bytes: &[u8]) -> Result<Taken, Refusal> {
    match read(app, bytes)? {
        Read::Taken(taken) => Ok(taken),
        Read::Unregistered(_, refused) => Err(refused),
    }
}

/// Checks a statement in its JSON form. It brings its key, which has to be the registered one.
pub(super) fn json(app: &App, bytes: &[u8]) -> Result<Taken, Refusal> {
    let statement = Submission::parse(bytes)?.verify()?;
    if let Some(known) = find(app, statement.entry_id())? {
        return Ok(Taken::Known(known));
    }
    check_clock(app.now(), statement.statement())?;
    signing_key(app, statement.statement())?.map_err(|refused| *refused)?;
    Ok(Taken::Fresh(Box::new(statement)))
}

/// A part of a batch, as far as it can be judged without the others.
#[derive(Debug)]
pub(super) struct Part {
    read: Vec<Result<Read, Refusal>>,
    /// Keys that statements of this part are about to register.
    keys: Vec<(IssuerName, PublicKey)>,
}

#[derive(Debug)]
enum Read {
    Taken(Taken),
    /// No such key is registered, unless an earlier statement of the same batch registers it.
    Unregistered(Box<Statement>, Refusal),
}

/// Checks some statements of a batch.
pub(super) fn part(app: &App, items: &[Bytes]) -> Part {
    let read: Vec<_> = items.iter().map(|item| read(app, item)).collect();
    let registers = |read: &Read| {
        let statement = match read {
            Read::Taken(Taken::Known(_)) => return None,
            Read::Taken(Taken::Fresh(statement)) => statement.statement(),
            Read::Unregistered(statement, _) => statement,
        };
        match statement.payload() {
            Payload::Issuer(issuer) => Some((issuer.name.clone(), issuer.public_key)),
            _ => None,
        }
    };
    let keys = read.iter().flatten().filter_map(registers).collect();
    Part { read, keys }
}

impl Part {
    /// Whether statements are left to be checked when the parts are put together.
    pub(super) fn is_open(&self) -> bool {
        self.read.iter().any(|read| matches!(read, Ok(Read::Unregistered(..))))
    }
}

/// Puts the parts of a batch together. Statements may be signed by keys that others of the batch register: the
/// sequencer still refuses those that come before an admitted registration.
pub(super) fn join(parts: Vec<Part>) -> Vec<Result<Taken, Refusal>> {
    let mut keys: HashMap<IssuerName, Vec<PublicKey>> = HashMap::new();
    for (name, key) in parts.iter().flat_map(|part| &part.keys) {
        keys.entry(name.clone()).or_default().push(*key);
    }
    let take = |read| match read {
        Read::Taken(taken) => Ok(taken),
        Read::Unregistered(statement, refused) => {
            let named = |key: &&PublicKey| KeyThumbprint::of(key) == statement.kid();
            let mut of_the_batch = keys.get(&statement.claims().issuer).into_iter().flatten();
            let key = *of_the_batch.find(named).ok_or(refused)?;
            Ok(Taken::Fresh(Box::new(statement.verify(&key)?)))
        }
    };
    parts.into_iter().flat_map(|part| part.read).map(|read| read.and_then(take)).collect()
}

fn read(app: &App, bytes: &[u8]) -> Result<Read, Refusal> {
    if let Some(known) = find(app, LeafHash::of(bytes))? {
        return Ok(Read::Taken(Taken::Known(known)));
    }
    let statement = Statement::parse(bytes)?;
    check_clock(app.now(), &statement)?;
    // Only a verified statement takes a token, but what will be refused need not be verified.
    app.rates.look(&statement.claims().issuer)?;
    match signing_key(app, &statement)? {
        Ok(key) => Ok(Read::Taken(Taken::Fresh(Box::new(statement.verify(&key)?)))),
        Err(refused) => Ok(Read::Unregistered(Box::new(statement), *refused)),
    }
}

fn find(app: &App, entry: LeafHash) -> Result<Option<Sequenced>, ReadError> {
    Ok(app.log.entry_index(&entry)?.map(|index| Sequenced { index, entry, new: false }))
}

/// The key that the statement names, if it is registered.
fn signing_key(app: &App, statement: &Statement) -> Result<Result<PublicKey, Box<Refusal>>, Refusal> {
    match app.log.signing_key(statement) {
        Ok(key) => Ok(Ok(key)),
        Err(AdmitError::State(error)) => Err(error.into()),
        Err(AdmitError::Refused(refused)) => match app.log.stopped() {
            // It may have lost the registration with all else that it has to be restored to.
            Some(reason) => Err(SubmitError::Stopped(reason).into()),
            None => Ok(Err(Box::new(refused.into()))),
        },
    }
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
