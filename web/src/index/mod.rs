//! What the explorer remembers of the entries it verified: enough to list and to find them.
//!
//! It is columns and tables in memory that only ever grow, about 60 bytes an entry, and in small steps, so that no reader
//! waits for it to grow. The entries themselves stay with the log and are fetched, and checked again, when somebody looks
//! at one.

mod column;
mod executions;
mod gist;
mod names;
mod places;
mod table;

use countersign_verifier::admission::IssuerKey;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::Kind;

pub(crate) use column::Column;
pub(crate) use executions::{Execution, State};
pub(crate) use gist::{Gist, Row};
use names::{NameId, Names};
use places::Places;
use table::Table;

/// How many entries one request looks at before it answers with what it found so far.
pub(crate) const SCAN: u64 = 250_000;
/// How many when it compares names, which lie all over the memory.
pub(crate) const SCAN_NAMES: u64 = 50_000;

/// The index over the entries `0 .. len`.
#[derive(Debug, Default)]
pub(crate) struct Index {
    // One value an entry each.
    gists: Column<Gist>,
    subjects: Column<NameId>,
    issuers: Column<NameId>,
    times: Column<u64>,
    /// The entry with the same subject before this one, its number plus one; 0 for none.
    previous: Column<u64>,

    subject_names: Names,
    issuer_names: Names,
    /// One value a subject: its last entry, and how many it has.
    threads: Column<Thread>,
    /// The subjects that are executions, in the order of their first entries.
    executions: Column<Started>,
    places: Places,
    /// The entries about each key of each issuer.
    registrations: Table<IssuerKey, Vec<u64>>,
    counts: [u64; Kind::ALL.len()],
}

#[derive(Debug, Clone, Copy)]
struct Thread {
    last: u64,
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Started {
    first: u64,
    subject: NameId,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) index: u64,
    pub(crate) gist: Gist,
    pub(crate) subject: Option<String>,
    pub(crate) is_execution: bool,
    pub(crate) issuer: Option<String>,
    pub(crate) issued_at: Option<u64>,
}

/// Which entries a list is to show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) kind: Option<Kind>,
    /// The whole name of an issuer.
    pub(crate) issuer: Option<String>,
    /// A part of the name of the subject or of the issuer, in any case.
    pub(crate) text: Option<String>,
}

/// Part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slice<T> {
    pub(crate) items: Vec<T>,
    /// The list goes on before this entry.
    pub(crate) next: Option<u64>,
    /// How far back was looked: everything from here on was compared.
    pub(crate) searched_from: u64,
}

impl Index {
    /// How many entries there are.
    pub(crate) fn len(&self) -> u64 {
        count(self.gists.len())
    }

    /// How many entries of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> u64 {
        Kind::ALL.iter().zip(self.counts).find(|(of, _)| **of == kind).map_or(0, |(_, count)| count)
    }

    /// How many executions there are.
    pub(crate) fn execution_count(&self) -> u64 {
        count(self.executions.len())
    }

    /// Appends the next entry.
    pub(crate) fn append(&mut self, row: &Row) {
        let index = self.len();
        self.places.insert(row.leaf, index);
        if let Some(issuer) = &row.registers {
            match self.registrations.get_mut(issuer) {
                Some(all) => all.push(index),
                None => self.registrations.insert(issuer.clone(), vec![index]),
            }
        }
        for (of, count) in Kind::ALL.iter().zip(&mut self.counts) {
            *count = count.saturating_add(u64::from(row.gist.kind() == Some(*of)));
        }
        let (mut subject, mut issuer, mut time, mut previous) = (NameId::NONE, NameId::NONE, u64::MAX, 0);
        if let Some(claims) = &row.claims {
            subject = self.subject_names.intern(&claims.subject);
            issuer = self.issuer_names.intern(&claims.issuer);
            time = claims.issued_at;
            if let Some(thread) = self.threads.get_mut(subject.position()) {
                previous = thread.last.saturating_add(1);
                *thread = Thread { last: index, count: thread.count.saturating_add(1) };
            } else if subject != NameId::NONE {
                self.threads.push(Thread { last: index, count: 1 });
                if claims.is_execution {
                    self.executions.push(Started { first: index, subject });
                }
            }
        }
        self.gists.push(row.gist);
        self.subjects.push(subject);
        self.issuers.push(issuer);
        self.times.push(time);
        self.previous.push(previous);
    }

    /// What an entry says in one word.
    pub(crate) fn gist(&self, index: u64) -> Option<Gist> {
        self.gists.get(usize::try_from(index).ok()?).copied()
    }

    /// One entry as a line.
    pub(crate) fn line(&self, index: u64) -> Option<Line> {
        let at = usize::try_from(index).ok()?;
        let gist = *self.gists.get(at)?;
        let text = |names: &Names, column: &Column<NameId>| names.text(*column.get(at)?).map(str::to_owned);
        Some(Line {
            index,
            gist,
            subject: text(&self.subject_names, &self.subjects),
            is_execution: is_execution(gist),
            issuer: text(&self.issuer_names, &self.issuers),
            issued_at: self.times.get(at).copied().filter(|time| *time != u64::MAX),
        })
    }

    /// The entries before `before` that match, newest first.
    pub(crate) fn list(&self, before: u64, filter: &Filter, limit: usize) -> Slice<Line> {
        let end = before.min(self.len());
        let from = end.saturating_sub(if filter.text.is_some() { SCAN_NAMES } else { SCAN });
        let text = filter.text.as_deref().map(str::to_ascii_lowercase);
        let issuer =
            filter.issuer.as_deref().map(|name| self.issuer_names.find(name).unwrap_or(NameId::NONE));
        let matches = |at: usize| {
            filter.kind.is_none_or(|kind| self.gists.get(at).is_some_and(|gist| gist.kind() == Some(kind)))
                && issuer.is_none_or(|name| name != NameId::NONE && self.issuers.get(at) == Some(&name))
                && text.as_deref().is_none_or(|text| {
                    contains(&self.issuer_names, self.issuers.get(at), text)
                        || contains(&self.subject_names, self.subjects.get(at), text)
                })
        };
        let mut items = Vec::new();
        for index in (from..end).rev() {
            if usize::try_from(index).is_ok_and(matches) {
                if items.len() == limit {
                    let next = index.saturating_add(1);
                    return Slice { items, next: Some(next), searched_from: next };
                }
                items.extend(self.line(index));
            }
        }
        Slice { items, next: (from > 0).then_some(from), searched_from: from }
    }

    /// Every place at which an entry may be: compare the entry there.
    pub(crate) fn candidates(&self, id: LeafHash) -> Vec<u64> {
        self.places.candidates(id)
    }

    /// The newest registration of a key before an entry.
    pub(crate) fn registration(&self, issuer: &IssuerKey, before: u64) -> Option<u64> {
        let all = self.registrations.get(issuer)?;
        let earlier = all.partition_point(|index| *index < before);
        all.get(earlier.checked_sub(1)?).copied()
    }

    /// Whether an issuer of this name has signed something.
    pub(crate) fn knows_issuer(&self, name: &str) -> bool {
        self.issuer_names.find(name).is_some()
    }

    /// About how much memory it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let columns = [
            self.gists.bytes(),
            self.subjects.bytes(),
            self.issuers.bytes(),
            self.times.bytes(),
            self.previous.bytes(),
            self.threads.bytes(),
            self.executions.bytes(),
        ];
        let tables = [
            self.subject_names.bytes(),
            self.issuer_names.bytes(),
            self.places.bytes(),
            self.registrations.bytes(),
        ];
        count(columns.into_iter().chain(tables).fold(0, usize::saturating_add))
    }

    /// How many issuers have signed something.
    pub(crate) fn issuer_count(&self) -> u64 {
        count(self.issuer_names.len())
    }
}

/// Whether statements of this gist are about an execution.
const fn is_execution(gist: Gist) -> bool {
    !matches!(gist, Gist::Genesis | Gist::Issuer(_) | Gist::Policy | Gist::Unreadable)
}

fn contains(names: &Names, id: Option<&NameId>, lowercase: &str) -> bool {
    let Some(name) = id.and_then(|id| names.text(*id)).map(str::as_bytes) else { return false };
    let Some((first, rest)) = lowercase.as_bytes().split_first() else { return true };
    let goes_on = |from: usize| {
        let end = from.checked_add(rest.len());
        end.and_then(|end| name.get(from..end)).is_some_and(|part| part.eq_ignore_ascii_case(rest))
    };
    // Without a copy of the name, which would take most of the time.
    (1..).zip(name).any(|(next, byte)| byte.to_ascii_lowercase() == *first && goes_on(next))
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
