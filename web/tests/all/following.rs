//! Who waits for the log to be read, for how long, and what the log is asked for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use countersign_verifier::statement::Kind;
use countersign_web::{Explorer, Source};
use serde_json::json;

use crate::ask::{ask, explorer_of, health};
use crate::log::{TestLog, policy};
use crate::sample::Issuers;

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

/// However many entries an execution has, each bundle that they lie in is asked for once.
#[tokio::test]
async fn the_entries_of_an_execution_are_asked_for_by_the_bundle() {
    let log = TestLog::new();
    let mut issuers = Issuers::new(&log);
    let target = issuers.ask("spread", "execute", "true");
    for _ in 0..3 {
        log.grow(250);
        for number in 0..5 {
            let payload =
                json!({"action": "halt", "reason": format!("{number}"), "refs": {"target": target}});
            issuers.state(Kind::Enforcement, "on-call", "spread", payload);
        }
    }
    log.publish();
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = Arc::clone(&asked);
    let router = log.router().layer(from_fn(move |request: Request, next: Next| {
        note.lock().unwrap().push(request.uri().path().to_owned());
        next.run(request)
    }));
    let pages = explorer_of(Source::memory(router));
    assert_eq!(read_up_to(&pages).await, 766);
    asked.lock().unwrap().clear();
    let page = ask(&pages, "/executions/spread.json").await.json();
    assert_eq!(page["entries"], 16);
    let mut bundles: Vec<String> = asked.lock().unwrap().drain(..).collect();
    bundles.retain(|path| path.starts_with("/tile/entries/"));
    bundles.sort();
    assert_eq!(bundles, ["/tile/entries/000", "/tile/entries/001", "/tile/entries/002.p/254"]);
}
