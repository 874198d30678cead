//! Copies of damaged data, and damaged copies.

use std::path::Path;

use countersign_log::backup::{BackupError, Done, Marker, back_up, copy_beside, restore};
use countersign_log::log::DATABASE;
use countersign_log::rebuild::{RebuildError, Worn, rebuild};
use countersign_log::snapshot::Still;
use countersign_log::store::StoreError;
use countersign_verifier::program::keyfile;
use tempfile::TempDir;

use super::desk::{Founded, enter, found};
use super::fsck::Silent;
use super::store::{delete, flip, flush, raw, rows};

pub(super) fn take(founded: &Founded, to: &Path) -> Result<Done, BackupError> {
    let still = Still::of(founded.path()).unwrap();
    back_up(founded.path(), &still, to, &founded.key, false, &Silent)
}

/// Has the row of the head say another root.
fn change_head(data: &Path) {
    let db = raw(data);
    flip(&db, "meta", b"head", 20);
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_does_not_reach_a_backup_and_a_damaged_backup_is_not_restored() {
    let founded = found().await;
    let (copy, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    take(&founded, copy.path()).unwrap();
    let before = Marker::read(copy.path()).unwrap().unwrap();
    change_head(founded.path());
    let refused = take(&founded, copy.path()).unwrap_err();
    assert!(matches!(refused, BackupError::Root { .. }), "{refused}");
    assert_eq!(Marker::read(copy.path()).unwrap().unwrap(), before);
    assert_eq!(restore(copy.path(), &new.path().join("a"), &Silent).unwrap(), before.head);
    change_head(copy.path());
    let refused = restore(copy.path(), &new.path().join("b"), &Silent).unwrap_err();
    assert!(matches!(refused, BackupError::Root { .. }), "{refused}");
    assert!(!new.path().join("b").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_cut_off_anywhere_is_taken_up_again() {
    let founded = found().await;
    let copy = TempDir::new().unwrap();
    let to = copy.path();
    // The first one, while it copied.
    std::fs::create_dir(to.join("db.new")).unwrap();
    std::fs::write(to.join("db.new/000001.sst"), b"half").unwrap();
    let first = take(&founded, to).unwrap();
    let log = founded.open("quorum none\n").await;
    enter(&log, founded.desk.intent("run/1")).await;
    log.shutdown().await;
    drop(log);
    // A later one, between the two renames.
    std::fs::rename(to.join("db"), to.join("db.old")).unwrap();
    std::fs::create_dir(to.join("db.new")).unwrap();
    let second = take(&founded, to).unwrap();
    assert_eq!(second.size.get(), first.size.get() + 1);
    assert_eq!(names(to), ["backup.json", "db", "high-water", "lock"]);
    // After them, before the rest was written: it has more than it says, which is no harm.
    let marker = std::fs::read(to.join("backup.json")).unwrap();
    let log = founded.open("quorum none\n").await;
    enter(&log, founded.desk.intent("run/2")).await;
    log.shutdown().await;
    drop(log);
    take(&founded, to).unwrap();
    std::fs::write(to.join("backup.json"), marker).unwrap();
    let new = TempDir::new().unwrap();
    let head = restore(to, &new.path().join("a"), &Silent).unwrap();
    assert_eq!(head.size.get(), second.size.get() + 1);
    take(&founded, to).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_changes_is_not_copied_twice() {
    let founded = found().await;
    let copy = TempDir::new().unwrap();
    // What is in files, and not in the write-ahead log alone.
    let db = raw(founded.path());
    flush(&db, "entries");
    flush(&db, "ids");
    drop(db);
    let first = take(&founded, copy.path()).unwrap();
    assert_eq!(first.reused, 0);
    let second = take(&founded, copy.path()).unwrap();
    assert!(second.reused > 0 && second.reused <= second.bytes, "{second:?}");
    // A file with the name of another is copied: here an older copy was put to use, and went on.
    let sst = names(&copy.path().join(DATABASE)).into_iter().find(|name| name.ends_with("sst")).unwrap();
    let path = copy.path().join(DATABASE).join(sst);
    let original = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, vec![7; original.len()]).unwrap();
    let third = take(&founded, copy.path()).unwrap();
    assert!(third.reused < second.reused, "{third:?}");
    assert_eq!(std::fs::read(&path).unwrap(), original);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_damaged_file_takes_the_place_of_a_sound_one() {
    let founded = found().await;
    let (copy, new) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let db = raw(founded.path());
    let families = ["entries", "ids", "issuers", "edge", "meta"];
    for family in families {
        flush(&db, family);
    }
    drop(db);
    take(&founded, copy.path()).unwrap();
    let before = Marker::read(copy.path()).unwrap().unwrap();
    let database = founded.path().join(DATABASE);
    let files: Vec<_> = names(&database).into_iter().filter(|name| name.ends_with("sst")).collect();
    assert!(files.len() >= families.len(), "{files:?}");
    for name in files {
        let path = database.join(&name);
        let sound = std::fs::read(&path).unwrap();
        let mut damaged = sound.clone();
        damaged[10] ^= 1;
        std::fs::write(&path, damaged).unwrap();
        let refused = take(&founded, copy.path()).unwrap_err();
        assert!(matches!(refused, BackupError::Store(StoreError::DamagedFile { .. })), "{name}: {refused}");
        assert_eq!(Marker::read(copy.path()).unwrap().unwrap(), before);
        assert_eq!(restore(copy.path(), &new.path().join(&name), &Silent).unwrap(), before.head);
        std::fs::write(&path, sound).unwrap();
    }
    take(&founded, copy.path()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cannot_write_to_one_backup() {
    let founded = found().await;
    let copy = TempDir::new().unwrap();
    let lock = std::fs::File::create(copy.path().join("lock")).unwrap();
    lock.try_lock().unwrap();
    let refused = take(&founded, copy.path()).unwrap_err();
    assert!(matches!(refused, BackupError::InUse(_)), "{refused}");
    drop(lock);
    take(&founded, copy.path()).unwrap();
    let key = keyfile::read_note_signer(&founded.path().join("log.key")).unwrap();
    assert_eq!(Marker::read(copy.path()).unwrap().unwrap().key, *key.verifier());
}

#[test]
fn a_store_with_damaged_indexes_is_built_anew_from_its_entries() {
    let (worn, new) = (super::fsck::copy(), TempDir::new().unwrap());
    let size = super::fsck::check(worn.path()).size;
    let db = raw(worn.path());
    for family in ["ids", "marks", "issuers", "tiles"] {
        delete(&db, family, &rows(&db, family)[0].0);
    }
    drop(db);
    assert_eq!(super::fsck::check(worn.path()).findings.len(), 4);
    let key = keyfile::read_note_signer(&worn.path().join("log.key")).unwrap().verifier().clone();
    let (source, goal) = Worn::open(&worn.path().join(DATABASE)).unwrap();
    let head = rebuild(&source, &goal, new.path(), &key, None, &Silent).unwrap();
    copy_beside(worn.path(), new.path()).unwrap();
    assert_eq!(head.size.get(), size);
    let report = super::fsck::check(new.path());
    assert_eq!((report.findings.as_slice(), report.size), ([].as_slice(), size));
    // Entries that are changed are not built upon.
    let db = raw(worn.path());
    flip(&db, "entries", &300_u64.to_be_bytes(), 40);
    drop(db);
    let (source, goal) = Worn::open(&worn.path().join(DATABASE)).unwrap();
    let refused = rebuild(&source, &goal, &new.path().join("b"), &key, None, &Silent).unwrap_err();
    assert!(matches!(refused, RebuildError::Entry { index: 300, .. }), "{refused}");
    assert!(!new.path().join("b").join(DATABASE).exists());
}
