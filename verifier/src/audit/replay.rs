//! One walk over a log, entry by entry.

use core::error::Error;

use super::accusation::Accusation;
#[cfg(feature = "replay")]
use super::decisions::Policies;
#[cfg(feature = "replay")]
use super::found::Differing;
use super::found::{Check, Found, Replays, Violation};
use super::ledger::{Addition, Ledger, TooLarge, What};
use super::lineages::Lineages;
use super::prepare::{Content, Forged, Prepared};
use super::saved::{self, Position};
use crate::admission::{AdmitError, IssuerKey, Refusal, admit};
use crate::causes::with_causes;
use crate::merkle::{LeafHash, LeafIndex};
use crate::statement::payload::{Close, Head};
use crate::statement::{Kind, Payload, SignatureError, Statement, VerifiedStatement};

/// The entries that were audited already, for reading one again.
pub trait Entries {
    /// Why an entry could not be read.
    type Error: Error;

    /// The bytes of an entry. They need not be the right ones: they are held against the id that is known.
    fn entry(&self, index: LeafIndex) -> Result<Vec<u8>, Self::Error>;
}

/// Why an audit cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError<E> {
    /// The log has more entries than can be held.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// An earlier entry could not be read again.
    #[error("an earlier entry could not be read again")]
    Unread(#[source] E),
    /// An earlier entry is not what it was.
    #[error("entry {index} is not the one that was read before: expected the same bytes each time")]
    Changed {
        /// Which entry.
        index: LeafIndex,
    },
    /// The entries of an accusation do not bear it out: they are not those that it was made of.
    #[error("the accusation of entry {index} is not borne out by the entries that it names")]
    NoEvidence {
        /// The entry accused.
        index: u64,
    },
}

impl<E> AuditError<E> {
    /// Whether the log contradicts itself, as opposed to not having been read.
    pub const fn is_misbehaviour(&self) -> bool {
        matches!(self, Self::Changed { .. })
    }
}

/// An audit as far as it has come.
///
/// What it says is about the entries that it was given. That they are those of a log, only the root shows: compare
/// [`Tree::root`](super::Tree::root) of [`Audit::ledger`] with a signed one.
#[derive(Debug, Default)]
pub struct Audit {
    ledger: Ledger,
    lineages: Lineages,
    violations: [u64; Check::ALL.len()],
    /// What the entries added since it was last taken, when it is to be kept.
    record: Option<Vec<u8>>,
    /// What came of decisions, when they are decided again.
    replays: Option<Replays>,
    #[cfg(feature = "replay")]
    policies: Policies,
}

impl Audit {
    /// An audit that begins with the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up an audit again.
    pub(super) fn resume(
        ledger: Ledger,
        violations: [u64; Check::ALL.len()],
        replays: Option<Replays>,
    ) -> Self {
        Self { ledger, violations, replays, ..Self::default() }
    }

    /// The same in another number of bytes for the statements of executions that may still grow, roughly; 256 MiB
    /// otherwise. With fewer bytes more is read again, and nothing is found that would not be found with more.
    #[must_use]
    pub fn within(self, room: usize) -> Self {
        Self { lineages: Lineages::within(room), ..self }
    }

    /// From now on, keeps a record of what entries add, for [`Restore`](super::Restore).
    pub fn keep_record(&mut self) {
        self.record.get_or_insert_default();
    }

    /// From now on, decides every admitted decision again, or no longer does: then the counts are dropped, which would
    /// not be of the whole log.
    #[cfg(feature = "replay")]
    pub fn replay_decisions(&mut self, replay: bool) {
        self.replays = replay.then(|| self.replays.unwrap_or_default());
    }

    /// What came of deciding again; `None` when it was not asked for from the first entry on.
    pub const fn replays(&self) -> Option<Replays> {
        self.replays
    }

    /// What entries added since this was last called, and where the audit stands: together with all records before,
    /// enough to take it up again. Judges the executions that are still open, as [`Audit::settle`] does.
    pub fn take_record<E: Entries>(
        &mut self,
        entries: &E,
        found: &mut impl FnMut(Found),
    ) -> Result<(Vec<u8>, Position), AuditError<E::Error>> {
        self.settle(entries, found)?;
        let position = Position {
            entries: self.ledger.tree().size().get(),
            root: self.ledger.tree().root().to_base64(),
            violations: self.violations,
            replays: self.replays,
            verdicts: self.ledger.standings().map(|standing| char::from(standing as u8)).collect(),
        };
        Ok((self.record.as_mut().map(core::mem::take).unwrap_or_default(), position))
    }

    /// The log so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How many entries break a rule of each sort, in the order of [`Check::ALL`].
    pub fn violations(&self) -> impl Iterator<Item = (Check, u64)> + '_ {
        Check::ALL.iter().copied().zip(self.violations)
    }

    /// Takes up the next entry, and tells what it finds.
    ///
    /// An entry that should not have been admitted is on record all the same, and changes nothing else: it registers no
    /// one, closes nothing, and whatever refers to it breaks a rule too.
    pub fn absorb<E: Entries>(
        &mut self,
        entry: Prepared,
        entries: &E,
        found: &mut impl FnMut(Found),
    ) -> Result<(), AuditError<E::Error>> {
        let Prepared { id, content } = entry;
        let index = self.ledger.tree().size().next_index().ok_or(TooLarge)?;
        let place = Place { index, id };
        // Which keys were met on the way is no matter: a key counts where the log has registered it.
        let content = match content {
            Content::Forged(forged)
                if !forged.is_genesis && self.ledger.registration(&forged.signer).is_none() =>
            {
                Content::KeyUnknown(forged.signer)
            }
            Content::Verified(verified) if !self.knows_signer(verified.statement()) => {
                Content::KeyUnknown(signer(verified.statement()))
            }
            content => content,
        };
        match content {
            Content::Malformed(error) => {
                let accusation = Accusation::of_entry(index, None);
                let violation =
                    place.breaks(Check::Format, error.code(), with_causes(&error), Some(accusation));
                self.record(violation, found);
                self.push(Addition::nothing(id))?;
            }
            Content::Forged(forged) => {
                let Forged { error, key, .. } = *forged;
                let named = matches!(error, SignatureError::Invalid { .. });
                let accusation = Accusation::of_entry(index, named.then_some(key));
                let sentence = with_causes(&error);
                let violation = place.breaks(Check::Signatures, error.code(), sentence, Some(accusation));
                self.record(violation, found);
                self.push(Addition::nothing(id))?;
            }
            Content::KeyUnknown(IssuerKey { name, key }) => {
                self.refused(place, &Refusal::IssuerUnknown { name, key }, found);
                self.push(Addition::nothing(id))?;
            }
            Content::Verified(statement) => self.verified(place, *statement, entries, found)?,
        }
        Ok(())
    }

    /// Judges the executions that are still open, so that nothing is held any more.
    pub fn settle<E: Entries>(
        &mut self,
        entries: &E,
        found: &mut impl FnMut(Found),
    ) -> Result<(), AuditError<E::Error>> {
        self.lineages.settle(&mut self.ledger, entries, found)
    }

    /// A genesis brings its key with it.
    fn knows_signer(&self, statement: &Statement) -> bool {
        statement.kind() == Kind::Genesis || self.ledger.registration(&signer(statement)).is_some()
    }

    fn verified<E: Entries>(
        &mut self,
        place: Place,
        verified: VerifiedStatement,
        entries: &E,
        found: &mut impl FnMut(Found),
    ) -> Result<(), AuditError<E::Error>> {
        let statement = verified.statement();
        let addition = match admit(&self.ledger, &verified) {
            Ok(admitted) => self.ledger.admitted(admitted.effects, signer(statement)),
            Err(AdmitError::Refused(refusal)) => {
                self.refused(place, &refusal, found);
                Addition::refused(place.id, statement)
            }
        };
        let closes = addition.what.closes();
        #[cfg(feature = "replay")]
        let is_admitted = addition.what.admitted();
        let execution = self.push(addition)?;
        #[cfg(feature = "replay")]
        if is_admitted {
            self.decide_again(place, execution, statement, entries, found)?;
        }
        match statement.payload() {
            Payload::Verification(verification) => {
                if let Some(head) = &verification.checkpoint {
                    let registration = self.ledger.registration(&signer(statement));
                    self.check_head(place, head, registration, found);
                }
            }
            Payload::Close(close) => self.check_count(place, execution, *close, found),
            _ => {}
        }
        if statement.execution().is_some() {
            self.lineages.take(execution, place.index, place.id, verified.into_statement());
            if closes {
                self.lineages.let_go(execution, &mut self.ledger, entries, found)?;
            }
            self.lineages.make_room(&mut self.ledger, entries, found)?;
        }
        Ok(())
    }

    #[cfg(feature = "replay")]
    fn decide_again<E: Entries>(
        &mut self,
        place: Place,
        execution: u32,
        statement: &Statement,
        entries: &E,
        found: &mut impl FnMut(Found),
    ) -> Result<(), AuditError<E::Error>> {
        use crate::replay::Replay;

        let (Payload::Decision(decision), Some(replays)) = (statement.payload(), &mut self.replays) else {
            return Ok(());
        };
        let held = |entry| self.lineages.recent(execution, entry).cloned();
        let answer = self.policies.decide_again(statement, decision, held, (&self.ledger, entries))?;
        let count = match &answer {
            Some(Replay::Same(_)) => &mut replays.same,
            Some(Replay::Different { .. }) => &mut replays.different,
            Some(Replay::NotDisclosed(_)) | None => &mut replays.not_disclosed,
            Some(Replay::EngineDiffers { .. }) => &mut replays.engine_differs,
        };
        *count = count.saturating_add(1);
        let differing = answer.and_then(|answer| Differing::of(place.index, statement, decision, &answer));
        if let Some(differing) = differing {
            found(Found::Decision(differing));
        }
        Ok(())
    }

    fn push(&mut self, addition: Addition) -> Result<u32, TooLarge> {
        if let Some(record) = &mut self.record {
            saved::write(&addition, &self.ledger, record);
        }
        self.ledger.push(addition)
    }

    fn refused(&mut self, place: Place, refusal: &Refusal, found: &mut impl FnMut(Found)) {
        let mut sentence = with_causes(refusal);
        if let Refusal::ReferenceUnresolved { entry, .. } = refusal
            && let Some(index) = self.ledger.not_admitted(entry)
        {
            sentence = format!("{sentence} (entry {index} is it, and should not be in the log itself)");
        }
        let accusation = Accusation::of_refusal(place.index, refusal, &self.ledger);
        self.record(place.breaks(Check::Admission, refusal.code(), sentence, accusation), found);
    }

    /// A head that a verification names is one that the log had before.
    fn check_head(
        &mut self,
        place: Place,
        head: &Head,
        registration: Option<LeafIndex>,
        found: &mut impl FnMut(Found),
    ) {
        let Head { size, root } = *head;
        let (sentence, accusation) = if size.get() > place.index.get() {
            let sentence = format!(
                "the verification names a head of {size} entries, and the log had only {} before it: expected a head \
                 that the log had",
                place.index
            );
            (sentence, None)
        } else {
            match self.ledger.tree().root_at(size) {
                Some(real) if real == root => return,
                Some(real) => (
                    format!(
                        "the verification names a head of {size} entries with root {}, expected {}, which the log has \
                         at that size: the log showed the enforcer another tree, or the enforcer states one that it was \
                         not shown",
                        root.to_base64(),
                        real.to_base64()
                    ),
                    registration.map(|registration| Accusation::of_head(place.index, registration)),
                ),
                None => return,
            }
        };
        self.record(place.breaks(Check::Heads, "head-contradicted", sentence, accusation), found);
    }

    /// A close counts no more entries than there are: in a whole log, none can be elsewhere.
    fn check_count(&mut self, place: Place, execution: u32, close: Close, found: &mut impl FnMut(Found)) {
        let there = self.ledger.execution(execution).map_or(0, |facts| u64::from(facts.entries));
        let counted = close.entries.get();
        if counted > there {
            let sentence = format!(
                "the close counts {counted} entries of its execution, expected at most the {there} that the whole log \
                 has up to it: the enforcer miscounted, or what it counted was left out of the log"
            );
            self.record(place.breaks(Check::Counts, "entries-missing", sentence, None), found);
        }
    }

    fn record(&mut self, violation: Violation, found: &mut impl FnMut(Found)) {
        let counts = Check::ALL.iter().zip(&mut self.violations);
        for (_, count) in counts.filter(|(check, _)| **check == violation.check) {
            *count = count.saturating_add(1);
        }
        found(Found::Violation(violation));
    }
}

/// The issuer by whose key a statement says that it is signed.
fn signer(statement: &Statement) -> IssuerKey {
    IssuerKey { name: statement.claims().issuer.clone(), key: statement.kid() }
}

/// Where an entry is and what it is called.
#[derive(Clone, Copy)]
struct Place {
    index: LeafIndex,
    id: LeafHash,
}

impl Place {
    fn breaks(
        self,
        check: Check,
        code: &'static str,
        sentence: String,
        accusation: Option<Accusation>,
    ) -> Violation {
        Violation { index: self.index, entry: self.id, check, code, sentence, accusation }
    }
}

impl Addition {
    /// An entry that says nothing.
    fn nothing(id: LeafHash) -> Self {
        let what = What::NOTHING;
        Self { id, what, execution: None, issuer: None, signer: None, outcome_of: None }
    }

    /// A statement that should not have been admitted, and still is one of its execution.
    fn refused(id: LeafHash, statement: &Statement) -> Self {
        let what = What::new(statement.kind(), None, false);
        Self { what, execution: statement.execution().cloned(), ..Self::nothing(id) }
    }
}
