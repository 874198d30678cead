use std::path::PathBuf;

use countersign_verifier::note::NoteSigner;

use super::*;
use crate::testing::{cosigner, head, log, signed_root};
use countersign_verifier::cosignature::Timestamp;
use countersign_verifier::merkle::RootHash;

struct Fixture {
    folder: tempfile::TempDir,
    cosigner: Cosigner,
    log: NoteSigner,
}

impl Fixture {
    fn new() -> Self {
        let fixture =
            Self { folder: tempfile::tempdir().unwrap(), cosigner: cosigner(), log: log("log.example/a") };
        high_water::create(&fixture.high_water(), fixture.cosigner.key(), &Marks::new()).unwrap();
        Store::create(&fixture.database(), fixture.cosigner.key()).unwrap();
        fixture
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("db")
    }

    fn high_water(&self) -> PathBuf {
        self.folder.path().join("high-water")
    }

    fn open(&self) -> Result<(Ledger, Positions), LedgerError> {
        Ledger::open(&self.database(), &self.high_water(), &self.cosigner)
    }

    fn head(&self, size: u64) -> Arc<Cosigned> {
        Arc::new(head(&self.log, size, size))
    }

    fn store(&self) -> Store {
        Store::open(&self.database(), self.cosigner.key()).unwrap()
    }

    /// The one log that there is.
    fn position(&self) -> Position {
        self.open().unwrap().1.into_values().next().unwrap()
    }
}

#[test]
fn what_is_kept_is_found_again_without_complaint() {
    let fixture = Fixture::new();
    fixture.open().unwrap().0.keep(&[fixture.head(3)]).unwrap();
    let position = fixture.position();
    assert_eq!(position.head, Some(fixture.head(3)));
    assert_eq!(position.rollback, None);
    assert_eq!(inspect(&fixture.database(), &fixture.high_water(), &fixture.cosigner).unwrap().len(), 1);
}

#[test]
fn a_crash_between_database_and_mark_is_made_good() {
    let fixture = Fixture::new();
    fixture.open().unwrap().0.keep(&[fixture.head(3)]).unwrap();
    fixture.store().put(&[fixture.head(5)]).unwrap();
    let (ledger, _) = fixture.open().unwrap();
    let mark = &ledger.high_water.marks()[fixture.head(5).origin()];
    assert_eq!(mark.cosignature(), fixture.head(5).cosignature());
    drop(ledger);
    assert_eq!(fixture.position().rollback, None);
}

#[test]
fn an_older_database_is_found_out_and_lifted_only_on_demand() {
    let fixture = Fixture::new();
    fixture.open().unwrap().0.keep(&[fixture.head(3)]).unwrap();
    fixture.open().unwrap().0.keep(&[fixture.head(5)]).unwrap();
    fixture.store().put(&[fixture.head(3)]).unwrap();
    for _ in 0..2 {
        let rollback = fixture.position().rollback.unwrap();
        assert_eq!((rollback.stored.unwrap().size.get(), rollback.marked.size.get()), (3, 5));
    }
    let (ledger, positions) = fixture.open().unwrap();
    let lifted = ledger.lift_to_marks(&positions).unwrap();
    assert_eq!(lifted.len(), 1);
    drop(ledger);
    let position = fixture.position();
    assert_eq!(position.rollback, None);
    let head = position.head.unwrap();
    assert_eq!((head.size().get(), head.root()), (5, fixture.head(5).root()));
    assert!(!head.has_log_signature(), "the mark does not have the line of the log");
}

#[test]
fn a_database_that_lost_a_mere_refresh_is_older_too() {
    let fixture = Fixture::new();
    let refreshed = Arc::new(head(&fixture.log, 3, 50));
    fixture.open().unwrap().0.keep(&[refreshed]).unwrap();
    fixture.store().put(&[fixture.head(3)]).unwrap();
    assert!(fixture.position().rollback.unwrap().can_be_lifted());
}

#[test]
fn two_histories_are_never_reconciled() {
    let fixture = Fixture::new();
    fixture.open().unwrap().0.keep(&[fixture.head(3)]).unwrap();
    let forked = signed_root(&fixture.log, 3, RootHash::from_bytes([9; 32]));
    let forked = fixture.cosigner.cosign(&forked, Timestamp::new(60).unwrap()).unwrap();
    fixture.store().put(&[Arc::new(forked)]).unwrap();
    let (ledger, positions) = fixture.open().unwrap();
    let rollback = positions.values().next().unwrap().rollback.clone().unwrap();
    assert!(!rollback.can_be_lifted());
    assert!(ledger.lift_to_marks(&positions).unwrap().is_empty());
}

#[test]
fn nothing_is_kept_once_the_mark_was_touched() {
    let fixture = Fixture::new();
    let (mut ledger, _) = fixture.open().unwrap();
    ledger.keep(&[fixture.head(3)]).unwrap();
    std::fs::remove_file(fixture.high_water()).unwrap();
    let error = ledger.keep(&[fixture.head(5)]).unwrap_err();
    assert!(matches!(error, LedgerError::HighWater(HighWaterError::Changed(_))));
    assert_eq!(ledger.store.heads(fixture.cosigner.key()).unwrap()[0].size().get(), 3);
}

/// The write-ahead log of a database that was used since it was made and is closed now.
fn journal(fixture: &Fixture) -> PathBuf {
    let files = std::fs::read_dir(fixture.database()).unwrap().map(|file| file.unwrap().path());
    let journals = files.filter(|path| path.extension().is_some_and(|end| end == "log"));
    journals.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
}

fn keeps(sizes: &[u64]) -> Fixture {
    let fixture = Fixture::new();
    let (mut ledger, _) = fixture.open().unwrap();
    for size in sizes {
        ledger.keep(&[fixture.head(*size)]).unwrap();
    }
    fixture
}

#[test]
fn what_a_power_cut_tore_does_not_keep_the_database_from_opening() {
    // A record begins with a checksum, 2 bytes of length and a kind. Here is the beginning of one of 1024 bytes.
    let begun = [[0x12, 0x34, 0x56, 0x78, 0x00, 0x04, 1].as_slice(), &[7; 100]].concat();
    let never_written = [&begun[..7], &[0; 1024]].concat();
    for tail in [&begun[..], &begun[..5], &[0; 5000], &never_written] {
        let fixture = keeps(&[3, 5]);
        let bytes = [std::fs::read(journal(&fixture)).unwrap().as_slice(), tail].concat();
        std::fs::write(journal(&fixture), bytes).unwrap();
        let position = fixture.position();
        assert_eq!(position.head, Some(fixture.head(5)));
        assert_eq!(position.rollback, None);
    }
}

#[test]
fn a_flipped_bit_in_the_journal_is_found_out_as_an_older_database() {
    let length = std::fs::read(journal(&keeps(&[3, 5, 7]))).unwrap().len();
    for at in (0..length).step_by(length / 40) {
        let fixture = keeps(&[3, 5, 7]);
        let mut bytes = std::fs::read(journal(&fixture)).unwrap();
        bytes[at] ^= 1;
        std::fs::write(journal(&fixture), bytes).unwrap();
        let (ledger, positions) = fixture.open().unwrap();
        let position = &positions[fixture.head(7).origin()];
        assert!(position.rollback.is_some(), "byte {at}: {position:?}");
        assert_ne!(position.head, Some(fixture.head(7)), "byte {at}");
        let lifted = ledger.lift_to_marks(&positions).unwrap();
        let cosignatures: Vec<_> = lifted.iter().map(|head| head.cosignature()).collect();
        assert_eq!(cosignatures, [fixture.head(7).cosignature()], "byte {at}");
    }
}
