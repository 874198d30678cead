//! The threads that check signatures: all cores, and none of those that serve connections.

use std::time::Instant;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use tokio::sync::oneshot;

use super::metrics::{self, Stage};
use super::problem::Refusal;

/// A pool with one thread a core.
#[derive(Debug)]
pub(super) struct Checkers {
    pool: ThreadPool,
}

impl Checkers {
    pub(super) fn start() -> Result<Self, ThreadPoolBuildError> {
        let pool = ThreadPoolBuilder::new()
            .thread_name(|number| format!("check-{number}"))
            .panic_handler(|_| tracing::error!("checking a statement panicked"))
            .build()?;
        Ok(Self { pool })
    }

    /// Runs `work` in the pool, which it may split further, and waits for it without holding a thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let started = Instant::now();
        let (done, result) = oneshot::channel();
        self.pool.spawn(move || {
            // Nobody listens any more when the client has gone: then the work was for nothing.
            let _ = done.send(work());
        });
        let result = result.await.map_err(|_| Refusal::internal());
        metrics::record(Stage::Checked, started.elapsed());
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_of_one_request_and_not_the_end_of_the_pool() {
        let checkers = Checkers::start().unwrap();
        let fault = checkers.run(|| -> u8 { panic!("on purpose") }).await;
        assert_eq!(fault.unwrap_err().code(), "internal-error");
        assert_eq!(checkers.run(|| 7).await, Ok(7));
    }
}
