use std::cmp::Ordering;
use std::fs;

use countersign_verifier::note::NoteSigner;

use super::*;
use crate::testing::{cosigner, head, log};

struct Fixture {
    folder: tempfile::TempDir,
    key: VerifierKey,
    log: NoteSigner,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self {
            folder: tempfile::tempdir().unwrap(),
            key: cosigner().key().clone(),
            log: log("log.example/a"),
        };
        create(&fixture.path(), &fixture.key, &Marks::new()).unwrap();
        fixture
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("high-water")
    }

    fn open(&self) -> Result<HighWater, HighWaterError> {
        HighWater::open(&self.path(), &self.key)
    }

    fn head(&self, size: u64) -> Arc<Cosigned> {
        Arc::new(head(&self.log, size, size))
    }
}

/// Where each log stands, without the lines of the log, which a mark does not have.
fn sizes(marks: &Marks) -> Vec<(String, u64, u64)> {
    let mut sizes: Vec<_> = marks
        .values()
        .map(|mark| (mark.origin().to_string(), mark.size().get(), mark.time().get()))
        .collect();
    sizes.sort();
    sizes
}

#[test]
fn the_last_mark_of_each_log_is_found_again_with_its_cosignature() {
    let fixture = Fixture::new();
    let other = Arc::new(head(&log("log.example/b"), 7, 9));
    let mut high_water = fixture.open().unwrap();
    high_water.record(&[fixture.head(3), Arc::clone(&other)]).unwrap();
    high_water.record(&[fixture.head(5)]).unwrap();
    high_water.check_unchanged().unwrap();
    assert!(matches!(fixture.open(), Err(HighWaterError::InUse(_))));
    drop(high_water);
    let high_water = fixture.open().unwrap();
    let mark = &high_water.marks()[other.origin()];
    assert_eq!((mark.cosignature(), mark.root()), (other.cosignature(), other.root()));
    assert_eq!(sizes(high_water.marks()).len(), 2);
    assert_eq!(sizes(high_water.marks()), sizes(&read(&fixture.path(), &fixture.key).unwrap()));
}

#[test]
fn a_line_that_a_crash_cut_short_is_cut_off_and_the_file_goes_on() {
    let fixture = Fixture::new();
    fixture.open().unwrap().record(&[fixture.head(3)]).unwrap();
    let before = fs::read(fixture.path()).unwrap();
    fixture.open().unwrap().record(&[fixture.head(5)]).unwrap();
    let after = fs::read(fixture.path()).unwrap();
    for cut in before.len()..after.len() {
        fs::write(fixture.path(), &after[..cut]).unwrap();
        let mut high_water = fixture.open().unwrap();
        assert_eq!(sizes(high_water.marks())[0].1, 3, "cut at {cut}");
        high_water.check_unchanged().unwrap();
        high_water.record(&[fixture.head(5)]).unwrap();
        assert_eq!(fs::read(fixture.path()).unwrap(), after);
    }
}

#[test]
fn no_changed_byte_makes_a_mark_that_was_not_there() {
    let fixture = Fixture::new();
    let mut high_water = fixture.open().unwrap();
    for size in [3, 5, 8] {
        high_water.record(&[fixture.head(size)]).unwrap();
    }
    drop(high_water);
    let whole = fs::read(fixture.path()).unwrap();
    let last_line = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x01;
        fs::write(fixture.path(), &changed).unwrap();
        match read(&fixture.path(), &fixture.key) {
            Err(HighWaterError::Foreign { .. } | HighWaterError::Damaged { .. }) => {}
            Err(error) => panic!("byte {at}: {error}"),
            // Superseded lines do not count; an unreadable end is what a crash leaves.
            Ok(marks) => {
                let size = sizes(&marks)[0].1;
                let allowed = match at.cmp(&last_line) {
                    Ordering::Less => 8,
                    Ordering::Equal => 3,
                    Ordering::Greater => 5,
                };
                assert!(size == 8 || size == allowed, "byte {at}: {size}");
            }
        }
    }
}

#[test]
fn a_damaged_line_before_sound_ones_a_missing_file_and_another_key_are_told() {
    let fixture = Fixture::new();
    fixture.open().unwrap().record(&[fixture.head(3), Arc::new(head(&log("log.example/b"), 7, 9))]).unwrap();
    let text = fs::read_to_string(fixture.path()).unwrap();
    fs::write(fixture.path(), text.replacen("\n3 ", "\n03 ", 1).replacen("\n7 ", "\n07 ", 1)).unwrap();
    assert!(fixture.open().is_ok(), "nothing sound follows");
    fs::write(fixture.path(), format!("{text}nonsense\n{}", text.lines().last().unwrap().to_owned() + "\n"))
        .unwrap();
    assert!(matches!(fixture.open(), Err(HighWaterError::Damaged { line: 4, .. })));
    for first in ["junk\n", "", &text[..40], &text.replacen("/v1 ", "/v2 ", 1)] {
        fs::write(fixture.path(), first).unwrap();
        let opened = fixture.open();
        assert!(matches!(opened, Err(HighWaterError::Damaged { line: 1, .. })), "{first:?}: {opened:?}");
    }
    fs::write(fixture.path(), &text).unwrap();
    let other = fixture.log.verifier();
    assert!(matches!(HighWater::open(&fixture.path(), other), Err(HighWaterError::Foreign { .. })));
    fs::remove_file(fixture.path()).unwrap();
    assert!(matches!(fixture.open(), Err(HighWaterError::Missing(_))));
}

#[test]
fn a_mark_without_the_cosignature_of_the_witness_is_damage() {
    let fixture = Fixture::new();
    fixture.open().unwrap().record(&[fixture.head(3)]).unwrap();
    let text = fs::read_to_string(fixture.path()).unwrap();
    fs::write(fixture.path(), text.replacen("\n3 ", "\n2 ", 1)).unwrap();
    assert!(matches!(fixture.open(), Err(HighWaterError::Damaged { line: 2, .. })));
}

#[test]
fn a_file_that_somebody_else_touches_is_noticed() {
    let fixture = Fixture::new();
    let high_water = fixture.open().unwrap();
    let text = fs::read(fixture.path()).unwrap();
    fs::write(fixture.path(), [text.as_slice(), b"x"].concat()).unwrap();
    assert!(matches!(high_water.check_unchanged(), Err(HighWaterError::Changed(_))));
    fs::write(fixture.path(), &text).unwrap();
    high_water.check_unchanged().unwrap();
    fs::rename(fixture.path(), fixture.folder.path().join("aside")).unwrap();
    assert!(matches!(high_water.check_unchanged(), Err(HighWaterError::Changed(_))));
    fs::write(fixture.path(), &text).unwrap();
    assert!(
        matches!(high_water.check_unchanged(), Err(HighWaterError::Changed(_))),
        "another file of equal length"
    );
}

#[test]
fn a_long_file_is_replaced_by_a_short_one_that_says_the_same() {
    let fixture = Fixture::new();
    let mut high_water = fixture.open().unwrap();
    high_water.record(&[Arc::new(head(&log("log.example/b"), 7, 9))]).unwrap();
    high_water.record(&vec![fixture.head(3); 30_000]).unwrap();
    assert!(fs::metadata(fixture.path()).unwrap().len() < 1_000);
    high_water.check_unchanged().unwrap();
    assert!(matches!(fixture.open(), Err(HighWaterError::InUse(_))), "the new file is locked as well");
    high_water.record(&[fixture.head(5)]).unwrap();
    let before = sizes(high_water.marks());
    drop(high_water);
    assert_eq!(sizes(fixture.open().unwrap().marks()), before);
}
