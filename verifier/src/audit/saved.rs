//! What an audit must keep to be taken up again: what every entry added, in a file that only ever grows, and where the
//! audit stood, in a few lines beside it.
//!
//! One entry takes 34 bytes and what it needs beyond: 4 for its execution, 4 for its signer, the name of a new execution.
//! The ids make up the tree again, so a changed id leads to another root; the rest, the caller's digest has to protect.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::found::{Check, Replays};
use super::ledger::{Addition, Ledger, What};
use super::replay::Audit;
use super::verdicts::Standing;
use crate::admission::{IssuerKey, IssuerRecord};
use crate::ed25519::PublicKey;
use crate::merkle::{LeafHash, LeafIndex, RootHash};
use crate::statement::{IssuerStatus, KeyThumbprint, Role};

/// What was kept cannot have been written by an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was kept of an earlier audit is damaged: {0}")]
pub struct Damaged(&'static str);

/// Where an audit stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// How many entries were audited.
    pub entries: u64,
    /// The root over them, in base64.
    pub root: String,
    /// How many violations there were, in the order of [`Check::ALL`].
    pub violations: [u64; Check::ALL.len()],
    /// The standing of every execution, one letter each, in the order of their first entries.
    pub verdicts: String,
    /// What came of deciding again, when all decisions were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replays: Option<Replays>,
}

const EXECUTION: u8 = 1;
const OUTCOME: u8 = 1 << 1;
const ISSUER: u8 = 1 << 2;
const SIGNER: u8 = 1 << 3;

/// Writes what an entry adds to a ledger that does not have it yet.
pub(super) fn write(addition: &Addition, ledger: &Ledger, record: &mut Vec<u8>) {
    let Addition { id, what, execution, issuer, signer, outcome_of } = addition;
    let signer = match (issuer, signer) {
        // Whoever founds a log signs with the key that this very entry registers.
        (Some((key, made)), Some(signer)) if key == signer && ledger.registration(signer).is_none() => {
            Some(made.index)
        }
        (_, Some(signer)) => ledger.registration(signer),
        (_, None) => None,
    };
    let signer = signer.and_then(|index| u32::try_from(index.get()).ok());
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    record.push(what.byte());
    record.push(
        flag(execution.is_some(), EXECUTION)
            | flag(outcome_of.is_some(), OUTCOME)
            | flag(issuer.is_some(), ISSUER)
            | flag(signer.is_some(), SIGNER),
    );
    record.extend_from_slice(id.as_bytes());
    if let Some(execution) = execution {
        let number = ledger.number_of(execution.as_str());
        record.extend_from_slice(&number.unwrap_or_else(|| ledger.next_execution()).to_le_bytes());
        if number.is_none() {
            write_name(execution.as_str(), record);
        }
    }
    record.extend(outcome_of.iter().flat_map(|authorization| authorization.to_le_bytes()));
    if let Some((key, made)) = issuer {
        write_name(key.name.as_str(), record);
        record.extend_from_slice(made.public_key.as_bytes());
        record.push(u8::from(made.status == IssuerStatus::Active));
        let roles: Vec<u8> = made
            .roles
            .iter()
            .filter_map(|role| Role::ALL.iter().position(|one| *one == role))
            .filter_map(|at| u8::try_from(at).ok())
            .collect();
        record.push(u8::try_from(roles.len()).unwrap_or(u8::MAX));
        record.extend_from_slice(&roles);
    }
    record.extend(signer.iter().flat_map(|index| index.to_le_bytes()));
}

/// Names have at most 128 bytes.
fn write_name(name: &str, record: &mut Vec<u8>) {
    record.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    record.extend_from_slice(name.as_bytes());
}

/// Takes up what an audit kept.
#[derive(Debug, Default)]
pub struct Restore {
    ledger: Ledger,
    /// The keys by the entries that registered them.
    registrations: HashMap<u32, IssuerKey>,
    /// The beginning of an entry whose end has not come yet.
    rest: Vec<u8>,
}

impl Restore {
    /// Begins with the first byte.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up further bytes of the record.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Damaged> {
        self.rest.extend_from_slice(bytes);
        let all = core::mem::take(&mut self.rest);
        let mut cursor = Cursor(&all);
        loop {
            let before = cursor.0;
            let Some(addition) = self.read(&mut cursor)? else {
                self.rest = before.to_vec();
                return Ok(());
            };
            let place = u32::try_from(self.ledger.tree().size().get()).unwrap_or(u32::MAX);
            self.registrations.extend(addition.issuer.as_ref().map(|(key, _)| (place, key.clone())));
            self.ledger.push(addition).map_err(|_| Damaged("more entries than can be held"))?;
        }
    }

    /// The audit, when everything is there.
    pub fn finish(mut self, position: &Position) -> Result<Audit, Damaged> {
        if !self.rest.is_empty() {
            return Err(Damaged("the record ends inside an entry"));
        }
        if self.ledger.tree().size().get() != position.entries {
            return Err(Damaged("the record has another number of entries"));
        }
        if RootHash::from_base64(&position.root) != Ok(self.ledger.tree().root()) {
            return Err(Damaged("the ids in the record lead to another root"));
        }
        if position.verdicts.len() != self.ledger.executions() {
            return Err(Damaged("another number of executions has verdicts"));
        }
        for (number, byte) in (0..).zip(position.verdicts.bytes()) {
            let standing =
                Standing::from_byte(byte).ok_or(Damaged("a verdict is none of those there are"))?;
            self.ledger.set_standing(number, standing);
        }
        Ok(Audit::resume(self.ledger, position.violations, position.replays))
    }

    /// The next entry; `None` when its end has not come yet.
    fn read(&self, cursor: &mut Cursor<'_>) -> Result<Option<Addition>, Damaged> {
        let Some(parts) = Parts::read(cursor, self.ledger.next_execution()) else { return Ok(None) };
        let what = What::from_byte(parts.what).ok_or(Damaged("an entry is of no kind there is"))?;
        let execution = match parts.execution {
            None => None,
            Some((_, Some(name))) => {
                Some(text(name)?.parse().map_err(|_| Damaged("an execution has no name"))?)
            }
            Some((number, None)) => {
                let known = self.ledger.execution(number).ok_or(Damaged("an execution is not there"))?;
                Some(known.name)
            }
        };
        let issuer = parts.issuer.map(|issuer| self.registration(&issuer)).transpose()?;
        let place = u32::try_from(self.ledger.tree().size().get()).unwrap_or(u32::MAX);
        let signer = match parts.signer {
            None => None,
            Some(index) => {
                let of_itself = issuer.as_ref().filter(|_| index == place).map(|(key, _)| key);
                let key = of_itself.or_else(|| self.registrations.get(&index));
                Some(key.ok_or(Damaged("a signer is not there"))?.clone())
            }
        };
        if parts.outcome_of.is_some_and(|authorization| authorization >= place) {
            return Err(Damaged("an authorization is not there"));
        }
        let id = LeafHash::from_bytes(parts.id);
        Ok(Some(Addition { id, what, execution, issuer, signer, outcome_of: parts.outcome_of }))
    }

    fn registration(&self, issuer: &IssuerParts<'_>) -> Result<(IssuerKey, IssuerRecord), Damaged> {
        let name = text(issuer.name)?.parse().map_err(|_| Damaged("an issuer has no name"))?;
        let public_key = PublicKey::from_bytes(issuer.key).map_err(|_| Damaged("an issuer has no key"))?;
        let status = if issuer.active { IssuerStatus::Active } else { IssuerStatus::Revoked };
        let roles = issuer.roles.iter().map(|at| Role::ALL.get(usize::from(*at)).copied());
        let roles = roles.collect::<Option<_>>().ok_or(Damaged("an issuer has a role that there is not"))?;
        let index =
            LeafIndex::new(self.ledger.tree().size().get()).ok_or(Damaged("an entry has no index"))?;
        let key = IssuerKey { name, key: KeyThumbprint::of(&public_key) };
        Ok((key, IssuerRecord { public_key, roles, status, index }))
    }
}

fn text(bytes: &[u8]) -> Result<&str, Damaged> {
    core::str::from_utf8(bytes).map_err(|_| Damaged("a name is not text"))
}

/// The bytes of one entry of the record, taken apart.
struct Parts<'a> {
    what: u8,
    id: [u8; 32],
    /// The number, and the name when it is a new one.
    execution: Option<(u32, Option<&'a [u8]>)>,
    outcome_of: Option<u32>,
    issuer: Option<IssuerParts<'a>>,
    signer: Option<u32>,
}

struct IssuerParts<'a> {
    name: &'a [u8],
    key: &'a [u8],
    active: bool,
    roles: &'a [u8],
}

impl<'a> Parts<'a> {
    fn read(cursor: &mut Cursor<'a>, next_execution: u32) -> Option<Self> {
        let (what, flags) = (cursor.byte()?, cursor.byte()?);
        let has = |flag| flags & flag != 0;
        let id = cursor.take(32)?.try_into().ok()?;
        let execution = if has(EXECUTION) {
            let number = cursor.number()?;
            Some((number, if number == next_execution { Some(cursor.name()?) } else { None }))
        } else {
            None
        };
        let outcome_of = if has(OUTCOME) { Some(cursor.number()?) } else { None };
        let issuer = if has(ISSUER) {
            let (name, key, active) = (cursor.name()?, cursor.take(32)?, cursor.byte()? != 0);
            Some(IssuerParts { name, key, active, roles: cursor.name()? })
        } else {
            None
        };
        let signer = if has(SIGNER) { Some(cursor.number()?) } else { None };
        Some(Self { what, id, execution, outcome_of, issuer, signer })
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.byte()?);
        self.take(length)
    }
}
