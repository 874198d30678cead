//! How much one issuer may submit: a bucket of tokens each.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_verifier::statement::IssuerName;
use tokio::time::Instant;

use super::catalog::codes;
use super::problem::Refusal;

/// The buckets of all issuers. Only a verified statement takes from one, so nobody can empty another's.
#[derive(Debug)]
pub(super) struct IssuerRates {
    per_second: Option<u32>,
    buckets: Mutex<HashMap<IssuerName, Bucket>>,
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
    pub(super) fn new(per_second: Option<u32>) -> Self {
        Self { per_second, buckets: Mutex::default() }
    }

    /// Takes the token for one statement by `issuer`, or says when there will be one.
    pub(super) fn take(&self, issuer: &IssuerName) -> Result<(), Refusal> {
        let Some(per_second) = self.per_second else { return Ok(()) };
        let rate = f64::from(per_second.max(1));
        let now = Instant::now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if !buckets.contains_key(issuer) {
            if buckets.len() >= MANY {
                // After a second a bucket is full again, and a full one need not be remembered.
                buckets.retain(|_, bucket| now.saturating_duration_since(bucket.at) < Duration::from_secs(1));
            }
            buckets.insert(issuer.clone(), Bucket { tokens: rate, at: now });
        }
        let Some(bucket) = buckets.get_mut(issuer) else { return Ok(()) };
        let back = now.saturating_duration_since(bucket.at).as_secs_f64() * rate;
        bucket.tokens = (bucket.tokens + back).min(rate);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let detail =
            format!("the issuer {issuer} may submit {per_second} statements a second and has submitted more");
        let wait = Duration::from_secs_f64((1.0 - bucket.tokens) / rate);
        Err(Refusal::new(&codes::RATE_LIMITED, detail).retry_after(wait))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn tokens_come_back_with_time_and_each_issuer_has_its_own() {
        let rates = IssuerRates::new(Some(2));
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
    async fn full_buckets_are_forgotten() {
        let rates = IssuerRates::new(Some(1));
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
        let rates = IssuerRates::new(None);
        let ann = "ann".parse().unwrap();
        assert!((0..10_000).all(|_| rates.take(&ann).is_ok()));
    }
}
