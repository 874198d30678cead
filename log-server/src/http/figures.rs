//! The figures of the log: what each one means, and what to do when it goes wrong.

use countersign_serving::figures::{Figure, Sort};
use metrics::Unit;

use crate::stage;

pub(super) const STATEMENTS: &str = "countersign_statements_total";
pub(super) const QUEUED_STATEMENTS: &str = "countersign_queued_statements";
pub(super) const QUEUED_BYTES: &str = "countersign_queued_bytes";
pub(super) const TREE_SIZE: &str = "countersign_tree_size";
pub(super) const AWAITING_QUORUM: &str = "countersign_awaiting_quorum_seconds";
pub(super) const READY: &str = "countersign_ready";
pub(super) const STOPPED: &str = "countersign_stopped";
pub(super) const NOT_READY: &str = "countersign_not_ready";
pub(super) const WITNESS_SIZE: &str = "countersign_witness_size";
pub(super) const WITNESS_LAG: &str = "countersign_witness_lag_entries";
pub(super) const WITNESS_WELL: &str = "countersign_witness_well";
pub(super) const WITNESS_COSIGNATURES: &str = "countersign_witness_cosignatures_total";
pub(super) const WITNESS_FAILURES: &str = "countersign_witness_failures_total";
pub(super) const WITNESS_ROLLBACKS: &str = "countersign_witness_rollbacks_total";

const WITNESS: &[(&str, &str)] = &[("witness", "its name in the policy file")];

/// Every figure of the log, beside those of all servers and those of the store.
pub(super) const ALL: &[Figure] = &[
    Figure {
        name: READY,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "1 when the log takes statements and publishes heads, else 0.",
        normal: "1.",
        trouble: "0: /readyz says why, and OPERATIONS.md what to do about each reason.",
    },
    Figure {
        name: STOPPED,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "1 when the log has stopped taking statements and signing heads until it is restarted, else 0.",
        normal: "0.",
        trouble: "1: the most serious state there is. Do not restart before you have read /readyz: some reasons ask for another remedy.",
    },
    Figure {
        name: NOT_READY,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[("reason", "the codes of /readyz")],
        meaning: "1 for each reason for which the log is not ready, 0 for each other one.",
        normal: "0 for every reason, but while the server starts or ends.",
        trouble: "1: the section of OPERATIONS.md under that code says what it means and what to do.",
    },
    Figure {
        name: TREE_SIZE,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[("head", "`sequenced`: durable and signed; `published`: with its quorum")],
        meaning: "Entries in the tree.",
        normal: "Both grow, `published` behind by less than a second, or by --checkpoint-interval.",
        trouble: "`published` stays behind `sequenced`: the witnesses are missing or slow.",
    },
    Figure {
        name: STATEMENTS,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: &[("result", "`new`: entered; `known`: the log had it already")],
        meaning: "Statements answered for.",
        normal: "Almost all `new`.",
        trouble: "Much `known`: issuers send again because answers take too long or get lost.",
    },
    Figure {
        name: stage::SECONDS,
        sort: Sort::Histogram,
        unit: Unit::Seconds,
        labels: &[(
            "stage",
            "of each submission `verified` (parsed, signature checked, waiting for a free thread) and `queued` (waiting \
             for the sequencer); of each batch `sequenced` (admitted, put into the tree) and `synced` (written and synced); \
             of each head `cosigned` (from asking the witnesses to the quorum) and `published` (from the quorum to being \
             durable and shown)",
        )],
        meaning: "Time that a stage took.",
        normal: "`verified`, `queued` and `sequenced` within milliseconds, `synced` what the disk takes for one sync, `cosigned` what the slowest witness of the quorum takes.",
        trouble: "`verified`: too few processors. `queued`: more comes than is sequenced. `synced`: the disk. `cosigned`: the witnesses or the way to them.",
    },
    Figure {
        name: QUEUED_STATEMENTS,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: &[],
        meaning: "Statements that wait for the sequencer.",
        normal: "Up to what comes during one sync.",
        trouble: "It stays high: more comes than the disk syncs. From the bound on, submissions are refused with `overloaded`.",
    },
    Figure {
        name: QUEUED_BYTES,
        sort: Sort::Gauge,
        unit: Unit::Bytes,
        labels: &[],
        meaning: "Bytes of statements that wait for the sequencer.",
        normal: "Up to what comes during one sync.",
        trouble: "It stays high: as with the statements that wait.",
    },
    Figure {
        name: AWAITING_QUORUM,
        sort: Sort::Gauge,
        unit: Unit::Seconds,
        labels: &[],
        meaning: "How long the head now before the witnesses waits for its quorum; 0 when none does.",
        normal: "Below a second.",
        trouble: "It grows: too few witnesses answer. The figures of the single witnesses say which.",
    },
    Figure {
        name: WITNESS_WELL,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: WITNESS,
        meaning: "1 when the witness's last answer was a cosignature, else 0.",
        normal: "1.",
        trouble: "0: the log file and the warnings of /readyz say what it answers. Ask its operator.",
    },
    Figure {
        name: WITNESS_SIZE,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: WITNESS,
        meaning: "The largest tree that the witness has cosigned.",
        normal: "It grows with the tree.",
        trouble: "It does not grow while the tree does: see the two before and after.",
    },
    Figure {
        name: WITNESS_LAG,
        sort: Sort::Gauge,
        unit: Unit::Count,
        labels: WITNESS,
        meaning: "How many entries of the tree the witness has not cosigned yet.",
        normal: "What came since the head that is before the witness; with --checkpoint-interval what comes in that time.",
        trouble: "It grows without end: the witness does not answer, or refuses. A steady lag is that of --checkpoint-interval.",
    },
    Figure {
        name: crate::cosigners::WITNESS_SECONDS,
        sort: Sort::Histogram,
        unit: Unit::Seconds,
        labels: WITNESS,
        meaning: "Time from asking the witness for a cosignature to the end of its answer, whatever it was.",
        normal: "One way to the witness and back, and its sync.",
        trouble: "It grows: the way to the witness, or the witness. The quorum waits for the slowest that it needs.",
    },
    Figure {
        name: WITNESS_COSIGNATURES,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: WITNESS,
        meaning: "Heads that the witness cosigned since the start.",
        normal: "It grows while the tree does.",
        trouble: "It stands still while the tree grows: see the failures.",
    },
    Figure {
        name: WITNESS_FAILURES,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: WITNESS,
        meaning: "Requests to the witness that failed since the start.",
        normal: "It stands still, or rises while the witness is being upgraded.",
        trouble: "It grows: the witness is away, too busy, or does not know this log's key.",
    },
    Figure {
        name: WITNESS_ROLLBACKS,
        sort: Sort::Counter,
        unit: Unit::Count,
        labels: WITNESS,
        meaning: "How often the witness forgot what it had cosigned, since the start.",
        normal: "0.",
        trouble: "At all: ask its operator. A witness that forgets could be made to cosign two histories.",
    },
];

macro_rules! of_store {
    ($($figure:literal = $metric:literal, $unit:ident, $meaning:literal, $normal:literal, $trouble:literal;)+) => {
        /// The figures of the store.
        pub(super) const OF_STORE: &[Figure] = &[$(Figure {
            name: $metric,
            sort: Sort::Gauge,
            unit: Unit::$unit,
            labels: &[],
            meaning: $meaning,
            normal: $normal,
            trouble: $trouble,
        }),+];

        /// The metric of a figure that the store names.
        pub(super) fn of_store(figure: &str) -> Option<&'static str> {
            match figure {
                $($figure => Some($metric),)+
                _ => None,
            }
        }
    };
}

of_store! {
    "live_data_bytes" = "countersign_store_live_bytes", Bytes,
        "About how many bytes of the database are in use.",
        "It grows with the statements, and not faster.",
        "It grows as fast as statements come. Plan the disk by it.";
    "file_bytes" = "countersign_store_file_bytes", Bytes,
        "Bytes of the database's sorted files.",
        "Somewhat more than is in use.",
        "Much more than is in use for hours: compaction does not keep up.";
    "wal_bytes" = "countersign_store_wal_bytes", Bytes,
        "Bytes of the write-ahead log, which the next start replays.",
        "Below 128 MiB.",
        "Above 128 MiB: writing out falls behind; look at the disk.";
    "memtable_bytes" = "countersign_store_memtable_bytes", Bytes,
        "Bytes that are in memory and in the write-ahead log, not yet in sorted files.",
        "Below 64 MiB, up and down.",
        "At its bound of 64 MiB for long: the disk is too slow for what comes.";
    "level0_files" = "countersign_store_level0_files", Count,
        "Files that wait for their first compaction, of all families.",
        "A few, up and down.",
        "It grows without end: compaction does not keep up, and writing will be slowed.";
    "pending_compaction_bytes" = "countersign_store_pending_compaction_bytes", Bytes,
        "Bytes that compaction has still to rewrite.",
        "Up and down, with 0 between.",
        "It grows without end: the disk is too slow, or the processors are too busy.";
    "block_cache_bytes" = "countersign_store_block_cache_bytes", Bytes,
        "Bytes of the database that are cached in memory.",
        "It grows up to its bound and stays there.",
        "It has a bound of its own. Look elsewhere for a process that grows.";
    "delayed_write_rate" = "countersign_store_delayed_write_rate", CountPerSecond,
        "Bytes a second to which the database slows writing down; 0 when it does not.",
        "0.",
        "Above 0: compaction does not keep up, and submissions take longer.";
    "write_stopped" = "countersign_store_write_stopped", Count,
        "1 while the database lets nothing be written until compaction has caught up, else 0.",
        "0.",
        "1 for more than seconds: submissions wait. The disk is too slow or full.";
    "background_errors" = "countersign_store_background_errors", Count,
        "Errors in the database's background work since it was opened.",
        "0.",
        "At all: the disk fails or is full. The log stops at its next write; read /readyz.";
    "issuer_keys" = "countersign_issuer_keys", Count,
        "About how many issuers' keys are registered, revoked ones included.",
        "As many as you registered.",
        "It grows faster than you register issuers: somebody else has the operator's key.";
}
