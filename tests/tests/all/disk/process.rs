//! The whole program on a disk that forgets and fails, with its witnesses on others.

use std::time::{Duration, Instant};

use countersign_tests::forgetful_disk::{Dice, Disk, Failure, Fault};
use countersign_tests::hammer::load::Wait;
use countersign_tests::harness::{Setup, Stage, System, execution, expect_code, get, post, register};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::statement::Kind;
use serde_json::Value;

use super::{Round, disk, rounds, seed};
use crate::crashes::{Load, head};
use crate::tree;

/// A log on the disk, which may warn of anything while the disk fails.
fn start(disk: &Disk) -> (System, Issuer) {
    let setup = Setup { log_warnings: vec![" WARN ", " ERROR "], ..Setup::default() };
    let system = Stage::set_with_log_on(disk.path()).start(&setup);
    system.log.published(system.policy(), 1);
    let requester = register(&system, "requester", &["requester"]);
    (system, requester)
}

#[test]
fn a_process_whose_power_is_cut_keeps_what_it_acknowledged() {
    let Some(disk) = disk() else { return };
    let (mut system, requester) = start(&disk);
    let mut heads = vec![head(&system)];
    let first = seed();
    for number in 0..rounds(3) {
        let (_named, mut dice) = Round::begin(first + number);
        let load = Load::new(&requester, dice.pick(Wait::Sequenced, &[Wait::Cosigned]));
        let before = head(&system);
        let tally = load.run(&mut system, |system| cut(system, &disk, &mut dice));
        load.check(&system, before, &tally);
        load.resubmit(&system, &tally);
        heads.push(head(&system));
    }
    // Every head that was ever shown is one of the same tree.
    let last = system.log.published(system.policy(), heads.last().unwrap().size.get());
    for earlier in &heads {
        tree::assert_consistent(&system, earlier, last.checkpoint());
    }
    tree::rehash(&system);
}

/// Cuts the power somewhere in the work of the log, and starts it with what is left.
fn cut(system: &mut System, disk: &Disk, dice: &mut Dice) {
    std::thread::sleep(Duration::from_millis(100 + dice.below(500)));
    disk.cut_power_after(dice.below(300), None, dice);
    let until = Instant::now() + Duration::from_millis(500);
    while !disk.is_cut() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1));
    }
    disk.cut_power(None, dice);
    system.log.kill();
    disk.power_on();
    system.log.start();
}

fn statement(issuer: &Issuer) -> Vec<u8> {
    let id = execution("disk");
    issuer.state(Kind::Intent, &id, None, Value::Object(request())).unwrap().into_bytes()
}

#[test]
fn a_process_whose_disk_fails_says_why_and_signs_nothing_until_it_is_started_again() {
    let Some(disk) = disk() else { return };
    let (mut system, requester) = start(&disk);
    let failures = [
        (Failure::Device, "Input/output error"),
        (Failure::NoSpace, "No space left on device"),
        (Failure::ReadOnly, "Read-only file system"),
    ];
    for (failure, named) in failures {
        let before = head(&system);
        disk.fail(Fault::from(0, failure));
        let lost = statement(&requester);
        let submit = |statement: Vec<u8>| post(system.log.url(), "/entries", "application/cose", statement);
        assert_eq!(submit(lost.clone()).status.as_u16(), 503);
        disk.heal();
        // The disk works again, which changes nothing.
        let ready = get(system.log.url(), "/readyz");
        expect_code(&ready, 503, "not-ready");
        let why = String::from_utf8_lossy(&ready.body).into_owned();
        for said in ["write-failed", named, "make room on the disk or repair it, then restart"] {
            assert!(why.contains(said), "{said:?} is not in {why}");
        }
        expect_code(&submit(statement(&requester)), 503, "log-stopped");
        assert_eq!(head(&system), before, "nothing new is signed");
        for path in
            ["/entries/1.cose", "/tile/0/000.p/2", "/tile/entries/000.p/1", "/proof/inclusion?index=0&size=2"]
        {
            assert_eq!(get(system.log.url(), path).status.as_u16(), 200, "{path}: reads go on");
        }
        system.log.stop();
        system.log.start();
        assert_eq!(get(system.log.url(), "/readyz").status.as_u16(), 200);
        let answer = post(system.log.url(), "/entries", "application/cose", lost);
        assert!(answer.status.is_success(), "{}", String::from_utf8_lossy(&answer.body));
        tree::assert_consistent(&system, &before, &head(&system));
    }
    tree::rehash(&system);
}
