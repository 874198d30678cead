//! A disk that fails in the middle of the work: the log or the witness that meets with it stops signing and says so, reads
//! go on, and a disk that works again changes nothing until the next start.

use std::sync::Arc;
use std::time::Duration;

use countersign_log::log::{Log, LogConfig, SubmitError};
use countersign_tests::forgetful_disk::{Dice, Failure, Fault, Operation};
use countersign_verifier::causes::with_causes;
use countersign_verifier::merkle::LeafIndex;
use countersign_verifier::quorum::Policy;
use countersign_witness::witness::Fault as WitnessFault;

use super::world::{Running, World};
use super::{Round, disk, seed};

/// What was seen of a run.
#[derive(Debug, Default)]
struct Seen {
    log_stopped: usize,
    witness_stopped: usize,
}

/// Works on a disk on which this goes wrong, and then on one that works again, and holds what is said against it.
async fn meet(world: &Arc<World>, fault: Fault, dice: &mut Dice, seen: &mut Seen) {
    let running = world.open().await.unwrap();
    world.disk.fail(fault);
    world.load(&running, Duration::from_millis(150), dice).await;
    world.disk.heal();
    let signing = !running.witness.faults().iter().any(|fault| matches!(fault, WitnessFault::Stopped(_)));
    seen.witness_stopped += usize::from(!signing);
    if let Some(reason) = running.log.stopped() {
        seen.log_stopped += 1;
        assert!(["write-failed", "read-failed"].contains(&reason.code()), "{reason}");
        assert_stays_stopped(world, &running).await;
    } else if signing {
        running.submit(world, vec![world.statement(1)]).await.unwrap();
    }
    running.close().await;
    world.check().await;
}

async fn assert_stays_stopped(world: &World, running: &Running) {
    let log = &running.log;
    let reasons = log.readiness().unwrap_err();
    assert!(reasons[0].what.contains("os error") || reasons[0].what.contains("error:"), "{reasons:?}");
    assert!(reasons[0].remedy.contains("restart"), "{reasons:?}");
    let head = log.sequenced_head();
    // The disk works again, and nobody tries it: nothing is written into a write-ahead log any more.
    world.disk.fail(Fault { below: "log/", on: ".log", ..Fault::from(0, Failure::Device) });
    for _ in 0..3 {
        let refused = running.submit(world, vec![world.statement(1)]).await;
        assert!(matches!(refused, Err(SubmitError::Stopped(_))), "{refused:?}");
    }
    assert_eq!(log.sequenced_head(), head);
    for index in (0..head.checkpoint.size.get()).step_by(7) {
        assert!(log.entry(LeafIndex::new(index).unwrap()).unwrap().is_some(), "reads go on");
    }
    assert_eq!(world.disk.struck(), [], "something was written after a write had failed");
    world.disk.heal();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_change_or_sync_that_failed_nothing_is_signed_until_the_next_start() {
    let mut seen = Seen::default();
    let first = seed();
    let Some(disk) = disk() else { return };
    let world = Arc::new(World::found(disk).await);
    for (number, with) in (0..).zip([Failure::Device, Failure::NoSpace, Failure::ReadOnly].repeat(12)) {
        let (_named, mut dice) = Round::begin(first + number);
        let fault = if dice.below(2) == 0 { Fault::once(number, with) } else { Fault::from(number, with) };
        meet(&world, fault, &mut dice, &mut seen).await;
    }
    for after in 0..6 {
        // Only the file beside the database, only a sync, only the write-ahead logs.
        let (_named, mut dice) = Round::begin(first);
        for (below, of, on) in [
            ("", &[Operation::Write], "high-water"),
            ("", &[Operation::Sync], ".log"),
            ("", &[Operation::Write], ".log"),
            // A witness writes far less than a log, and would seldom be the one that is struck.
            ("witness/", &[Operation::Sync], ".log"),
            ("witness/", &[Operation::Write], "high-water"),
        ] {
            let fault = Fault { below, of, on, ..Fault::once(after, Failure::Device) };
            meet(&world, fault, &mut dice, &mut seen).await;
        }
    }
    assert!(seen.log_stopped > 15 && seen.witness_stopped > 5, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_read_only_disk_nothing_is_opened_and_nothing_is_lost() {
    let Some(disk) = disk() else { return };
    let world = Arc::new(World::found(disk).await);
    world.disk.fail(Fault::from(0, Failure::ReadOnly));
    let error = world.open().await.err().expect("neither can be opened");
    assert!(error.contains("Read-only file system"), "{error}");
    let policy = Policy::parse(b"quorum none\n").unwrap();
    let error = Log::open(LogConfig::new(world.data(), policy)).await.unwrap_err();
    assert!(with_causes(&error).contains("Read-only file system"), "{}", with_causes(&error));
    assert!(error.remedy().contains("read-only"), "{}", error.remedy());
    world.disk.heal();
    world.check().await;
}
