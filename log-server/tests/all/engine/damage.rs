//! Files of the database that are not what was written: the reads that meet the damage fail and stop the signing, no read
//! gives wrong bytes, and all others go on.

use std::path::{Path, PathBuf};

use countersign_log::log::{Atomicity, Log, OpenError, ProofError, ReadError, SubmitError};
use countersign_log::store::StoreError;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, TreeSize};
use countersign_verifier::program::Exit;
use countersign_verifier::tiles::{TileId, TileWidth};

use super::desk::{Founded, config, enter, found};
use super::store::{flip, raw};

const POLICY: &str = "quorum none\n";

/// What can be read of a log.
struct Contents {
    size: TreeSize,
    entries: Vec<Vec<u8>>,
    tile: Vec<u8>,
    proofs: Vec<Vec<NodeHash>>,
}

/// What a reader met.
#[derive(Default)]
struct Met {
    sound: usize,
    damaged: usize,
}

impl Contents {
    fn read(log: &Log) -> Self {
        let size = log.sequenced_head().checkpoint.size;
        let indexes = (0..size.get()).map(|index| LeafIndex::new(index).unwrap());
        let entries = indexes.clone().map(|index| log.entry(index).unwrap().unwrap()).collect();
        let proofs = indexes.map(|index| log.inclusion_proof(index, size).unwrap()).collect();
        Self { size, entries, tile: tile(log).unwrap(), proofs }
    }

    /// Reads all of it again: every answer is what it was, or says that there is damage.
    fn compare(&self, log: &Log) -> Met {
        let mut met = Met::default();
        for (index, entry) in (0..).map(|index| LeafIndex::new(index).unwrap()).zip(&self.entries) {
            met.hear(log.entry(index).map(Option::unwrap), entry);
            let proof = log.inclusion_proof(index, self.size).map_err(|error| match error {
                ProofError::Read(error) => error,
                ProofError::Impossible(error) => panic!("{error}"),
            });
            met.hear(proof, &self.proofs[usize::try_from(index.get()).unwrap()]);
        }
        met.hear(tile(log), &self.tile);
        met
    }
}

impl Met {
    fn hear<T: PartialEq + std::fmt::Debug>(&mut self, read: Result<T, ReadError>, expected: &T) {
        match read {
            Ok(read) => {
                assert_eq!(read, *expected);
                self.sound += 1;
            }
            Err(error) => {
                assert!(error.is_damage(), "{error}");
                self.damaged += 1;
            }
        }
    }
}

fn tile(log: &Log) -> Result<Vec<u8>, ReadError> {
    Ok(log.tile(TileId { level: 0, index: 0 }, TileWidth::new(256).unwrap())?.unwrap())
}

/// A log with a full tile, everything of which is in files of the database.
async fn grown() -> (Founded, Contents) {
    let founded = found().await;
    let log = founded.open(POLICY).await;
    for _ in 0..5 {
        let statements = (0..100).map(|_| founded.desk.intent("run/1")).collect();
        log.submit(statements, Atomicity::Each).await.unwrap();
    }
    let contents = Contents::read(&log);
    // An older published head would have a start read tiles as well.
    log.wait_cosigned(contents.size, super::quorum::soon()).await.unwrap();
    log.shutdown().await;
    drop(log);
    // A start writes what it replays into files.
    founded.open(POLICY).await.shutdown().await;
    (founded, contents)
}

fn files(data: &Path, extension: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(data.join("db")).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|end| end == extension)).collect()
}

pub(super) async fn assert_damage_is_told(log: &Log) {
    let reason = log.stopped().expect("the log stops");
    assert_eq!(reason.code(), "store-damaged");
    let reasons = log.readiness().unwrap_err();
    assert_eq!(reasons[0].code, "store-damaged");
    assert!(reasons[0].remedy.contains("fsck") && reasons[0].remedy.contains("backup"), "{reasons:?}");
    let refused = log.submit(vec![super::desk::Desk::new(9).intent("run/9")], Atomicity::Each).await;
    assert!(matches!(refused, Err(SubmitError::Stopped(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_a_file_is_found_stops_the_signing_and_spoils_no_other_read() {
    let (founded, contents) = grown().await;
    let (mut refused, mut stopped, mut partly) = (0, 0, 0);
    for path in files(founded.path(), "sst") {
        for part in 1..6 {
            let copy = founded.copy();
            let path = copy.path().join("db").join(path.file_name().unwrap());
            let mut bytes = std::fs::read(&path).unwrap();
            let at = bytes.len() * part / 6;
            bytes[at] ^= 0x10;
            std::fs::write(&path, bytes).unwrap();
            match Log::open(config(copy.path(), POLICY)).await {
                Ok(log) => {
                    let met = contents.compare(&log);
                    if met.damaged > 0 {
                        assert_damage_is_told(&log).await;
                        stopped += 1;
                        partly += usize::from(met.sound > 0);
                    }
                    log.shutdown().await;
                }
                Err(error) => {
                    assert_eq!(error.exit(), Exit::StateDamaged, "{error}");
                    assert!(error.remedy().contains("backup"));
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 0 && stopped > 3 && partly > 3, "{refused} {stopped} {partly}");
    let log = founded.open(POLICY).await;
    assert_eq!(contents.compare(&log).damaged, 0);
    enter(&log, founded.desk.intent("run/2")).await;
    log.shutdown().await;
}

type Read<'a> = &'a dyn Fn(&Log) -> Result<(), ReadError>;

/// The checksums of the database hold for what somebody wrote, whatever it is: only the tree tells that it is not what was
/// signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_written_over_is_not_served_as_what_was_signed() {
    let (founded, contents) = grown().await;
    let entry = contents.entries[300].clone();
    let id = LeafHash::of(&entry);
    let (row, zero) = (300_u64.to_be_bytes(), 0_u64.to_be_bytes());
    let index = LeafIndex::new(300).unwrap();
    let bundle = |log: &Log, index: u64, width: u16| {
        log.entry_bundle(index, TileWidth::new(width).unwrap()).map(Option::unwrap)
    };
    let (in_tile, in_edge): (&[Read<'_>], &[Read<'_>]) = (
        &[&|log| log.entry(LeafIndex::new(0).unwrap()).map(drop), &|log| bundle(log, 0, 256).map(drop)],
        &[&|log| log.entry(index).map(drop), &|log| bundle(log, 1, 100).map(drop)],
    );
    let tile_row = [&[0_u8][..], &zero].concat();
    let of_tile: &[Read<'_>] = &[
        &|log| tile(log).map(drop),
        &|log| log.entry(LeafIndex::new(7).unwrap()).map(drop),
        &|log| bundle(log, 0, 3).map(drop),
        &|log| match log.inclusion_proof(LeafIndex::new(200).unwrap(), contents.size) {
            Err(ProofError::Read(error)) => Err(error),
            proof => panic!("{proof:?}"),
        },
    ];
    let of_id: &[Read<'_>] = &[&|log| log.entry_index(&id).map(drop)];
    let cases: [(&str, &[u8], usize, &[Read<'_>]); 5] = [
        ("entries", &zero, 40, in_tile),
        ("entries", &row, 40, in_edge),
        ("tiles", &tile_row, 1, of_tile),
        ("tiles", &tile_row, 8191, of_tile),
        ("ids", id.as_bytes(), 7, of_id),
    ];
    for (family, key, at, reads) in cases {
        for read in reads {
            let copy = founded.copy();
            flip(&raw(copy.path()), family, key, at);
            let log = Log::open(config(copy.path(), POLICY)).await.unwrap();
            // What has nothing to do with it is sound.
            assert_eq!(
                log.entry(LeafIndex::new(301).unwrap()).unwrap().as_ref(),
                Some(&contents.entries[301])
            );
            assert!(log.stopped().is_none());
            let error = read(&log).unwrap_err();
            assert!(matches!(error, ReadError::DamagedRow { row } if row == family), "{family}: {error}");
            assert_damage_is_told(&log).await;
            assert!(contents.compare(&log).sound > 200, "reads go on");
            log.shutdown().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_told_and_nothing_is_made_in_its_place() {
    let (founded, contents) = grown().await;
    let database = founded.path().join("db");
    let mut names: Vec<PathBuf> = files(founded.path(), "sst");
    names.extend(std::fs::read_dir(&database).unwrap().map(|file| file.unwrap().path()).filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name == "CURRENT" || name.starts_with("MANIFEST-")
    }));
    assert!(names.len() > 3, "{names:?}");
    for path in names {
        // What a start that is refused leaves behind must not count.
        let copy = founded.copy();
        let name = path.file_name().unwrap();
        std::fs::remove_file(copy.path().join("db").join(name)).unwrap();
        let error = Log::open(config(copy.path(), POLICY)).await.unwrap_err();
        assert_eq!(error.exit(), Exit::StateDamaged, "{}: {error}", path.display());
        assert!(error.remedy().contains("backup"), "{}: {error}: {}", path.display(), error.remedy());
        std::fs::copy(&path, copy.path().join("db").join(name)).unwrap();
        let log = Log::open(config(copy.path(), POLICY)).await.unwrap();
        assert_eq!(contents.compare(&log).damaged, 0, "{}", path.display());
        log.shutdown().await;
    }
    // A folder without a database has none to restore.
    std::fs::remove_dir_all(&database).unwrap();
    let error = Log::open(founded.config(POLICY)).await.unwrap_err();
    assert!(matches!(error, OpenError::Store(StoreError::Missing(_))), "{error}");
}
