//! Disks that lose what was not synced, and disks that fail: whatever happens, what was acknowledged is there, nothing
//! forks, and what cannot be kept is not signed.
//!
//! The rounds are random and few here. `COUNTERSIGN_TESTS_DISK_ROUNDS` says how many, `COUNTERSIGN_TESTS_DISK_SEED` from
//! which seed on; a round that fails names its own.

mod failing;
mod founding;
mod power_cuts;
mod process;
mod truth;
mod world;

use countersign_tests::forgetful_disk::{Dice, Disk};

const ROUNDS: &str = "COUNTERSIGN_TESTS_DISK_ROUNDS";
const SEED: &str = "COUNTERSIGN_TESTS_DISK_SEED";

/// How many rounds of a test that usually takes `usual`: a tenth of them is a whole world, started anew.
fn rounds(usual: u64) -> u64 {
    number(ROUNDS).map_or(usual, |rounds| (rounds * usual / 100).max(1))
}

/// The first seed.
fn seed() -> u64 {
    number(SEED).unwrap_or_else(|| {
        u64::from_be_bytes(countersign_tests::statements::random().expect("random bytes")) % 1_000_000_000
    })
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{variable}={value}")))
}

/// A disk, or a word on why the test does without.
fn disk() -> Option<Disk> {
    match Disk::mount() {
        Ok(disk) => Some(disk),
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: {}: no FUSE file system can be mounted here: {error}",
                std::thread::current().name().unwrap_or("a test"),
            );
            None
        }
    }
}

/// Names the seed of a round that fails.
struct Round(u64);

impl Round {
    fn begin(seed: u64) -> (Self, Dice) {
        (Self(seed), Dice::new(seed))
    }
}

impl Drop for Round {
    fn drop(&mut self) {
        if std::thread::panicking() {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "this was {SEED}={}", self.0);
        }
    }
}
