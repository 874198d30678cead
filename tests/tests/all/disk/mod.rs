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

/// The rounds of the longest test, where nothing else is asked for.
const USUAL: u64 = 160;

/// How many rounds of a test that usually takes `usual`: as many times that as are asked for of the longest.
fn rounds(usual: u64) -> u64 {
    number(ROUNDS).map_or(usual, |rounds| (rounds * usual / USUAL).max(1))
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

/// Says something at once, while the test still runs and whatever comes of it.
fn say(what: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{what}");
}

/// A disk, or a word on why the test does without.
fn disk() -> Option<Disk> {
    match Disk::mount() {
        Ok(disk) => Some(disk),
        Err(error) => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            say(format_args!("SKIPPED: {test}: no FUSE file system can be mounted here: {error}"));
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
            say(format_args!("this was {SEED}={}", self.0));
        }
    }
}
