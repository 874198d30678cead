//! Who is here, and how much may therefore be under way at once.
//!
//! Whatever is under way takes turns on the processors: requests that are read, checks, batches, answers. An issuer that
//! is alone may have as much under way as it likes, and the more it is, the better large batches serve it. Beside others
//! each may have only about as much as keeps the processors busy; the rest waits in its lane, where it costs nothing. So
//! the statement of a modest issuer finds short queues everywhere, however much another sends.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use countersign_verifier::statement::IssuerName;

/// For how long an issuer counts as here after its last statement: at least so long, and less than twice as long.
const STAYS: Duration = Duration::from_secs(1);
/// How many issuers are told apart. More count as so many.
const MANY: usize = 64;
/// How many statements are under way of all who are here, besides those that fill the time of a write.
const ROOM: usize = 64;
/// How many of one issuer are under way, however many are here.
const LEAST: usize = 8;
/// Somewhat less than the time of a processor for a statement.
const EACH: Duration = Duration::from_micros(30);

/// Who had a verified statement lately. A claim makes nobody be here, for anybody can make one.
#[derive(Debug)]
pub(super) struct Presence {
    since: Instant,
    now: HashSet<IssuerName>,
    before: HashSet<IssuerName>,
}

/// How many statements may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// Of all who are here.
    pub(super) of_all: usize,
    /// Of one issuer.
    pub(super) of_one: usize,
}

impl Share {
    /// As many as one likes.
    pub(super) const ALONE: Self = Self { of_all: usize::MAX, of_one: usize::MAX };

    /// Of one of so many who are `present`, where each of `processors` has something to do while a batch is written,
    /// which took the time `write` lately.
    fn of(present: usize, processors: usize, write: Duration) -> Self {
        if present <= 1 {
            return Self::ALONE;
        }
        let meanwhile = usize::try_from(write.as_micros() / EACH.as_micros()).unwrap_or(usize::MAX);
        let of_all = ROOM.saturating_add(processors.saturating_mul(meanwhile));
        Self { of_all, of_one: of_all.checked_div(present).unwrap_or(of_all).max(LEAST) }
    }
}

impl Presence {
    pub(super) fn new(at: Instant) -> Self {
        Self { since: at, now: HashSet::new(), before: HashSet::new() }
    }

    /// A statement of `issuer`, which was verified, comes at `at`.
    pub(super) fn note(&mut self, issuer: &IssuerName, at: Instant) {
        let since = at.saturating_duration_since(self.since);
        if since >= STAYS {
            self.before = core::mem::take(&mut self.now);
            if since >= STAYS.saturating_mul(2) {
                self.before.clear();
            }
            self.since = at;
        }
        if self.now.len() < MANY && !self.now.contains(issuer) {
            self.now.insert(issuer.clone());
        }
    }

    /// The share of each of those who are here.
    pub(super) fn share(&self, processors: usize, write: Duration) -> Share {
        Share::of(self.now.union(&self.before).count(), processors, write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITE: Duration = Duration::from_micros(300);

    #[test]
    fn who_is_alone_is_not_held_back_and_who_was_not_here_lately_does_not_count() {
        let (ann, bob): (IssuerName, IssuerName) = ("ann".parse().unwrap(), "bob".parse().unwrap());
        let start = Instant::now();
        let mut presence = Presence::new(start);
        let at = |millis| start + Duration::from_millis(millis);
        presence.note(&ann, at(0));
        assert_eq!(presence.share(2, WRITE), Share::ALONE);
        presence.note(&bob, at(10));
        assert_eq!(presence.share(2, WRITE), Share { of_all: 84, of_one: 42 });
        // Bob says nothing more.
        presence.note(&ann, at(1005));
        assert_eq!(presence.share(2, WRITE).of_one, 42, "he spoke a second ago");
        presence.note(&ann, at(2010));
        assert_eq!(presence.share(2, WRITE), Share::ALONE);
        presence.note(&bob, at(2020));
        presence.note(&ann, at(9000));
        assert_eq!(presence.share(2, WRITE), Share::ALONE, "nobody spoke for long");
    }

    #[test]
    fn everyone_has_a_share_however_many_there_are_and_a_slow_disk_needs_more_under_way() {
        let mut presence = Presence::new(Instant::now());
        let at = Instant::now();
        let mut before = usize::MAX;
        for number in 0..1000 {
            presence.note(&format!("issuer-{number}").parse().unwrap(), at);
            let share = presence.share(2, WRITE);
            assert!((LEAST..=before).contains(&share.of_one), "{share:?}");
            before = share.of_one;
        }
        assert!(presence.now.len() <= MANY);
        let slow = presence.share(2, Duration::from_millis(4));
        assert!(slow.of_all > presence.share(2, WRITE).of_all);
        assert_eq!(Share::of(2, usize::MAX, Duration::MAX).of_all, usize::MAX);
    }
}
