//! The power is cut while a log or a witness is founded.

use std::sync::Arc;

use countersign_log::log::{Log, LogConfig};
use countersign_tests::clock;
use countersign_tests::forgetful_disk::{Dice, Disk, Kept};
use countersign_verifier::note::KeyName;
use countersign_verifier::program::Exit;
use countersign_verifier::quorum::Policy;
use countersign_witness::clock::SystemClock;
use countersign_witness::{Folder, Witness};

use super::disk;
use super::world::origin;

/// Cuts the power at this step of `found`, and switches it on again. Whether it had come to its end, and says so.
fn cut_while(disk: &Disk, step: u64, found: impl FnOnce() -> bool) -> bool {
    let mut dice = Dice::new(step);
    let kept = dice.pick(Kept::Synced, &[Kept::Sectors]);
    disk.cut_power_after(step, Some(kept), &mut dice);
    let finished = found() && !disk.is_cut();
    disk.cut_power(Some(kept), &mut dice);
    disk.power_on();
    finished
}

/// What is left of a founding that was cut short is a whole log, or is refused with what to do about it.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_whose_founding_was_cut_short_is_whole_or_refused() {
    let (mut whole, mut refused) = (0, 0);
    for step in (0..).step_by(5) {
        let Some(disk) = disk() else { return };
        let data = disk.path().join("log");
        let finished = cut_while(&disk, step, || Log::create(&data, &origin(), clock::now()).is_ok());
        let config = LogConfig::new(&data, Policy::parse(b"quorum none\n").unwrap());
        match Log::open(config).await {
            Ok(log) => {
                assert!(log.stopped().is_none());
                assert!(
                    log.entry(countersign_verifier::merkle::LeafIndex::new(0).unwrap()).unwrap().is_some()
                );
                log.shutdown().await;
                whole += 1;
            }
            Err(error) => {
                assert!(!finished, "the log was founded: {error}");
                assert_ne!(error.exit(), Exit::Misbehaviour);
                assert!(error.remedy().contains("init"), "{error}: {}", error.remedy());
                refused += 1;
            }
        }
        if finished {
            break;
        }
    }
    assert!(whole > 0 && refused > 5, "{whole} {refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_whose_founding_was_cut_short_is_whole_or_refused() {
    let (mut whole, mut refused) = (0, 0);
    for step in (0..).step_by(5) {
        let Some(disk) = disk() else { return };
        let folder = Folder::new(disk.path().join("witness"), None);
        let name = KeyName::new("w.example").unwrap();
        let finished = cut_while(&disk, step, || folder.init(&name).is_ok());
        match Witness::open(&folder, Arc::new(SystemClock::start())) {
            Ok(witness) => {
                assert!(witness.faults().is_empty());
                whole += 1;
            }
            Err(error) => {
                assert!(!finished, "the witness was founded: {error}");
                refused += 1;
            }
        }
        if finished {
            break;
        }
    }
    assert!(whole > 0 && refused > 5, "{whole} {refused}");
}
