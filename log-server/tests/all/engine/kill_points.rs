//! A process that dies at every step on the way of a batch and of its head.
//!
//! What lies within one step (the write of the write-ahead log, its sync) is reached from below, by a disk whose power
//! is cut between any two operations: `tests/tests/all/disk`.

use std::process::Command;
use std::sync::Mutex;

use countersign_log::log::{LogConfig, Observer, Step, Steps};
use countersign_verifier::merkle::TreeSize;

use super::crash::{self, Said};
use super::desk::found;
use super::quorum::enter_cosigned;
use super::witness::{TestWitness, policy};

const STEP: &str = "COUNTERSIGN_TEST_KILL_STEP";
const TIME: &str = "COUNTERSIGN_TEST_KILL_TIME";

const STEPS: [Step; 10] = [
    Step::Built,
    Step::Durable,
    Step::Remembered,
    Step::Sequenced,
    Step::Offered,
    Step::Asked,
    Step::Cosigned,
    Step::Quorum,
    Step::NoteDurable,
    Step::Published,
];

/// Ends the process when a step is taken for the n-th time.
#[derive(Debug)]
struct Killer {
    step: String,
    left: Mutex<u64>,
}

impl Observer for Killer {
    fn reached(&self, step: Step, _: TreeSize) {
        if format!("{step:?}") == self.step {
            let mut left = self.left.lock().unwrap();
            *left -= 1;
            if *left == 0 {
                std::process::abort();
            }
        }
    }
}

/// In the child: where it shall die, if that was said.
pub(super) fn arm(config: &mut LogConfig) {
    if let (Ok(step), Ok(time)) = (std::env::var(STEP), std::env::var(TIME)) {
        let left = Mutex::new(time.parse().unwrap());
        config.steps = Steps::to(std::sync::Arc::new(Killer { step, left }));
    }
}

fn child(step: Step, time: u64) -> Command {
    let mut command = crash::myself();
    command.env(STEP, format!("{step:?}")).env(TIME, time.to_string());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_at_any_step_leaves_everything_that_was_said_true() {
    let founded = found().await;
    let witnesses =
        [TestWitness::start("w1", &founded.key).await, TestWitness::start("w2", &founded.key).await];
    let policy = policy(2, &[&witnesses[0], &witnesses[1]]);
    let mut said = Said::default();
    let mut series = 0;
    for step in STEPS {
        for time in [1, 2, 9] {
            series += 1;
            let mut running = crash::child(&mut child(step, time), founded.path(), &policy, series);
            let status;
            (said, status) = tokio::task::spawn_blocking(move || {
                let status = crash::listen_and_kill(&mut running, usize::MAX, &mut said);
                (said, status)
            })
            .await
            .unwrap();
            assert!(!status.success(), "{step:?} was not reached {time} times");
            let log = founded.open(&policy).await;
            assert!(log.stopped().is_none(), "{step:?}: {:?}", log.stopped());
            said.check(&log);
            for witness in &witnesses {
                // No witness was ever shown a head that the store does not have.
                for (size, root) in witness.cosigned() {
                    assert_eq!(log.root(size).unwrap(), root, "{step:?}: a witness cosigned size {size}");
                }
            }
            enter_cosigned(&log, &founded).await;
            log.shutdown().await;
        }
    }
    said.expect(200, 50, 20);
}
