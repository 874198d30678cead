//! Serves the pages of a small log in memory that has executions of every sort, to look at them:
//! `cargo run --release -p countersign-web --example sample_log -- 127.0.0.1:8090`.
//!
//! A second argument shows another state: `waiting` for a log without a head, `fork` for one that contradicts itself.

#[path = "../tests/all/log.rs"]
#[expect(
    dead_code,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "the tests use the rest, and may panic"
)]
mod log;
#[path = "../tests/all/sample.rs"]
#[expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "shared with the tests, which may panic")]
mod sample;

use countersign_web::{Clock, Explorer, Source};
use log::{COSIGNED_AT, TestLog};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let listen = args.next().unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let state = args.next().unwrap_or_default();
    let log = match state.as_str() {
        "waiting" => TestLog::new(),
        _ => sample::sample(),
    };
    let source = Source::memory(log.router());
    let explorer = Explorer::with_clock(source, log::policy(), Clock::of(|| COSIGNED_AT + 5));
    let pages = explorer.router();
    if state == "fork" {
        tokio::spawn(explorer.follow());
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        log.serve(log::head(1, log::false_root(), 3));
    }
    let listener = tokio::net::TcpListener::bind(listen).await?;
    axum::serve(listener, log.router().fallback_service(pages)).await?;
    Ok(())
}
