//! Waiting, fair among those whom it is for.
//!
//! Everyone who has something waiting has a lane of their own. Lanes are served in turn, by what their items cost, so
//! that a lane which is always full takes no more than its share; and none may hold more than is left for all others,
//! so that there is always room for who comes next. One who floods thereby fills half of the room, two a third each.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// How much something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Load {
    /// Statements.
    pub(crate) statements: usize,
    /// Bytes of statements.
    pub(crate) bytes: usize,
}

/// What a statement costs besides its bytes, as bytes: admission, rows and a leaf are the same for all.
const OVERHEAD: usize = 1024;
/// What a lane may cost before the next one is served.
const QUANTUM: usize = 32 * 1024;

impl Load {
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            statements: self.statements.saturating_add(other.statements),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    pub(crate) const fn minus(self, other: Self) -> Self {
        Self {
            statements: self.statements.saturating_sub(other.statements),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    pub(crate) const fn times(self, number: usize) -> Self {
        Self { statements: self.statements.saturating_mul(number), bytes: self.bytes.saturating_mul(number) }
    }

    pub(crate) const fn fits(self, bound: Self) -> bool {
        self.statements <= bound.statements && self.bytes <= bound.bytes
    }

    const fn cost(self) -> usize {
        self.bytes.saturating_add(self.statements.saturating_mul(OVERHEAD))
    }
}

/// Room that is shared out: nobody holds more of it than is left for all others.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    bound: Load,
    held: Load,
    holders: HashMap<K, Load>,
}

impl<K: Hash + Eq + Clone> Shares<K> {
    pub(crate) fn new(bound: Load) -> Self {
        Self { bound, held: Load::default(), holders: HashMap::new() }
    }

    /// Takes room, if there is as much for `who`. Where nobody holds any, everything fits: so that none is refused
    /// for ever.
    pub(crate) fn take(&mut self, who: &K, load: Load) -> bool {
        let own = self.holders.get(who).copied().unwrap_or_default();
        let fits = own.plus(load).fits(self.bound.minus(self.held));
        if !fits && !self.holders.is_empty() {
            return false;
        }
        self.take_anyway(who, load);
        true
    }

    /// Takes room, whether or not there is any.
    fn take_anyway(&mut self, who: &K, load: Load) {
        self.held = self.held.plus(load);
        let own = self.holders.entry(who.clone()).or_default();
        *own = own.plus(load);
    }

    /// Gives back what was taken.
    pub(crate) fn give_back(&mut self, who: &K, load: Load) {
        self.held = self.held.minus(load);
        if let Some(own) = self.holders.get_mut(who) {
            *own = own.minus(load);
            if *own == Load::default() {
                self.holders.remove(who);
            }
        }
    }

    /// How much is held.
    pub(crate) fn held(&self) -> Load {
        self.held
    }
}

/// What waits, in lanes. The items of one lane stay in their order.
#[derive(Debug)]
pub(crate) struct Lanes<K, T> {
    shares: Shares<K>,
    by_owner: HashMap<K, Lane<T>>,
    /// The lanes in which something waits, in the order in which they are served.
    turn: VecDeque<K>,
}

fn sum<T>(items: &[(Load, T)]) -> Load {
    items.iter().fold(Load::default(), |sum, (load, _)| sum.plus(*load))
}

#[derive(Debug)]
struct Lane<T> {
    waiting: VecDeque<(Load, T)>,
    /// What it may still cost before the next lane is served.
    credit: usize,
}

impl<K: Hash + Eq + Clone, T> Lanes<K, T> {
    /// Nothing waits yet, and as much may as is within `bound`.
    pub(crate) fn new(bound: Load) -> Self {
        Self { shares: Shares::new(bound), by_owner: HashMap::new(), turn: VecDeque::new() }
    }

    /// Lets items wait in the lane of `who`, all or none of them; gives them back when there is no room.
    pub(crate) fn push(&mut self, who: &K, items: Vec<(Load, T)>) -> Result<(), Vec<(Load, T)>> {
        if !self.shares.take(who, sum(&items)) {
            return Err(items);
        }
        self.wait(who, items);
        Ok(())
    }

    /// The same for what was let in before and has to come to its end: there is always room.
    pub(crate) fn push_anyway(&mut self, who: &K, items: Vec<(Load, T)>) {
        self.shares.take_anyway(who, sum(&items));
        self.wait(who, items);
    }

    fn wait(&mut self, who: &K, items: Vec<(Load, T)>) {
        if items.is_empty() {
            return;
        }
        let turn = &mut self.turn;
        let lane = self.by_owner.entry(who.clone()).or_insert_with(|| {
            turn.push_back(who.clone());
            Lane { waiting: VecDeque::new(), credit: QUANTUM }
        });
        lane.waiting.extend(items);
    }

    /// Takes the item whose turn it is, if it may be taken; if not, it stays the one whose turn it is.
    pub(crate) fn pop_if(&mut self, may: impl FnOnce(Load) -> bool) -> Option<(Load, T)> {
        self.pop_of(|_| true, may)
    }

    /// The same among those who may have a turn now. The others keep their places.
    pub(crate) fn pop_of(
        &mut self,
        has_turn: impl Fn(&K) -> bool,
        may: impl FnOnce(Load) -> bool,
    ) -> Option<(Load, T)> {
        let mut passed = 0_usize;
        loop {
            let who = self.turn.front()?;
            if !has_turn(who) {
                passed = passed.saturating_add(1);
                self.turn.rotate_left(1);
                if passed >= self.turn.len() {
                    return None;
                }
                continue;
            }
            passed = 0;
            let lane = self.by_owner.get_mut(who)?;
            let load = lane.waiting.front()?.0;
            if load.cost() > lane.credit && self.turn.len() > 1 {
                lane.credit = lane.credit.saturating_add(QUANTUM);
                self.turn.rotate_left(1);
                continue;
            }
            if !may(load) {
                return None;
            }
            let (load, item) = lane.waiting.pop_front()?;
            lane.credit = lane.credit.saturating_sub(load.cost());
            self.shares.give_back(who, load);
            if lane.waiting.is_empty()
                && let Some(who) = self.turn.pop_front()
            {
                self.by_owner.remove(&who);
            }
            return Some((load, item));
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.turn.is_empty()
    }

    /// How much waits.
    pub(crate) fn held(&self) -> Load {
        self.shares.held()
    }
}

#[cfg(test)]
mod tests;
