//! The loads.

/// A log that a row is measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// Ours.
    Countersign,
    /// Tessera's own server: batches of 256 or one second, a checkpoint a second, no witnesses.
    TesseraDefault,
    /// Tessera with batches of 10 milliseconds, ten checkpoints a second, and our witnesses.
    TesseraTuned,
}

impl On {
    /// What it is called in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Countersign => "Countersign",
            Self::TesseraDefault => "Tessera, default",
            Self::TesseraTuned => "Tessera, tuned",
        }
    }
}

/// How a row is paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// By these arguments.
    Args(&'static [&'static str]),
    /// By these, and as many times as many statements a second as the row `single` brought.
    TimesCapacity(u32, &'static [&'static str]),
    /// By these, while something that has nothing to do with the log computes on every processor.
    BesideWork(&'static [&'static str]),
    /// By the first, while another issuer sends as much as it can in the way of the second.
    BesideFlood(&'static [&'static str], &'static [&'static str]),
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its name, by which it is asked for.
    pub name: &'static str,
    /// What it is, for people.
    pub about: &'static str,
    /// How many bytes its entries have; 0 where none are written.
    pub entry_bytes: u32,
    /// How it is paced.
    pub pace: Pace,
    /// Where it is measured.
    pub on: &'static [On],
}

const OURS: &[On] = &[On::Countersign];
const WITH_DEFAULT: &[On] = &[On::Countersign, On::TesseraDefault];
const WITH_TUNED: &[On] = &[On::Countersign, On::TesseraTuned];
const ALL: &[On] = &[On::Countersign, On::TesseraTuned, On::TesseraDefault];
/// The larger entries, about 1 KiB, and the smaller ones, about 0.5 KiB: near the least that an intent can have.
const KIB: u32 = 1024;
const HALF: u32 = 576;

const SINGLE: Pace = Pace::Args(&["--connections", "256", "--wait", "sequenced"]);
const BATCH: Pace = Pace::Args(&["--connections", "4", "--batch", "1024", "--wait", "sequenced"]);
const COSIGNED: Pace = Pace::Args(&["--rate", "1000", "--connections", "1024", "--wait", "cosigned"]);
const WRITER: Pace = Pace::Args(&["--connections", "1", "--wait", "cosigned"]);
const MODEST: &[&str] = &["--rate", "100", "--connections", "128", "--wait", "sequenced"];
/// What floods are made of. Who sends them has processors of its own elsewhere, and here those that nobody else wants.
const FLOOD: &[&str] = &["--connections", "256", "--wait", "sequenced", "--niceness", "19"];
const BATCHES: &[&str] =
    &["--connections", "4", "--batch", "1024", "--wait", "sequenced", "--niceness", "19"];

/// Every row of the table, in the order in which they are measured. Those that read come after some that write.
pub const ROWS: &[Row] = &[
    Row {
        name: "single",
        about: "single submissions, 256 connections, until sequenced, 1 KiB",
        entry_bytes: KIB,
        pace: SINGLE,
        on: WITH_DEFAULT,
    },
    Row {
        name: "single-half",
        about: "the same, 0.5 KiB",
        entry_bytes: HALF,
        pace: SINGLE,
        on: WITH_DEFAULT,
    },
    Row {
        name: "batch",
        about: "batches of 1,024, 4 connections, until sequenced, 1 KiB",
        entry_bytes: KIB,
        pace: BATCH,
        on: OURS,
    },
    Row { name: "batch-half", about: "the same, 0.5 KiB", entry_bytes: HALF, pace: BATCH, on: OURS },
    Row {
        name: "cosigned",
        about: "1,000/s open loop, until published",
        entry_bytes: KIB,
        pace: COSIGNED,
        on: ALL,
    },
    Row {
        name: "writer",
        about: "one writer, until published",
        entry_bytes: KIB,
        pace: WRITER,
        on: WITH_TUNED,
    },
    Row {
        name: "overload-5000",
        about: "5,000/s open loop, until published",
        entry_bytes: KIB,
        pace: Pace::Args(&["--rate", "5000", "--connections", "4096", "--wait", "cosigned"]),
        on: WITH_TUNED,
    },
    Row {
        name: "overload-3x",
        about: "3 times the capacity, open loop, until sequenced",
        entry_bytes: KIB,
        pace: Pace::TimesCapacity(3, &["--connections", "4096", "--wait", "sequenced"]),
        on: OURS,
    },
    Row {
        name: "modest",
        about: "100/s open loop, until sequenced, alone",
        entry_bytes: KIB,
        pace: Pace::Args(MODEST),
        on: OURS,
    },
    Row {
        name: "modest-busy",
        about: "the same, while all processors are busy with something else",
        entry_bytes: KIB,
        pace: Pace::BesideWork(MODEST),
        on: OURS,
    },
    Row {
        name: "modest-flooded",
        about: "the same, while another issuer sends all it can on 256 connections",
        entry_bytes: KIB,
        pace: Pace::BesideFlood(MODEST, FLOOD),
        on: OURS,
    },
    Row {
        name: "modest-batches",
        about: "the same, while another issuer sends all the batches it can on 4 connections",
        entry_bytes: KIB,
        pace: Pace::BesideFlood(MODEST, BATCHES),
        on: OURS,
    },
    Row {
        name: "read-checkpoint",
        about: "reads of the checkpoint, 64 connections",
        entry_bytes: 0,
        pace: Pace::Args(&["--read", "/checkpoint", "--connections", "64"]),
        on: WITH_DEFAULT,
    },
    Row {
        name: "read-tile",
        about: "reads of a hash tile, 8 KiB",
        entry_bytes: 0,
        pace: Pace::Args(&["--read", "/tile/0/000", "--connections", "64"]),
        on: WITH_DEFAULT,
    },
    Row {
        name: "read-bundle",
        about: "reads of a bundle of 256 entries",
        entry_bytes: 0,
        pace: Pace::Args(&["--read", "/tile/entries/000", "--connections", "64"]),
        on: WITH_DEFAULT,
    },
];

/// The rows that are measured on logs of different sizes.
pub const GROWTH: &[&str] =
    &["single", "batch", "cosigned", "writer", "read-checkpoint", "read-tile", "read-bundle"];

/// The row with this name.
pub fn named(name: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_what_grows_is_a_row() {
        for row in ROWS {
            assert_eq!(named(row.name), Some(row));
            assert_eq!(row.on.first(), Some(&On::Countersign), "{}", row.name);
        }
        assert!(GROWTH.iter().all(|name| named(name).is_some()));
    }
}
