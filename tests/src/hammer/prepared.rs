//! Statements signed beforehand.
//!
//! They differ in the execution id, the time, the statement id, the padding and the signature only, each of which has
//! one length. So a million of them is one template and a million signatures, and making one takes a copy. The padding
//! is another in each, and random enough for no store to make it shorter: real statements are full of hashes.

use core::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_verifier::statement::{Claims, Kind, Statement, Subject, UnixSeconds};
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};

use crate::clock;
use crate::statements::{Issuer, StateError, random, request};

/// The most statements of one run: its numbers have eight digits.
pub const MAX_COUNT: u64 = 100_000_000;
/// How many are signed between two reports of progress.
const STEP: usize = 1_024;

/// Why statements were not prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// They could not be made.
    #[error(transparent)]
    State(#[from] StateError),
    /// More than [`MAX_COUNT`].
    #[error("{0} statements are more than the {MAX_COUNT} of one run")]
    TooMany(u64),
    /// No statement can have this length.
    #[error(
        "a statement of {wanted} bytes cannot be made: the shortest has {shortest} bytes, the longest 65535, and a few \
         lengths between are skipped; try one more"
    )]
    Length {
        /// What was asked for.
        wanted: usize,
        /// The shortest there is.
        shortest: usize,
    },
    /// A template in which the changing parts cannot be told from the rest.
    #[error("the changing parts of the statement cannot be found in it; try again")]
    Template,
}

/// Intents that are ready to be sent.
#[derive(Debug)]
pub struct Prepared {
    /// One for each issuer, who take turns.
    statements: Vec<Template>,
    run: u64,
    started: u64,
    per_second: u64,
    signatures: Vec<[u8; 64]>,
}

/// Bytes with places in them that change.
#[derive(Debug, Clone)]
struct Template {
    bytes: Vec<u8>,
    number: usize,
    time: usize,
    id: usize,
    padding: Range<usize>,
}

impl Prepared {
    /// Signs as [`Prepared::sign_by`] does, in the name of one issuer.
    pub fn sign(
        issuer: &Issuer,
        count: u64,
        per_second: u64,
        length: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self, PrepareError> {
        Self::sign_by(core::slice::from_ref(issuer), count, per_second, length, progress)
    }

    /// Signs `count` intents of `length` bytes, each for an execution of its own, on all cores. The issuers take turns:
    /// of two, one signs the even numbers. Statement `n` is dated `n / per_second` seconds from now. `progress` is told
    /// of every few that are done.
    pub fn sign_by(
        issuers: &[Issuer],
        count: u64,
        per_second: u64,
        length: usize,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self, PrepareError> {
        if count > MAX_COUNT {
            return Err(PrepareError::TooMany(count));
        }
        let (run, started) = (u64::from_be_bytes(random()?), clock::now().get());
        let mut statements = Vec::new();
        let mut signers = Vec::new();
        for issuer in issuers {
            let (signed, unsigned) = templates(issuer, run, started, length)?;
            statements.push(signed);
            signers.push((issuer, unsigned));
        }
        let mut prepared =
            Self { statements, run, started, per_second: per_second.max(1), signatures: Vec::new() };
        let count = usize::try_from(count).map_err(|_| PrepareError::TooMany(count))?;
        let mut signatures = vec![[0; 64]; count];
        let next = AtomicU64::new(0);
        let chunks = std::sync::Mutex::new(signatures.chunks_mut(STEP));
        let (prepared_ref, signers) = (&prepared, &signers);
        let work = || {
            loop {
                // Numbers are taken with their chunk, under one lock, so that they belong together.
                let (first, chunk) = {
                    let mut chunks = chunks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    let Some(chunk) = chunks.next() else { return };
                    (next.fetch_add(STEP as u64, Ordering::Relaxed), chunk)
                };
                for (number, signature) in (first..).zip(chunk.iter_mut()) {
                    let Some((issuer, unsigned)) = turn(signers, number) else { return };
                    let message = prepared_ref.fill(unsigned, number);
                    *signature = issuer.key().sign(&message).to_bytes();
                }
                progress(chunk.len() as u64);
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
        prepared.signatures = signatures;
        prepared.check(issuers)?;
        Ok(prepared)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.signatures.len() as u64
    }

    /// The statement with this number, from 0.
    pub fn statement(&self, number: u64) -> Option<Vec<u8>> {
        let signature = self.signatures.get(usize::try_from(number).ok()?)?;
        let mut bytes = self.fill(turn(&self.statements, number)?, number);
        let at = bytes.len().checked_sub(signature.len())?;
        bytes.get_mut(at..)?.copy_from_slice(signature);
        Some(bytes)
    }

    /// The number of the statement that these bytes are, if they are one of this run, to the last byte.
    pub fn number_of(&self, entry: &[u8]) -> Option<u64> {
        self.statements.iter().find_map(|template| {
            let at = template.number;
            let digits = entry.get(at..at.checked_add(8)?)?;
            let number = core::str::from_utf8(digits).ok()?.parse().ok()?;
            (self.statement(number)? == entry).then_some(number)
        })
    }

    fn fill(&self, template: &Template, number: u64) -> Vec<u8> {
        let mut bytes = template.bytes.clone();
        let time = u32::try_from(self.started.saturating_add(number / self.per_second)).unwrap_or(u32::MAX);
        put(&mut bytes, template.number, format!("{number:08}").as_bytes());
        put(&mut bytes, template.time, &time.to_be_bytes());
        put(&mut bytes, template.id, &statement_id(self.run, number));
        if let Some(padding) = bytes.get_mut(template.padding.clone()) {
            pad(padding, self.run ^ number);
        }
        bytes
    }

    /// That what the templates make is what the verifier calls a statement, at both ends and of every issuer.
    fn check(&self, issuers: &[Issuer]) -> Result<(), PrepareError> {
        let firsts = 0..(issuers.len() as u64).min(self.count());
        for number in firsts.chain(self.count().checked_sub(1)) {
            let (Some(bytes), Some(issuer)) = (self.statement(number), turn(issuers, number)) else {
                return Err(PrepareError::Template);
            };
            let holds = Statement::parse(&bytes).is_ok_and(|read| read.verify(issuer.public_key()).is_ok());
            if !holds {
                return Err(PrepareError::Template);
            }
        }
        Ok(())
    }
}

/// Whose turn the statement with this number is.
fn turn<T>(all: &[T], number: u64) -> Option<&T> {
    let at = number.checked_rem(all.len() as u64)?;
    all.get(usize::try_from(at).ok()?)
}

fn put(bytes: &mut [u8], at: usize, part: &[u8]) {
    // The places were found in these very bytes, with parts of these very lengths.
    if let Some(place) = at.checked_add(part.len()).and_then(|end| bytes.get_mut(at..end)) {
        place.copy_from_slice(part);
    }
}

/// Fills a text with letters and digits that look random, by the generator `SplitMix64`.
fn pad(text: &mut [u8], seed: u64) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = seed;
    for ten in text.chunks_mut(10) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        for (byte, shift) in ten.iter_mut().zip((0_u32..).step_by(6)) {
            let six_bits = usize::try_from((mixed >> shift) & 0x3f).unwrap_or_default();
            *byte = ALPHABET.get(six_bits).copied().unwrap_or(b'-');
        }
    }
}

fn statement_id(run: u64, number: u64) -> [u8; 16] {
    let mut id = [0; 16];
    let (of_run, of_number) = id.split_at_mut(8);
    of_run.copy_from_slice(&run.to_be_bytes());
    of_number.copy_from_slice(&number.to_be_bytes());
    id
}

/// The statement with a blank signature, and what is signed of it.
fn templates(
    issuer: &Issuer,
    run: u64,
    time: u64,
    length: usize,
) -> Result<(Template, Template), PrepareError> {
    let marker = u64::from_be_bytes(random()?);
    let id = statement_id(run, marker);
    let subject = format!("hammer:{run:016x}/");
    let claims = |issuer: &Issuer| -> Result<Claims, StateError> {
        let execution = format!("{subject}00000000").parse().map_err(|_| StateError::NotAnObject)?;
        let mut claims = issuer.claims(Subject::Execution(execution))?;
        claims.issued_at = UnixSeconds::new(time).unwrap_or(claims.issued_at);
        claims.id = id;
        Ok(claims)
    };
    let draft = |padding: usize| issuer.draft(Kind::Intent, claims(issuer)?, payload(padding));
    let shortest = draft(0)?.statement().bytes().len();
    let wrong_length = PrepareError::Length { wanted: length, shortest };
    // Lengths are themselves encoded in one to three bytes, so the padding is found by approaching it from below.
    let mut padding = length.checked_sub(shortest).ok_or(wrong_length)?.saturating_sub(8);
    let wrong_length = || PrepareError::Length { wanted: length, shortest };
    let mut approached = draft(padding).map_err(|_| wrong_length())?;
    for _ in 0..4 {
        let missing = length.saturating_sub(approached.statement().bytes().len());
        padding = padding.saturating_add(missing);
        approached = draft(padding).map_err(|_| wrong_length())?;
    }
    if approached.statement().bytes().len() != length {
        return Err(wrong_length());
    }
    let draft = approached;
    let find = |bytes: Vec<u8>| -> Option<Template> {
        let number = unique(&bytes, format!("{subject}00000000").as_bytes())?.checked_add(subject.len())?;
        // The claim iat has the key 6; times of this century take four bytes.
        let mut time_claim = vec![0x06, 0x1a];
        time_claim.extend_from_slice(&u32::try_from(time).ok()?.to_be_bytes());
        let time = unique(&bytes, &time_claim)?.checked_add(2)?;
        let id = unique(&bytes, &id)?;
        let padding = match padding {
            0 => 0..0,
            length => {
                let start = unique(&bytes, ".".repeat(length).as_bytes())?;
                start..start.checked_add(length)?
            }
        };
        Some(Template { bytes, number, time, id, padding })
    };
    let signed = find(draft.statement().bytes().to_vec()).ok_or(PrepareError::Template)?;
    let unsigned = find(draft.to_be_signed()).ok_or(PrepareError::Template)?;
    Ok((signed, unsigned))
}

fn payload(padding: usize) -> Value {
    let mut payload = request();
    payload.insert("context".into(), json!({"padding": ".".repeat(padding)}));
    Value::Object(payload)
}

/// Where the one occurrence of `part` is.
fn unique(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let mut places = bytes.windows(part.len()).enumerate().filter(|(_, window)| *window == part);
    let (at, _) = places.next()?;
    places.next().is_none().then_some(at)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn issuer() -> Issuer {
        Issuer::generate("hammer".parse().unwrap()).unwrap()
    }

    #[test]
    fn every_statement_is_another_and_all_verify() {
        let issuer = issuer();
        let done = AtomicU64::new(0);
        let count = STEP as u64 + 7;
        let progress = |n| {
            done.fetch_add(n, Ordering::Relaxed);
        };
        let prepared = Prepared::sign(&issuer, count, 100, 1024, &progress).unwrap();
        assert_eq!((prepared.count(), done.into_inner()), (count, count));
        let mut executions = HashSet::new();
        let (mut ids, mut paddings) = (HashSet::new(), HashSet::new());
        let first = Statement::parse(&prepared.statement(0).unwrap()).unwrap().claims().issued_at.get();
        for number in 0..count {
            let bytes = prepared.statement(number).unwrap();
            assert_eq!(bytes.len(), 1024);
            let statement = Statement::parse(&bytes).unwrap().verify(issuer.public_key()).unwrap();
            assert_eq!(prepared.number_of(&bytes), Some(number));
            let statement = statement.statement();
            assert!(executions.insert(statement.execution().unwrap().clone()));
            assert!(ids.insert(statement.claims().id));
            assert!(paddings.insert(bytes[600..800].to_vec()), "not even the padding repeats itself");
            assert_eq!(statement.claims().issued_at.get(), first + number / 100);
        }
        assert_eq!(prepared.statement(count), None);
    }

    #[test]
    fn issuers_take_turns() {
        let issuers = ["a", "the-second"].map(|name| Issuer::generate(name.parse().unwrap()).unwrap());
        let prepared = Prepared::sign_by(&issuers, 5, 1, 900, &|_| ()).unwrap();
        for number in 0..5 {
            let bytes = prepared.statement(number).unwrap();
            let issuer = &issuers[usize::try_from(number).unwrap() % 2];
            let statement = Statement::parse(&bytes).unwrap().verify(issuer.public_key()).unwrap();
            assert_eq!(&statement.statement().claims().issuer, issuer.name());
            assert_eq!((prepared.number_of(&bytes), bytes.len()), (Some(number), 900));
        }
        assert!(matches!(Prepared::sign_by(&[], 1, 1, 900, &|_| ()), Err(PrepareError::Template)));
    }

    #[test]
    fn lengths_are_met_or_refused() {
        let issuer = issuer();
        for length in [600, 700, 1000, 5000, 65_535] {
            let prepared = Prepared::sign(&issuer, 1, 1, length, &|_| ()).unwrap();
            assert_eq!(prepared.statement(0).unwrap().len(), length);
        }
        for length in [0, 100, 65_536] {
            let refused = Prepared::sign(&issuer, 1, 1, length, &|_| ());
            assert!(
                matches!(refused, Err(PrepareError::Length { wanted, .. }) if wanted == length),
                "{length}"
            );
        }
        assert!(matches!(
            Prepared::sign(&issuer, MAX_COUNT + 1, 1, 1024, &|_| ()),
            Err(PrepareError::TooMany(_))
        ));
    }
}
