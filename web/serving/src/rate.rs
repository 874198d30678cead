//! How many requests one network may make: a bucket of tokens each.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::network::Network;

/// The buckets of all networks that asked for anything lately.
#[derive(Debug)]
pub struct Rates {
    per_second: NonZeroU32,
    buckets: Mutex<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    of: HashMap<Network, Bucket>,
    /// When full buckets were last forgotten.
    swept: Instant,
}

/// Tokens as of a moment; they have come back since then at the rate.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// How many networks are told apart. Those that come when there are as many share one bucket until some are forgotten.
const MANY: usize = 65_536;
/// A bucket holds what comes back in this time, so that a page with all that belongs to it can be asked for at once.
const BURST: Duration = Duration::from_secs(2);

impl Rates {
    /// So many requests a second for each network.
    pub fn new(per_second: NonZeroU32) -> Self {
        Self { per_second, buckets: Mutex::new(Buckets { of: HashMap::new(), swept: Instant::now() }) }
    }

    /// How many requests a second each network may make.
    pub fn per_second(&self) -> u32 {
        self.per_second.get()
    }

    /// Takes the token for one request, or says how long it takes until there is one.
    pub fn take(&self, network: Network) -> Result<(), Duration> {
        let rate = f64::from(self.per_second.get());
        let full = rate * BURST.as_secs_f64();
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let network = buckets.place_for(network, now);
        let bucket = buckets.of.entry(network).or_insert(Bucket { tokens: full, at: now });
        let back = now.saturating_duration_since(bucket.at).as_secs_f64() * rate;
        bucket.tokens = (bucket.tokens + back).min(full);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - bucket.tokens) / rate))
    }
}

impl Buckets {
    /// Under which network a request is counted. Forgets buckets that are full again, which need not be remembered, at
    /// most once in the time that filling takes.
    fn place_for(&mut self, network: Network, now: Instant) -> Network {
        if self.of.len() < MANY || self.of.contains_key(&network) {
            return network;
        }
        if now.saturating_duration_since(self.swept) >= BURST {
            self.swept = now;
            self.of.retain(|_, bucket| now.saturating_duration_since(bucket.at) < BURST);
        }
        if self.of.len() < MANY { network } else { Network::ANYBODY }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn network(number: u32) -> Network {
        IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number)).into()
    }

    fn rates(per_second: u32) -> Rates {
        Rates::new(NonZeroU32::new(per_second).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_come_back_with_time_and_each_network_has_its_own() {
        let rates = rates(2);
        assert!((0..4).all(|_| rates.take(network(1)).is_ok()), "two seconds' worth at once");
        assert_eq!(rates.take(network(1)), Err(Duration::from_millis(500)));
        assert_eq!(rates.take(network(2)), Ok(()));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(rates.take(network(1)), Ok(()), "who waits as long as told is served");
        assert!(rates.take(network(1)).is_err());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!((0..9).filter(|_| rates.take(network(1)).is_ok()).count(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_however_many_come() {
        let rates = rates(1);
        let crowd = u32::try_from(MANY).unwrap();
        for number in 0..crowd + 1000 {
            let _ = rates.take(network(number));
        }
        assert!(rates.buckets.lock().unwrap().of.len() <= MANY + 1);
        // The late ones share a bucket, which is empty by now; those before have their own.
        assert!(rates.take(network(crowd + 5000)).is_err());
        assert_eq!(rates.take(network(7)), Ok(()));
        tokio::time::advance(BURST).await;
        assert_eq!(rates.take(network(crowd + 5000)), Ok(()));
        assert!(rates.buckets.lock().unwrap().of.len() < 10, "full buckets are forgotten");
    }
}
