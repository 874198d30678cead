//! Room in memory for batches: only so much of them is read and checked at once, however many connections send them.
//!
//! Room is taken for what has come, not for what is announced, and is shared twice: among those in whose name batches
//! are sent, and among the networks that they come from. A name is only claimed at that time, and whoever claims many
//! has to send from many networks as well to leave no room for others.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_serving::Network;

use super::catalog::codes;
use super::checkers::Turn;
use super::problem::Refusal;
use crate::fair::{Load, Shares};

/// How many bytes of batches may be under way. What is made of them is several times as large.
pub(super) const BOUND: Load = Load { statements: usize::MAX, bytes: 64 * 1024 * 1024 };

/// The room for all batches. One issuer may take half of it, two a third each; and so may networks.
#[derive(Debug)]
pub(super) struct Rooms(Mutex<Taken>);

#[derive(Debug)]
struct Taken {
    by_claim: Shares<Turn>,
    by_network: Shares<Network>,
}

/// The room for one batch, as much as it holds. It is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Room<'a> {
    rooms: &'a Rooms,
    turn: Turn,
    /// None for clients on this machine: a proxy there speaks for many.
    network: Option<Network>,
    held: Load,
}

impl Rooms {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Taken { by_claim: Shares::new(BOUND), by_network: Shares::new(BOUND) }))
    }

    /// Room for a batch that claims to be of an issuer. It holds nothing yet.
    pub(super) fn open(&self, turn: &Turn, network: Option<Network>) -> Room<'_> {
        Room { rooms: self, turn: turn.clone(), network, held: Load::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room<'_> {
    /// Holds so many bytes in all, at once or not at all.
    pub(super) fn hold(&mut self, bytes: usize) -> Result<(), Refusal> {
        let whole = Load { statements: 0, bytes };
        let more = whole.minus(self.held);
        let mut taken = self.rooms.lock();
        let fits = taken.by_claim.take(&self.turn, more);
        if fits && self.network.is_none_or(|network| taken.by_network.take(&network, more)) {
            self.held = whole;
            return Ok(());
        }
        if fits {
            taken.by_claim.give_back(&self.turn, more);
        }
        let detail = "too many batches are under way, in the name of this issuer or from this network";
        Err(Refusal::new(&codes::OVERLOADED, detail).retry_after(Duration::from_secs(1)))
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        let mut taken = self.rooms.lock();
        taken.by_claim.give_back(&self.turn, self.held);
        if let Some(network) = self.network {
            taken.by_network.give_back(&network, self.held);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const MIB: usize = 1024 * 1024;

    fn turn(name: &str) -> Turn {
        name.parse().ok()
    }

    fn network(address: &str) -> Network {
        address.parse::<IpAddr>().unwrap().into()
    }

    /// Batches of four MiB each, as many as there is room for.
    fn fill<'a>(rooms: &'a Rooms, turn: &Turn, network: Option<Network>) -> Vec<Room<'a>> {
        std::iter::from_fn(|| {
            let mut room = rooms.open(turn, network);
            room.hold(4 * MIB).is_ok().then_some(room)
        })
        .collect()
    }

    #[test]
    fn who_takes_much_leaves_as_much_for_others() {
        let rooms = Rooms::new();
        let mut held = fill(&rooms, &turn("ann"), None);
        assert_eq!(held.len(), 8, "half of the room");
        assert_eq!(rooms.open(&turn("ann"), None).hold(1).unwrap_err().code(), "overloaded");
        let mut of_bob = rooms.open(&turn("bob"), None);
        of_bob.hold(8 * MIB).unwrap();
        of_bob.hold(16 * MIB).unwrap();
        assert_eq!(of_bob.hold(17 * MIB).unwrap_err().code(), "overloaded");
        held.clear();
        assert!(of_bob.hold(17 * MIB).is_ok());
        drop(of_bob);
        let taken = rooms.lock();
        assert_eq!((taken.by_claim.held(), taken.by_network.held()), Default::default());
    }

    #[test]
    fn who_claims_many_names_from_one_network_leaves_half_of_the_room() {
        let rooms = Rooms::new();
        let held: Vec<_> = (0..50)
            .flat_map(|name| fill(&rooms, &turn(&format!("name-{name}")), Some(network("192.0.2.1"))))
            .collect();
        assert_eq!(held.len(), 8, "half of the room");
        rooms.open(&turn("honest"), Some(network("192.0.2.2"))).hold(16 * MIB).unwrap();
    }

    #[test]
    fn what_is_announced_takes_no_room() {
        let rooms = Rooms::new();
        let mut slow: Vec<_> = (0..1000)
            .map(|name| rooms.open(&turn(&format!("name-{name}")), Some(network("192.0.2.1"))))
            .collect();
        for room in &mut slow {
            room.hold(700).unwrap();
        }
        rooms.open(&turn("honest"), Some(network("192.0.2.1"))).hold(16 * MIB).unwrap();
    }
}
