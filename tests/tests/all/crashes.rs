//! kill -9 in the middle of work: nothing that was acknowledged is lost, nothing forks, and everybody goes on.

use std::sync::Arc;
use std::time::Duration;

use countersign_tests::client::Client;
use countersign_tests::hammer::load::{self, Plan, Wait};
use countersign_tests::hammer::protocol::Protocol;
use countersign_tests::hammer::{Prepared, Tally, truth};
use countersign_tests::harness::{Setup, System, get, post, register};
use countersign_tests::statements::{Issuer, random};
use countersign_verifier::checkpoint::Checkpoint;
use tokio::runtime::Runtime;

use crate::submitting::json;
use crate::tree;

/// How many times each process is killed.
const ROUNDS: &str = "COUNTERSIGN_TESTS_CRASH_ROUNDS";
const RATE: u32 = 500;
const DURATION: Duration = Duration::from_millis(2_500);

fn rounds() -> usize {
    std::env::var(ROUNDS).map_or(3, |rounds| rounds.parse().expect("a number of rounds"))
}

/// Somewhere in the middle of a load.
fn moment() -> Duration {
    let [byte] = random().unwrap();
    Duration::from_millis(400 + 5 * u64::from(byte))
}

/// Submissions by many at once, and what they were told.
pub(crate) struct Load {
    runtime: Runtime,
    prepared: Arc<Prepared>,
    wait: Wait,
}

impl Load {
    pub(crate) fn new(issuer: &Issuer, wait: Wait) -> Self {
        let count = u64::from(RATE) * 5 / 2;
        let prepared = Prepared::sign(issuer, count, u64::from(RATE), 600, &|_| ()).unwrap();
        Self { runtime: Runtime::new().unwrap(), prepared: Arc::new(prepared), wait }
    }

    /// Runs the load, and `strike` beside it.
    pub(crate) fn run(&self, system: &mut System, strike: impl FnOnce(&mut System)) -> Tally {
        let plan = Plan {
            log: system.log.url().parse().unwrap(),
            protocol: Protocol::Countersign,
            wait: self.wait,
            rate: Some(f64::from(RATE)),
            connections: 32,
            batch: None,
            duration: DURATION,
        };
        let running = self.runtime.spawn(load::run(plan, Arc::clone(&self.prepared)));
        strike(system);
        let (tally, _) = self.runtime.block_on(running).unwrap();
        assert!(tally.wrong.is_none(), "{:?}", tally.wrong);
        tally
    }

    /// Holds everything that was said against what is there.
    pub(crate) fn check(&self, system: &System, before: Checkpoint, tally: &Tally) {
        let mut client = Client::new(system.log.url().parse().unwrap());
        let (policy, prepared) = (Some(system.policy()), &*self.prepared);
        let checked = truth::check(&mut client, policy, self.wait, Some(before), prepared, tally);
        let truth = self.runtime.block_on(checked).unwrap_or_else(|untrue| panic!("{untrue}"));
        assert_eq!(truth.entries, tally.acknowledged.len() as u64);
        assert!(truth.entries > 100, "only {} were acknowledged: {:?}", truth.entries, tally.statuses);
    }

    /// Sends every statement again, in one batch after the other: those in the log are where they were, and the
    /// others go in now.
    pub(crate) fn resubmit(&self, system: &System, tally: &Tally) {
        let numbers: Vec<u64> = (0..self.prepared.count()).collect();
        for part in numbers.chunks(512) {
            let body: Vec<u8> =
                part.iter().flat_map(|number| self.prepared.statement(*number).unwrap()).collect();
            let path = "/entries/batch?wait=sequenced";
            let answer = post(system.log.url(), path, "application/cbor-seq", body);
            assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
            let results = json(&answer);
            for (number, result) in part.iter().zip(results.as_array().unwrap()) {
                let index =
                    result["index"].as_u64().unwrap_or_else(|| panic!("statement {number}: {result}"));
                if let Some(acknowledged) = tally.acknowledged.get(number) {
                    assert_eq!(index, *acknowledged, "statement {number} moved");
                }
            }
        }
        for (number, index) in tally.acknowledged.iter().take(5) {
            let statement = self.prepared.statement(*number).unwrap();
            let answer = post(system.log.url(), "/entries", "application/cose", statement.clone());
            assert_eq!((answer.status.as_u16(), json(&answer)["index"].as_u64()), (200, Some(*index)));
            assert_eq!(get(system.log.url(), &format!("/entries/{index}.cose")).body, statement);
        }
    }
}

pub(crate) fn head(system: &System) -> Checkpoint {
    system.log.checkpoint(system.policy()).unwrap().checkpoint().clone()
}

/// A witness that is out of reach for a moment is worth a warning, and here expected.
fn start() -> (System, Issuer) {
    let setup = Setup { log_warnings: vec!["the witness does not cosign"], ..Setup::default() };
    let system = System::start_with(&setup);
    let requester = register(&system, "requester", &["requester"]);
    (system, requester)
}

#[test]
fn a_log_that_is_killed_keeps_what_it_acknowledged() {
    let (mut system, requester) = start();
    let mut heads = vec![head(&system)];
    for round in 0..rounds() {
        let wait = if round % 2 == 0 { Wait::Sequenced } else { Wait::Cosigned };
        let load = Load::new(&requester, wait);
        let before = head(&system);
        let tally = load.run(&mut system, |system| {
            std::thread::sleep(moment());
            heads.push(head(system));
            system.log.kill();
            system.log.start();
        });
        assert!(
            !tally.silences.is_empty(),
            "the log was not killed in the middle of work: {:?}",
            tally.statuses
        );
        load.check(&system, before, &tally);
        load.resubmit(&system, &tally);
        heads.push(head(&system));
    }
    // The witnesses went on cosigning, and every head that was ever shown is one of the same tree.
    let last = system.log.published(system.policy(), heads.last().unwrap().size.get());
    assert!(last.cosignatures().len() >= 2);
    for earlier in &heads {
        tree::assert_consistent(&system, earlier, last.checkpoint());
    }
    tree::rehash(&system);
}

#[test]
fn a_witness_that_is_killed_goes_on_where_it_was() {
    let (mut system, requester) = start();
    for round in 0..rounds() {
        let load = Load::new(&requester, Wait::Cosigned);
        let before = head(&system);
        let victim = round % 3;
        let tally = load.run(&mut system, |system| {
            std::thread::sleep(moment());
            system.witnesses[victim].kill();
            std::thread::sleep(Duration::from_millis(200));
            system.witnesses[victim].start();
        });
        // Two of three are enough: nobody noticed.
        assert!(tally.silences.is_empty(), "{:?}", tally.silences);
        assert_eq!(tally.statuses.keys().copied().collect::<Vec<_>>(), [201], "{:?}", tally.codes);
        load.check(&system, before, &tally);
        // With another one away, the quorum needs the one that was killed.
        let other = (victim + 1) % 3;
        system.witnesses[other].kill();
        let size = head(&system).size.get();
        let state = Prepared::sign(&requester, 1, 1, 600, &|_| ()).unwrap().statement(0).unwrap();
        let answer = post(system.log.url(), "/entries", "application/cose", state);
        assert!(answer.status.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        let names: Vec<String> = system
            .log
            .published(system.policy(), size + 1)
            .cosignatures()
            .iter()
            .map(|cosigned| cosigned.witness.clone())
            .collect();
        assert!(names.contains(&system.witnesses[victim].name().to_owned()), "{names:?}");
        system.witnesses[other].start();
    }
    tree::rehash(&system);
}

#[test]
fn everything_at_once_comes_back() {
    let (mut system, requester) = start();
    let load = Load::new(&requester, Wait::Cosigned);
    let before = head(&system);
    let tally = load.run(&mut system, |system| {
        std::thread::sleep(moment());
        system.log.kill();
        system.witnesses.iter_mut().for_each(countersign_tests::harness::Witness::kill);
        system.witnesses.iter_mut().for_each(countersign_tests::harness::Witness::start);
        system.log.start();
    });
    load.check(&system, before, &tally);
    load.resubmit(&system, &tally);
    let size = head(&system).size.get();
    let answer = get(system.log.url(), "/readyz");
    assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
    tree::rehash(&system);
    assert!(size > 100);
}
