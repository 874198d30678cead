//! How many connections there are, and whose.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::figures::CONNECTIONS;
use crate::network::Network;

/// The places that connections take.
#[derive(Debug)]
pub(crate) struct Places {
    all: usize,
    of_network: usize,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by: HashMap<Network, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// All are taken.
    All,
    /// The network has taken all that it may.
    Network,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    by: Option<Network>,
}

impl Places {
    pub(crate) fn new(all: usize, of_network: usize) -> Arc<Self> {
        Arc::new(Self { all, of_network, taken: Mutex::default() })
    }

    /// Takes a place: for a network that is held to its number, or for whoever is not.
    pub(crate) fn take(self: &Arc<Self>, by: Option<Network>) -> Result<Place, Full> {
        let mut taken = self.lock();
        if taken.all >= self.all {
            return Err(Full::All);
        }
        if let Some(network) = by {
            let of_network = taken.by.get(&network).copied().unwrap_or_default();
            if of_network >= self.of_network {
                return Err(Full::Network);
            }
            taken.by.insert(network, of_network.saturating_add(1));
        }
        taken.all = taken.all.saturating_add(1);
        metrics::gauge!(CONNECTIONS).increment(1.0);
        Ok(Place { places: Arc::clone(self), by })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        // Nothing is left half done under this lock, so a panic elsewhere does not spoil it.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        metrics::gauge!(CONNECTIONS).decrement(1.0);
        let mut taken = self.places.lock();
        taken.all = taken.all.saturating_sub(1);
        let Some(network) = self.by else { return };
        match taken.by.get_mut(&network) {
            Some(count) if *count > 1 => *count = count.saturating_sub(1),
            _ => {
                taken.by.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn network(address: &str) -> Network {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn places_are_bounded_by_network_and_in_all_and_come_back() {
        let places = Places::new(4, 2);
        let (one, other) = (Some(network("2001:db8::1")), Some(network("192.0.2.1")));
        let first = places.take(one).unwrap();
        let _second = places.take(Some(network("2001:db8::2"))).unwrap();
        assert_eq!(places.take(one).unwrap_err(), Full::Network);
        let third = places.take(other).unwrap();
        let _proxy = places.take(None).unwrap();
        assert_eq!(places.take(other).unwrap_err(), Full::All);
        drop(third);
        assert_eq!(places.take(one).unwrap_err(), Full::Network);
        drop(first);
        let _again = places.take(one).unwrap();
        let _another = places.take(other).unwrap();
        assert_eq!(places.take(None).unwrap_err(), Full::All);
    }

    #[test]
    fn networks_that_left_are_forgotten() {
        let places = Places::new(4, 2);
        for number in 0..1000_u32 {
            drop(places.take(Some(IpAddr::V4(number.into()).into())).unwrap());
        }
        assert!(places.lock().by.is_empty());
    }
}
