//! A write-ahead log that is not as a killed log left it. What was never acknowledged may go; what was is missed, and
//! then nothing is signed and nothing in the database changed, so that all of it is there again once the file is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use countersign_tests::harness::{
    Log, Program, Setup, System, copy, execution, expect_code, get, post, register, run,
};
use countersign_tests::statements::{Issuer, random, request};
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::submitting::{Taken, submit};

const STATEMENTS: usize = 30;
const FORGOT: &str = "store-forgot";

/// A log that was killed while it knew nothing but from its write-ahead log, and what it had acknowledged.
struct Killed {
    system: System,
    requester: Issuer,
    acknowledged: Vec<Taken>,
    /// A policy without witnesses: the log has nobody to ask.
    alone: PathBuf,
}

impl Killed {
    fn new() -> Self {
        let log_warnings = vec!["path=\"/readyz\"", "path=\"/entries\"", "the log stops", "restored"];
        let mut system = System::start_with(&Setup { log_warnings, ..Setup::default() });
        let requester = register(&system, "requester", &["requester"]);
        let state =
            || requester.state(Kind::Intent, &execution("kept"), None, Value::Object(request())).unwrap();
        let acknowledged = (0..STATEMENTS).map(|_| submit(&system, state())).collect();
        system.log.kill();
        let alone = system.folder().join("alone");
        std::fs::write(&alone, format!("log {}\nquorum none\n", system.log.vkey())).unwrap();
        Self { system, requester, acknowledged, alone }
    }

    /// A copy of its data in which the write-ahead log was changed, and the file as it was.
    fn changed(&self, case: &str, change: impl FnOnce(&mut Vec<u8>)) -> (PathBuf, PathBuf, Vec<u8>) {
        let data = self.system.folder().join(case);
        copy(self.system.log.data(), &data);
        let journal = journal(&data);
        let before = std::fs::read(&journal).unwrap();
        let mut after = before.clone();
        change(&mut after);
        std::fs::write(&journal, after).unwrap();
        (data, journal, before)
    }

    /// Where in the write-ahead log the bytes of the last entry end. The rows of its batch follow, and after them the head
    /// under which it was published.
    fn end_of_the_last_entry(&self) -> usize {
        let bytes = std::fs::read(journal(self.system.log.data())).unwrap();
        let entry = &self.acknowledged.last().unwrap().bytes;
        let end = &entry[entry.len() - 16..];
        bytes.windows(end.len()).rposition(|window| window == end).unwrap() + end.len()
    }

    fn log_on(&self, data: &Path, policy: &Path) -> Log {
        let mut log = self.system.log.on_copy(data.to_owned(), policy.to_owned());
        for warning in ["path=\"/readyz\"", "path=\"/entries\"", "the log stops", "restored", "witness"] {
            log.expect_warning(warning);
        }
        log
    }

    fn state(&self, log: &Log) -> countersign_tests::client::Answer {
        let state = self.requester.state(Kind::Intent, &execution("new"), None, Value::Object(request()));
        post(log.url(), "/entries?wait=sequenced", "application/cose", state.unwrap().into_bytes())
    }

    /// Everything is where it was, and the log goes on.
    #[track_caller]
    fn goes_on(&self, log: &Log, case: &str) {
        let ready = get(log.url(), "/readyz");
        assert_eq!(ready.status.as_u16(), 200, "{case}: {}", String::from_utf8_lossy(&ready.body));
        for taken in &self.acknowledged {
            let entry = get(log.url(), &format!("/entries/{}.cose", taken.index));
            assert_eq!((entry.status.as_u16(), &*entry.body), (200, taken.bytes.as_slice()), "{case}");
        }
        let more = self.state(log);
        assert_eq!(more.status.as_u16(), 201, "{case}: {}", String::from_utf8_lossy(&more.body));
    }

    /// The log misses what it acknowledged: it reads what it has, signs nothing, changes nothing.
    #[track_caller]
    fn misses(&self, case: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
        let (data, journal, before) = self.changed(case, change);
        let files = files(&data);
        let mut log = self.log_on(&data, &self.alone);
        log.start();
        let ready = get(log.url(), "/readyz");
        expect_code(&ready, 503, "not-ready");
        let why = String::from_utf8_lossy(&ready.body).into_owned();
        let newest = self.acknowledged.last().unwrap().index + 1;
        for said in [FORGOT, &format!("the head of size {newest}"), "nothing was changed", "restore --from"] {
            assert!(why.contains(said), "{case}: {said:?} is not in {why}");
        }
        // It forgot the registration of the issuer as well, and does not blame the issuer for it.
        expect_code(&self.state(&log), 503, "log-stopped");
        if get(log.url(), "/checkpoint").status.as_u16() == 200 {
            assert_eq!(get(log.url(), "/entries/0.cose").status.as_u16(), 200, "{case}: reads go on");
        }
        log.stop();
        assert_eq!(self::files(&data), files, "{case}: something in the database was changed");
        // Nothing is lost by it: with the file as it was, all is there.
        let damaged = std::fs::read(&journal).unwrap();
        let whole = self.system.folder().join(format!("{case} put back"));
        copy(&data, &whole);
        std::fs::write(self::journal(&whole), before).unwrap();
        let mut log = self.log_on(&whole, &self.alone);
        log.start();
        self.goes_on(&log, case);
        log.stop();
        assert_eq!(std::fs::read(&journal).unwrap(), damaged);
        data
    }
}

/// The write-ahead log of a database.
fn journal(data: &Path) -> PathBuf {
    let files = std::fs::read_dir(data.join("db")).unwrap().map(|file| file.unwrap().path());
    let journals = files.filter(|path| path.extension().is_some_and(|end| end == "log"));
    journals.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
}

fn files(data: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = std::fs::read_dir(data.join("db")).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.clone(), std::fs::read(&path).unwrap())).collect()
}

#[test]
fn what_was_acknowledged_and_is_damaged_in_the_write_ahead_log_is_missed() {
    let killed = Killed::new();
    let middle = killed.misses("a flipped bit in the middle", |bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    });
    let last = killed.end_of_the_last_entry();
    killed.misses("a flipped bit in the last entry", |bytes| bytes[last - 1] ^= 0x80);
    killed.misses("the end of the last entry cut off", |bytes| bytes.truncate(last));
    killed.misses("half of it cut off", |bytes| bytes.truncate(bytes.len() / 2));
    killed.misses("a page of zeros", |bytes| bytes[4096..8192].fill(0));
    killed.misses("nothing left of it", Vec::clear);

    // What fsck says of it, and the way on: from a copy that has everything, under the eyes of the witnesses.
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let checked = run(Program::Log, ["fsck", "--data", &text(&middle)]);
    assert_eq!(checked.code, Some(3), "{checked:?}");
    assert!(
        checked.stdout.contains("high-water") && checked.stdout.contains("a signed head of size"),
        "{checked:?}"
    );
    let intact = killed.system.log.data();
    run(Program::Log, ["restore", "--data", &text(&middle), "--from", &text(intact)]).holds();
    let mut log = killed.log_on(&middle, &killed.system.policy_file());
    log.start();
    killed.goes_on(&log, "restored");
}

#[test]
fn what_was_never_acknowledged_does_not_keep_a_log_from_going_on() {
    let killed = Killed::new();
    let went_on = |case: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let (data, ..) = killed.changed(case, change);
        let mut log = killed.log_on(&data, &killed.alone);
        log.start();
        killed.goes_on(&log, case);
        // What came after it is as durable as what came before.
        log.kill();
        log.start();
        killed.goes_on(&log, case);
    };
    // A record begins with a checksum, 2 bytes of length and a kind. Here is the beginning of one of 1024 bytes.
    let begun = [[0x12, 0x34, 0x56, 0x78, 0x00, 0x04, 1].as_slice(), &[7; 100]].concat();
    went_on("nothing happened", &|_| ());
    // No entry hangs on the last cosignatures: whoever gave them is asked again.
    went_on("the last published head", &|bytes| bytes.truncate(bytes.len() - 1));
    went_on("a record that was begun", &|bytes| bytes.extend_from_slice(&begun));
    went_on("a part of its head", &|bytes| bytes.extend_from_slice(&begun[..5]));
    went_on("room that was never written to", &|bytes| bytes.extend_from_slice(&[0; 5000]));
    went_on("a whole record whose bytes are not there", &|bytes| {
        bytes.extend_from_slice(&begun[..7]);
        bytes.extend_from_slice(&[0; 1024]);
    });
}

#[test]
fn no_flipped_bit_of_the_write_ahead_log_loses_an_entry_in_silence() {
    let killed = Killed::new();
    let length = u64::try_from(killed.end_of_the_last_entry()).unwrap();
    for round in 0..6 {
        let dice: [u8; 9] = random().unwrap();
        let (at, bit) = (u64::from_be_bytes(*dice.first_chunk().unwrap()) % length, dice[8] % 8);
        killed.misses(&format!("round {round}, byte {at}, bit {bit}"), |bytes| {
            bytes[usize::try_from(at).unwrap()] ^= 1 << bit;
        });
    }
}
