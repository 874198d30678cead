//! The stages of a statement's way, and how long each takes.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use metrics::{Histogram, histogram};

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

/// One figure for each stage, asked for once: to ask the recorder costs more than to record.
static FIGURES: OnceLock<[Histogram; 6]> = OnceLock::new();

/// Begins to record, once there is a recorder.
pub(crate) fn begin() {
    FIGURES.get_or_init(|| {
        ["verified", "queued", "sequenced", "synced", "cosigned", "published"]
            .map(|stage| histogram!(SECONDS, "stage" => stage))
    });
}

/// Records how long a stage took.
pub(crate) fn record(stage: Stage, took: Duration) {
    if let Some(figure) = FIGURES.get().and_then(|figures| figures.get(stage as usize)) {
        figure.record(took.as_secs_f64());
    }
}

/// Does some work, and records how long it took.
pub(crate) fn timed<T>(stage: Stage, work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    record(stage, started.elapsed());
    done
}
