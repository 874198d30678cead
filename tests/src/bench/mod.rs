//! The yardstick: the same loads on a log of ours and on others, side by side, in one run.
//!
//! Machines differ, and one machine differs from minute to minute. So nothing here is compared with a figure from
//! elsewhere: every row is measured on every log in turn, round after round, and beside each figure stands what a
//! synced write cost at that moment. What loads the logs is `countersign-hammer`, for all of them the same program.
//!
//! | module | what for |
//! |---|---|
//! | [`machine`] | where it was measured |
//! | [`subject`] | the logs: ours with its witnesses, Tessera as it comes, Tessera tuned |
//! | [`rows`] | the loads |
//! | [`rounds`] | doing it, in turns |
//! | [`growth`] | the same loads on logs that are larger and larger |
//! | [`sample`], [`table`] | what came out, and how it is shown |
//! | [`bars`] | what is to be reached, and whether it was |
//! | [`report`] | the text for `docs/PERFORMANCE.md`, and putting it there |

pub mod bars;
pub mod disk;
pub mod growth;
pub mod machine;
pub mod report;
pub mod rounds;
pub mod rows;
pub mod sample;
pub mod subject;
pub mod table;

/// Why a measurement ended without figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The load tool failed on our own log. What it says is a fault of the log or of the measurement.
    #[error("{row} on {subject}: countersign-hammer ended with {code:?}: {stderr}")]
    Hammer {
        /// The row.
        row: String,
        /// The log.
        subject: String,
        /// Its exit code.
        code: Option<i32>,
        /// What it said.
        stderr: String,
    },
    /// What the load tool printed is not its report.
    #[error("what countersign-hammer printed is not its report: {0}")]
    Report(#[from] serde_json::Error),
    /// A flood did not begin.
    #[error("after a minute the flood has not begun")]
    NoFlood,
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The document has no place for what should be written into it.
    #[error("{path} has no lines <!-- {section} --> and <!-- /{section} -->, between which the figures go")]
    NoPlace {
        /// The document.
        path: std::path::PathBuf,
        /// The section.
        section: &'static str,
    },
}

impl BenchError {
    fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
