//! `fsck`: what is whole holds, and whatever is changed, removed or added is named, row by row.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use countersign_log::fsck::{self, Options, Report, Weight};
use countersign_log::log::{Atomicity, DATABASE, Log};
use countersign_log::progress::Progress;
use countersign_log::store::RocksStore;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::program::{Exit, keyfile};
use countersign_verifier::statement::VerifiedStatement;
use proptest::prelude::*;
use tempfile::TempDir;

use super::desk::{Founded, config, copy_folder, found, revoke};
use super::store::{Raw, delete, flip, flush, get, put, put_unused, raw, rows};

/// Two full tiles and a bit.
const EXECUTIONS: usize = 110;

pub(crate) struct Silent;

impl Progress for Silent {
    fn begin(&self, _entries: u64) {}
    fn advance(&self, _entries: u64) {}
    fn finish(&self, _with: &'static str) {}
}

/// A log with entries of most kinds, closed, which the tests copy.
fn original() -> &'static Path {
    static ORIGINAL: OnceLock<TempDir> = OnceLock::new();
    let make = || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let founded = found().await;
            let log = founded.open("quorum none\n").await;
            for number in 0..EXECUTIONS {
                submit(&log, execution(&founded, &format!("run/{number}"))).await;
            }
            submit(&log, vec![revoke(founded.path(), &founded.desk.key)]).await;
            let size = log.sequenced_head().checkpoint.size;
            log.wait_cosigned(size, super::quorum::soon()).await.unwrap();
            log.shutdown().await;
            drop(log);
            founded.folder
        })
    };
    ORIGINAL.get_or_init(|| std::thread::spawn(make).join().unwrap()).path()
}

fn execution(founded: &Founded, name: &str) -> Vec<VerifiedStatement> {
    let desk = &founded.desk;
    let intent = desk.intent(name);
    let authorization = desk.authorization(name, intent.entry_id());
    let outcome = desk.outcome(name, authorization.entry_id());
    let close = desk.close(name);
    vec![intent, authorization, outcome, close, desk.intent(&format!("{name}/open"))]
}

async fn submit(log: &Log, statements: Vec<VerifiedStatement>) {
    for result in log.submit(statements, Atomicity::Each).await.unwrap() {
        result.unwrap();
    }
}

pub(crate) fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(original(), copy.path());
    copy
}

pub(crate) fn check(data: &Path) -> Report {
    let key = keyfile::read_note_signer(&data.join("log.key")).unwrap().verifier().clone();
    let options = Options { key: Some(key), policy: None, limit: 100 };
    let store = RocksStore::open_read_only(&data.join(DATABASE)).unwrap();
    fsck::check(data, &store, &options, &Silent).unwrap()
}

fn index(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

/// Does something to a copy, and expects that exactly this row is named.
#[track_caller]
fn finds(part: &str, key: &str, weight: Weight, change: impl FnOnce(&Raw)) -> Report {
    let copy = copy();
    change(&raw(copy.path()));
    let report = check(copy.path());
    let [finding] = report.findings.as_slice() else { panic!("{part} {key}: {:#?}", report.findings) };
    assert!(finding.part == part && finding.key.contains(key), "expected {part} {key}: {finding:#?}");
    assert_eq!(finding.weight, weight, "{finding:#?}");
    assert!(!finding.found.is_empty() && !finding.expected.is_empty() && finding.found != finding.expected);
    let exit = if weight == Weight::Damage { Exit::StateDamaged } else { Exit::Misbehaviour };
    assert_eq!(report.exit(), exit);
    report
}

#[test]
fn what_is_whole_holds_and_is_not_changed() {
    let copy = copy();
    let files = |folder: &Path| {
        let mut files: Vec<(PathBuf, Vec<u8>)> = std::fs::read_dir(folder.join(DATABASE))
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files(copy.path());
    let report = check(copy.path());
    assert_eq!(report.findings, []);
    assert_eq!(report.exit(), Exit::Holds);
    assert_eq!((report.size, report.tiles), (2 + 5 * EXECUTIONS as u64 + 1, 2));
    assert_eq!(report.origin, "log.example/engine");
    assert_eq!(files(copy.path()), before, "nothing in the database was changed, and nothing put beside it");
}

#[test]
fn entries() {
    use Weight::Damage;
    for at in [1, 255, 256, 500, 552] {
        let name = format!("index {at}");
        finds("entries", &name, Damage, |db| flip(db, "entries", &index(at), 40));
        finds("entries", &name, Damage, |db| delete(db, "entries", &index(at)));
    }
    finds("entries", "index 553", Damage, |db| put(db, "entries", &index(553), b"more"));
    finds("entries", "index 99999", Damage, |db| put(db, "entries", &index(99999), b"more"));
    finds("entries", "key 0x", Damage, |db| {
        put(db, "entries", &[index(5).as_slice(), b"x"].concat(), b"more");
    });
    let other = |db: &Raw| put(db, "entries", &index(9), &get(db, "entries", &index(10)));
    finds("entries", "index 9", Damage, other);
}

#[test]
fn tiles() {
    use Weight::Damage;
    let tile = |level: u8, index: u64| [&[level], index.to_be_bytes().as_slice()].concat();
    finds("tiles", "tile/0/000, hash 3", Damage, |db| flip(db, "tiles", &tile(0, 0), 3 * 32 + 7));
    finds("tiles", "tile/0/001, hash 255", Damage, |db| flip(db, "tiles", &tile(0, 1), 8191));
    finds("tiles", "tile/0/001", Damage, |db| delete(db, "tiles", &tile(0, 1)));
    finds("tiles", "tile/0/000", Damage, |db| put(db, "tiles", &tile(0, 0), &[0; 100]));
    finds("tiles", "tile/0/002", Damage, |db| put(db, "tiles", &tile(0, 2), &[0; 8192]));
    finds("tiles", "tile/1/000", Damage, |db| put(db, "tiles", &tile(1, 0), &[0; 8192]));
    finds("tiles", "key 0x00", Damage, |db| put(db, "tiles", &[0], &[0; 8192]));
}

#[test]
fn a_tile_that_was_changed_together_with_its_entries_does_not_pass() {
    let report = finds("tiles", "tile/0/001", Weight::Damage, |db| {
        let entry = get(db, "entries", &index(300));
        let key = [&[0_u8], index(1).as_slice()].concat();
        let (mut changed, mut tile) = (entry.clone(), get(db, "tiles", &key));
        *changed.last_mut().unwrap() ^= 1;
        tile[(300 - 256) * 32..][..32].copy_from_slice(LeafHash::of(&changed).as_bytes());
        put(db, "entries", &index(300), &changed);
        put(db, "tiles", &key, &tile);
        // The indexes lead to the changed entry, too.
        let facts = get(db, "ids", LeafHash::of(&entry).as_bytes());
        delete(db, "ids", LeafHash::of(&entry).as_bytes());
        put(db, "ids", LeafHash::of(&changed).as_bytes(), &facts);
    });
    assert!(report.findings[0].expected.contains("signed tree"), "{:#?}", report.findings);
}

#[test]
fn edge() {
    use Weight::Damage;
    finds("edge", "level 0, position 2", Damage, |db| flip(db, "edge", &[0, 2], 20));
    finds("edge", "level 1, position 1", Damage, |db| flip(db, "edge", &[1, 1], 39));
    finds("edge", "level 0, position 40", Damage, |db| delete(db, "edge", &[0, 40]));
    finds("edge", "level 0, position 3", Damage, |db| put(db, "edge", &[0, 3], b"short"));
    // What was left over from the tile before is compared with that tile.
    finds("edge", "level 0, position 200", Damage, |db| flip(db, "edge", &[0, 200], 20));
    finds("edge", "level 5, position 0", Damage, |db| put(db, "edge", &[5, 0], &[0; 40]));
    finds("edge", "level 1, position 2", Damage, |db| put(db, "edge", &[1, 2], &[0; 40]));
    finds("edge", "key 0x010101", Damage, |db| put(db, "edge", &[1, 1, 1], &[0; 40]));
}

#[test]
fn ids() {
    use Weight::Damage;
    let id = |db: &Raw, at: u64| *LeafHash::of(&get(db, "entries", &index(at))).as_bytes();
    for at in [0, 4, 5] {
        finds("ids", "entry ", Damage, |db| flip(db, "ids", &id(db, at), 7));
        finds("ids", "entry ", Damage, |db| flip(db, "ids", &id(db, at), 8));
        let report = finds("ids", "entry ", Damage, |db| delete(db, "ids", &id(db, at)));
        assert!(report.findings[0].expected.contains(&format!("index {at}")), "{report:?}");
    }
    finds("ids", "entry ", Damage, |db| put(db, "ids", &id(db, 2), b"short"));
    finds("ids", "entry 0707", Damage, |db| put(db, "ids", &[7; 32], &get(db, "ids", &id(db, 3))));
    finds("ids", "entry 0707", Damage, |db| put(db, "ids", &[7; 32], b"short"));
    finds("ids", "key 0x07", Damage, |db| put(db, "ids", &[7], b"short"));
}

#[test]
fn issuers() {
    use Weight::Damage;
    let of = |db: &Raw, name: &[u8]| {
        rows(db, "issuers").into_iter().map(|(key, _)| key).find(|key| key.starts_with(name)).unwrap()
    };
    finds("issuers", "desk with key", Damage, |db| flip(db, "issuers", &of(db, b"desk"), 8));
    finds("issuers", "operator with key", Damage, |db| flip(db, "issuers", &of(db, b"operator"), 7));
    finds("issuers", "desk with key", Damage, |db| delete(db, "issuers", &of(db, b"desk")));
    finds("issuers", "desk with key", Damage, |db| put(db, "issuers", &of(db, b"desk"), b"short"));
    finds("issuers", "friend with key", Damage, |db| {
        let friend = [b"friend\0".as_slice(), &[1; 32]].concat();
        put(db, "issuers", &friend, &get(db, "issuers", &of(db, b"desk")));
    });
    finds("issuers", "key 0x78", Damage, |db| put(db, "issuers", b"x", b""));
}

#[test]
fn marks() {
    use Weight::Damage;
    let of = |db: &Raw, sort: u8| rows(db, "marks").into_iter().find(|(key, _)| key[0] == sort).unwrap().0;
    finds("marks", "outcome of authorization", Damage, |db| flip(db, "marks", &of(db, b'o'), 3));
    finds("marks", "outcome of authorization", Damage, |db| delete(db, "marks", &of(db, b'o')));
    finds("marks", "close of execution run/", Damage, |db| flip(db, "marks", &of(db, b'c'), 31));
    finds("marks", "close of execution run/", Damage, |db| delete(db, "marks", &of(db, b'c')));
    finds("marks", "close of execution run/7/open", Damage, |db| {
        put(db, "marks", b"crun/7/open", &get(db, "marks", &of(db, b'c')));
    });
    finds("marks", "outcome of authorization 0303", Damage, |db| {
        put(db, "marks", &[b"o".as_slice(), &[3; 32]].concat(), &get(db, "marks", &of(db, b'o')));
    });
    finds("marks", "key 0x78", Damage, |db| put(db, "marks", b"x", b""));
}

#[test]
fn meta() {
    use Weight::Damage;
    finds("meta", "head", Damage, |db| flip(db, "meta", b"head", 20));
    finds("meta", "head", Damage, |db| flip(db, "meta", b"head", 7));
    finds("meta", "head", Damage, |db| flip(db, "meta", b"head", 5));
    finds("meta", "head", Damage, |db| delete(db, "meta", b"head"));
    finds("meta", "head", Damage, |db| put(db, "meta", b"head", b"short"));
    finds("meta", "origin", Damage, |db| put(db, "meta", b"origin", b"log.example/other"));
    finds("meta", "origin", Damage, |db| delete(db, "meta", b"origin"));
    finds("meta", "published", Damage, |db| flip(db, "meta", b"published", 30));
    finds("meta", "published", Damage, |db| put(db, "meta", b"published", b"nothing"));
    finds("meta", "cosigned by w", Damage, |db| put(db, "meta", b"cosigned/1234w", &index(9999)));
    finds("meta", "cosigned by w", Damage, |db| put(db, "meta", b"cosigned/1234w", b"short"));
    finds("meta", "key 0x68656c6c6f", Damage, |db| put(db, "meta", b"hello", b""));
    finds("default", "key 0x68656c6c6f", Damage, |db| put_unused(db, b"hello"));
}

#[test]
fn signed_heads_in_files_are_held_against_the_store() {
    let change = |change: &dyn Fn(&Path)| {
        let copy = copy();
        change(&copy.path().join("high-water"));
        check(copy.path())
    };
    let removed = change(&|path| std::fs::remove_file(path).unwrap());
    assert_eq!((removed.findings[0].part, removed.exit()), ("high-water", Exit::StateDamaged));
    let changed = change(&|path| {
        // It has two places, one of which may be torn. Both are not.
        let mut bytes = std::fs::read(path).unwrap();
        bytes[9] ^= 1;
        bytes[4096 + 9] ^= 1;
        std::fs::write(path, bytes).unwrap();
    });
    assert_eq!((changed.findings.len(), changed.exit()), (1, Exit::StateDamaged), "{:#?}", changed.findings);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_or_another_store_contradicts_the_signed_head() {
    let founded = found().await;
    let older = founded.copy();
    let log = founded.open("quorum none\n").await;
    submit(&log, execution(&founded, "run/1")).await;
    log.shutdown().await;
    drop(log);
    // The database went back, the file did not.
    std::fs::copy(founded.path().join("high-water"), older.path().join("high-water")).unwrap();
    let report = check(older.path());
    assert_eq!(report.exit(), Exit::Misbehaviour, "{report:#?}");
    assert_eq!(report.findings.len(), 1);
    assert!(report.findings[0].found.contains("size 7"), "{report:#?}");
    std::fs::remove_file(older.path().join("high-water")).unwrap();
    // The same key signs another history.
    let log = Log::open(config(older.path(), "quorum none\n")).await.unwrap();
    submit(&log, vec![super::desk::Desk::new(9).intent("run/other")]).await;
    submit(&log, execution(&founded, "run/other")).await;
    log.shutdown().await;
    drop(log);
    std::fs::create_dir(older.path().join("evidence")).unwrap();
    // The file has two heads.
    let heads = std::fs::read_to_string(founded.path().join("high-water")).unwrap();
    let newest = heads.split('\0').find(|note| note.lines().nth(1) == Some("7")).unwrap();
    std::fs::write(older.path().join("evidence/7-x-w.note"), newest).unwrap();
    let report = check(older.path());
    assert_eq!(report.exit(), Exit::Misbehaviour, "{report:#?}");
    assert_eq!((report.findings.len(), report.findings[0].part), (1, "evidence"));
}

#[test]
fn findings_are_bounded_and_all_count() {
    let copy = copy();
    let db = raw(copy.path());
    (0..300).for_each(|at| delete(&db, "entries", &index(at)));
    drop(db);
    let report = check(copy.path());
    assert_eq!((report.findings.len(), report.more, report.exit()), (100, 200, Exit::StateDamaged));
}

#[test]
fn a_damaged_file_of_the_database_is_told_from_a_failing_disk() {
    let copy = copy();
    let db = raw(copy.path());
    flush(&db, "entries");
    drop(db);
    let largest = std::fs::read_dir(copy.path().join(DATABASE))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sst"))
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    let middle = bytes.len() / 3;
    bytes[middle] ^= 1;
    std::fs::write(&largest, bytes).unwrap();
    let report = check(copy.path());
    assert_eq!(report.exit(), Exit::StateDamaged);
    assert!(report.findings.iter().all(|finding| finding.part == "entries"), "{:#?}", report.findings);
    assert!(report.findings[0].found.contains("checksum"), "{:#?}", report.findings[0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 0, ..ProptestConfig::default() })]

    #[test]
    fn no_flipped_bit_of_any_row_goes_unnoticed(family in 0..7_usize, row: usize, byte: usize, bit in 0..8_u32) {
        let family = ["entries", "tiles", "edge", "ids", "issuers", "marks", "meta"][family];
        let copy = copy();
        let db = raw(copy.path());
        let rows = rows(&db, family);
        let (key, value) = &rows[row % rows.len()];
        let mut changed = value.to_vec();
        let at = byte % changed.len();
        changed[at] ^= 1 << bit;
        put(&db, family, key, &changed);
        drop(db);
        if family == "meta" && key.as_ref() == b"format" {
            prop_assert!(RocksStore::open_read_only(&copy.path().join(DATABASE)).is_err());
        } else {
            let report = check(copy.path());
            prop_assert!(!report.findings.is_empty(), "{family} {key:?}, byte {at}");
            prop_assert!(report.findings.iter().any(|finding| finding.part == family), "{:?}", report.findings);
        }
    }
}
