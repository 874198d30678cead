//! The power is cut under a log and its witness at any moment: between any two writes, in the middle of one, while they
//! start, while they recover from the cut before.

use std::sync::Arc;
use std::time::Duration;

use countersign_tests::forgetful_disk::{Dice, Failure, Fault, Operation};

use super::world::World;
use super::{Round, USUAL, disk, rounds, say, seed};

const SYNCS: &[Operation] = &[Operation::Sync];
const WRITES: &[Operation] = &[Operation::Write];
const BOTH: &[Operation] = &[Operation::Write, Operation::Sync];

/// How many cuts a world goes through before the next one is founded.
const CUTS: u64 = 10;

/// After how many rounds it says how far it is, where many are asked for.
const TOLD: u64 = 100;

/// What was held against what had been said, so far.
#[derive(Default)]
struct Count {
    rounds: u64,
    acknowledged: usize,
    heads: usize,
    proofs: usize,
}

impl Count {
    fn tell(&self, test: &str, of: u64) {
        let Self { rounds, acknowledged, heads, proofs } = self;
        say(format_args!(
            "{test}: {rounds} of {of} rounds, each with a cut; {acknowledged} entries acknowledged and found again, \
             {heads} heads and {proofs} proofs compared"
        ));
    }
}

/// Runs worlds through rounds, each of which ends in a cut of the power.
async fn through_rounds(test: &str, count: u64, round: impl AsyncFn(&Arc<World>, &mut Dice)) {
    let first = seed();
    let mut done = Count::default();
    for begin in (0..count).step_by(usize::try_from(CUTS).unwrap()) {
        let Some(disk) = disk() else { return };
        let world = Arc::new(World::found(disk).await);
        for number in begin..count.min(begin + CUTS) {
            let (_named, mut dice) = Round::begin(first + number);
            round(&world, &mut dice).await;
            assert!(world.disk.is_cut(), "the power was cut");
            world.disk.power_on();
            world.check().await;
            done.rounds += 1;
        }
        let truth = world.truth.lock().unwrap();
        done.acknowledged += truth.acknowledged();
        done.heads += truth.heads();
        done.proofs += truth.proofs();
        if done.rounds.is_multiple_of(TOLD) || done.rounds == count {
            done.tell(test, count);
        }
    }
    let acknowledged = done.acknowledged;
    assert!(count < CUTS || acknowledged > 100, "only {acknowledged} entries were ever acknowledged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_at_any_moment_loses_nothing_that_was_acknowledged() {
    through_rounds("cuts at any moment", rounds(USUAL), async |world, dice| {
        let moment = dice.pick(40, &[150, 600]);
        world.disk.cut_power_after(dice.below(moment), None, dice);
        // The cut may come while they open.
        match world.open().await {
            Ok(running) => {
                world.load(&running, Duration::from_secs(5), dice).await;
                world.disk.cut_power(None, dice);
                running.close().await;
            }
            Err(error) => assert!(world.disk.is_cut(), "{error}"),
        }
    })
    .await;
}

/// RocksDB writes what it has into files by itself when a write or a sync of its log has failed, and would go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_after_a_failed_write_or_sync_leaves_all_of_a_batch_or_nothing() {
    through_rounds("cuts after failures", rounds(100), async |world, dice| {
        let running = world.open().await.unwrap();
        let of = dice.pick(SYNCS, &[WRITES, BOTH]);
        let on = dice.pick(".log", &["", "high-water"]);
        let with = dice.pick(Failure::Device, &[Failure::NoSpace]);
        let count = dice.pick(1, &[2, 5]);
        world.disk.fail(Fault { of, below: "", on, after: dice.below(60), count, with });
        world.load(&running, Duration::from_millis(800), dice).await;
        // What is done about the failure is interrupted somewhere.
        let moment = dice.below(80);
        world.disk.cut_power_after(moment, None, dice);
        tokio::time::sleep(Duration::from_millis(dice.below(60))).await;
        world.disk.cut_power(None, dice);
        running.close().await;
    })
    .await;
}
