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

/// One figure for each stage.
struct Figures {
    verified: Histogram,
    queued: Histogram,
    sequenced: Histogram,
    synced: Histogram,
    cosigned: Histogram,
    published: Histogram,
}

/// They are asked for once: to ask the recorder costs more than to record.
static FIGURES: OnceLock<Figures> = OnceLock::new();

/// Begins to record, once there is a recorder.
pub(crate) fn begin() {
    let of = |stage: &'static str| histogram!(SECONDS, "stage" => stage);
    FIGURES.get_or_init(|| Figures {
        verified: of("verified"),
        queued: of("queued"),
        sequenced: of("sequenced"),
        synced: of("synced"),
        cosigned: of("cosigned"),
        published: of("published"),
    });
}

/// Records how long a stage took.
pub(crate) fn record(stage: Stage, took: Duration) {
    if let Some(figures) = FIGURES.get() {
        let figure = match stage {
            Stage::Verified => &figures.verified,
            Stage::Queued => &figures.queued,
            Stage::Sequenced => &figures.sequenced,
            Stage::Synced => &figures.synced,
            Stage::Cosigned => &figures.cosigned,
            Stage::Published => &figures.published,
        };
        figure.record(took.as_secs_f64());
    }
}

/// Does some work, records how long it took, and says so.
pub(crate) fn timed<T>(stage: Stage, work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let done = work();
    let took = started.elapsed();
    record(stage, took);
    (done, took)
}
