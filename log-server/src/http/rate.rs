//! How much one issuer may submit: a bucket of tokens each.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_verifier::statement::IssuerName;
use tokio::time::Instant;

use super::catalog::codes;
use super::problem::Refusal;

/// The buckets of all issuers. Only a verified statement takes from one, so nobody can empty another's.
#[derive(Debug)]
pub(super) struct IssuerRates {
    rate: Option<Rate>,
    buckets: Mutex<HashMap<IssuerName, Bucket>>,
}

/// How much one issuer may submit.
#[derive(Debug, Clone, Copy)]
struct Rate {
    per_second: f64,
    /// How many tokens a bucket holds.
    burst: f64,
}

/// From how many buckets on those are forgotten that are full. A batch can have statements in names that it would only
/// register, so names are not as few as the registered ones.
const MANY: usize = 4096;

/// Tokens as of a moment; they have come back since then at the rate.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl IssuerRates {
    /// `per_second` statements, and as many at once as `burst` says; without it, those of one second.
    pub(super) fn new(per_second: Option<u32>, burst: Option<u32>) -> Self {
        let rate = per_second.map(|per_second| {
            let (per_second, burst) = (per_second.max(1), burst.unwrap_or(per_second).max(1));
            Rate { per_second: f64::from(per_second), burst: f64::from(burst) }
        });
        Self { rate, buckets: Mutex::default() }
    }

    /// Says whether the bucket of an issuer has a token, without taking it.
    pub(super) fn look(&self, issuer: &IssuerName) -> Result<(), Refusal> {
        let Some(rate) = self.rate else { return Ok(()) };
        self.lock().get_mut(issuer).map_or(Ok(()), |bucket| bucket.check(issuer, rate))
    }

    /// Takes the token for one verified statement by `issuer`, or says when there will be one.
    pub(super) fn take(&self, issuer: &IssuerName) -> Result<(), Refusal> {
        let Some(rate) = self.rate else { return Ok(()) };
        let mut buckets = self.lock();
        if !buckets.contains_key(issuer) {
            let now = Instant::now();
            if buckets.len() >= MANY {
                // A bucket that had time to become full need not be remembered.
                let filled = Duration::from_secs_f64(rate.burst / rate.per_second);
                buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < filled);
            }
            buckets.insert(issuer.clone(), Bucket { tokens: rate.burst, at: now });
        }
        let Some(bucket) = buckets.get_mut(issuer) else { return Ok(()) };
        bucket.check(issuer, rate)?;
        bucket.tokens -= 1.0;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IssuerName, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    fn check(&mut self, issuer: &IssuerName, rate: Rate) -> Result<(), Refusal> {
        let now = Instant::now();
        let back = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        self.tokens = (self.tokens + back).min(rate.burst);
        self.at = now;
        if self.tokens >= 1.0 {
            return Ok(());
        }
        let Rate { per_second, burst } = rate;
        let detail = format!(
            "the issuer {issuer} may submit {per_second} statements a second, {burst} at once, and has submitted more"
        );
        let wait = Duration::from_secs_f64((1.0 - self.tokens) / per_second);
        Err(Refusal::new(&codes::RATE_LIMITED, detail).retry_after(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tokens_come_back_with_time_and_each_issuer_has_its_own() {
        let rates = IssuerRates::new(Some(2), None);
        let (ann, bob): (IssuerName, IssuerName) = ("ann".parse().unwrap(), "bob".parse().unwrap());
        assert_eq!(rates.take(&ann), Ok(()));
        assert_eq!(rates.take(&ann), Ok(()));
        assert_eq!(rates.take(&ann).unwrap_err().code(), "rate-limited");
        assert_eq!(rates.take(&bob), Ok(()));
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(rates.take(&ann), Ok(()));
        assert!(rates.take(&ann).is_err());
        tokio::time::advance(Duration::from_hours(1)).await;
        assert_eq!(
            [rates.take(&ann).is_ok(), rates.take(&ann).is_ok(), rates.take(&ann).is_ok()],
            [true, true, false]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_saved_up_and_looking_takes_nothing() {
        let rates = IssuerRates::new(Some(10), Some(30));
        let ann: IssuerName = "ann".parse().unwrap();
        let at_once =
            || (0..100).take_while(|_| rates.look(&ann).is_ok() && rates.take(&ann).is_ok()).count();
        assert_eq!(at_once(), 30);
        assert_eq!(rates.look(&ann).unwrap_err().code(), "rate-limited");
        tokio::time::advance(Duration::from_millis(550)).await;
        assert_eq!(at_once(), 5);
        tokio::time::advance(Duration::from_hours(1)).await;
        assert!((0..100).all(|_| rates.look(&ann).is_ok()), "nothing is taken");
        assert_eq!(at_once(), 30);
        assert_eq!(rates.look(&"bob".parse().unwrap()), Ok(()), "of whom nothing is known");
    }

    #[tokio::test(start_paused = true)]
    async fn full_buckets_are_forgotten() {
        let rates = IssuerRates::new(Some(1), None);
        for number in 0..3 * MANY {
            if number % 1000 == 0 {
                tokio::time::advance(Duration::from_secs(1)).await;
            }
            assert_eq!(rates.take(&format!("name-{number}").parse().unwrap()), Ok(()));
        }
        let last = format!("name-{}", 3 * MANY - 1).parse().unwrap();
        assert!(rates.take(&last).is_err(), "who took a token just now is remembered");
        assert!(rates.buckets.lock().unwrap().len() <= MANY + 1);
    }

    #[tokio::test]
    async fn without_a_rate_there_is_no_limit() {
        let rates = IssuerRates::new(None, None);
        let ann = "ann".parse().unwrap();
        assert!((0..10_000).all(|_| rates.take(&ann).is_ok()));
    }
}
