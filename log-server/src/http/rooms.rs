//! Room in memory for batches: only so much of them is read and checked at once, however many connections send them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::catalog::codes;
use super::checkers::Turn;
use super::problem::Refusal;
use crate::fair::{Load, Shares};

/// How many bytes of batches may be under way. What is made of them is several times as large.
pub(super) const BOUND: Load = Load { statements: usize::MAX, bytes: 64 * 1024 * 1024 };

/// The room for all batches. One issuer may take half of it, two a third each.
#[derive(Debug)]
pub(super) struct Rooms {
    shares: Mutex<Shares<Turn>>,
}

/// The room for one batch. It is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Room<'a> {
    rooms: &'a Rooms,
    turn: Turn,
    load: Load,
}

impl Rooms {
    pub(super) fn new() -> Self {
        Self { shares: Mutex::new(Shares::new(BOUND)) }
    }

    /// Takes room for a batch of so many bytes, at once or not at all.
    pub(super) fn take(&self, turn: &Turn, bytes: usize) -> Result<Room<'_>, Refusal> {
        let load = Load { statements: 0, bytes };
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if !shares.take(turn, load) {
            let detail = "too many batches of this issuer are under way";
            return Err(Refusal::new(&codes::OVERLOADED, detail).retry_after(Duration::from_secs(1)));
        }
        Ok(Room { rooms: self, turn: turn.clone(), load })
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        let mut shares = self.rooms.shares.lock().unwrap_or_else(PoisonError::into_inner);
        shares.give_back(&self.turn, self.load);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_much_leaves_as_much_for_others() {
        const MIB: usize = 1024 * 1024;
        let rooms = Rooms::new();
        let (ann, bob): (Turn, Turn) = ("ann".parse().ok(), "bob".parse().ok());
        let mut held: Vec<_> = std::iter::from_fn(|| rooms.take(&ann, 4 * MIB).ok()).collect();
        assert_eq!(held.len(), 8, "half of the room");
        assert_eq!(rooms.take(&ann, 1).unwrap_err().code(), "overloaded");
        let of_bob = rooms.take(&bob, 16 * MIB).unwrap();
        assert_eq!(rooms.take(&bob, MIB).unwrap_err().code(), "overloaded");
        held.clear();
        assert!(rooms.take(&bob, 16 * MIB).is_ok());
        drop(of_bob);
        assert_eq!(rooms.shares.lock().unwrap().held(), Load::default());
    }
}
