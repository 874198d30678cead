//! Who waits for the log to be read, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use countersign_web::{Explorer, Source};

use crate::ask::health;
use crate::log::{TestLog, policy};

/// How long a page waits when nobody else reads.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// A log whose entries do not come while the way is closed.
fn behind_a_gate(log: &TestLog) -> (Explorer, Arc<AtomicBool>) {
    let is_open = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&is_open);
    let router = log.router().layer(from_fn(move |request: Request, next: Next| {
        let gate = Arc::clone(&gate);
        async move {
            while request.uri().path().starts_with("/tile/entries/") && !gate.load(Ordering::SeqCst) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            next.run(request).await
        }
    }));
    (Explorer::new(Source::memory(router), policy()), is_open)
}

async fn read_up_to(pages: &Router) -> u64 {
    health(pages).await["read_up_to"].as_u64().unwrap()
}

#[tokio::test]
async fn where_nobody_follows_a_page_waits_for_a_moment() {
    let (explorer, is_open) = behind_a_gate(&TestLog::of(5_000));
    is_open.store(false, Ordering::SeqCst);
    let asked = Instant::now();
    assert_eq!(read_up_to(&explorer.router()).await, 0);
    assert!(asked.elapsed() >= PATIENCE);
}

#[tokio::test]
async fn nobody_waits_for_a_long_way_that_somebody_else_goes() {
    let log = TestLog::of(2_000);
    let (explorer, is_open) = behind_a_gate(&log);
    let pages = explorer.router();
    let following = tokio::spawn(explorer.follow());
    assert_eq!(read_up_to(&pages).await, 2_000);
    log.grow(2_000);
    log.publish();
    is_open.store(false, Ordering::SeqCst);
    let asked = Instant::now();
    assert_eq!(read_up_to(&pages).await, 2_000);
    assert!(asked.elapsed() < PATIENCE);
    is_open.store(true, Ordering::SeqCst);
    while read_up_to(&pages).await != 4_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // A short way is waited for: what was just submitted is there.
    for round in 1..=20 {
        log.grow(3);
        log.publish();
        assert_eq!(read_up_to(&pages).await, 4_000 + 3 * round);
    }
    following.abort();
}
