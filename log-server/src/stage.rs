//! The stages of a statement's way, and how long each takes.

use std::time::{Duration, Instant};

use metrics::histogram;

/// The name of the figure, which says for which unit each stage is measured.
pub(crate) const SECONDS: &str = "countersign_stage_seconds";
/// The stages, in their order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    Verified,
    Queued,
    Sequenced,
    Synced,
    Cosigned,
    Published,
}

/// Records how long a stage took.
pub(crate) fn record(stage: Stage, took: Duration) {
    // Labels that the compiler knows cost no memory.
    let stage = match stage {
        Stage::Verified => histogram!(SECONDS, "stage" => "verified"),
        Stage::Queued => histogram!(SECONDS, "stage" => "queued"),
        Stage::Sequenced => histogram!(SECONDS, "stage" => "sequenced"),
        Stage::Synced => histogram!(SECONDS, "stage" => "synced"),
        Stage::Cosigned => histogram!(SECONDS, "stage" => "cosigned"),
        Stage::Published => histogram!(SECONDS, "stage" => "published"),
    };
    stage.record(took.as_secs_f64());
}

/// Does some work, and records how long it took.
pub(crate) fn timed<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    record(stage, started.elapsed());
    done
}
