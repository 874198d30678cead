//! A small log in memory, with real signatures, that serves what it is told to, lies included.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use axum::routing::get;
use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::cosignature::{Timestamp, cosign};
use countersign_verifier::merkle::{CompactRange, LeafHash, NodeHash, NodeId, RootHash, TreeSize};
use countersign_verifier::note::{KeyName, NoteSigner};
use countersign_verifier::quorum::Policy;
use countersign_verifier::tiles::{EntryBundle, Resource};
use tower_http::compression::CompressionLayer;

pub(crate) const ORIGIN: &str = "log.example/test";
/// When the witnesses sign: 2026-11-23 09:00:00 UTC.
pub(crate) const COSIGNED_AT: u64 = 1_795_424_400;

/// A log whose every answer can be bent.
#[derive(Clone)]
pub(crate) struct TestLog(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// What the tree is made of.
    entries: Vec<Vec<u8>>,
    checkpoint: Option<Vec<u8>>,
    /// What is served in place of an entry.
    changed: Vec<(usize, Vec<u8>)>,
    /// How many bytes are cut off bundles.
    cut: usize,
    /// Whether hash tiles are served with a flipped bit.
    bad_tiles: bool,
    /// Whether partial tiles and bundles are gone where full ones exist.
    full_only: bool,
}

fn log_key() -> NoteSigner {
    NoteSigner::from_seed(KeyName::new(ORIGIN).unwrap(), false, &[1; 32])
}

fn witness_key(number: u8) -> NoteSigner {
    NoteSigner::from_seed(
        KeyName::new(&format!("witness-{number}.example")).unwrap(),
        true,
        &[10 + number; 32],
    )
}

/// Two of three witnesses.
pub(crate) fn policy_text() -> String {
    let witnesses = (0_u8..).zip(["north", "south", "west"]);
    let witnesses: Vec<String> = witnesses
        .map(|(number, name)| format!("witness {name} {}\n", witness_key(number).verifier()))
        .collect();
    let quorum = "group all-witnesses 2 north south west\nquorum all-witnesses\n";
    format!("log {}\n{}{quorum}", log_key().verifier(), witnesses.concat())
}

pub(crate) fn policy() -> Policy {
    Policy::parse(policy_text().as_bytes()).unwrap()
}

/// A head signed by a key and by the first witnesses.
pub(crate) fn head_by(key: &NoteSigner, size: u64, root: RootHash, witnesses: u8) -> Vec<u8> {
    let origin = Origin::new(key.verifier().name().as_str()).unwrap();
    let checkpoint = Checkpoint::new(origin, TreeSize::new(size).unwrap(), root);
    let note = checkpoint.sign(key);
    let mut lines = note.signatures().to_vec();
    for number in 0..witnesses {
        let time = Timestamp::new(COSIGNED_AT + u64::from(number)).unwrap();
        lines.push(cosign(&checkpoint, time, &witness_key(number)).unwrap());
    }
    note.with_signatures(lines).to_string().into_bytes()
}

/// A head of the log, whether or not it is true.
pub(crate) fn head(size: u64, root: RootHash, witnesses: u8) -> Vec<u8> {
    head_by(&log_key(), size, root, witnesses)
}

pub(crate) fn false_root() -> RootHash {
    RootHash::from_bytes([0x66; 32])
}

impl TestLog {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// A log of `count` entries that are no statements, published.
    pub(crate) fn of(count: usize) -> Self {
        let log = Self::new();
        log.grow(count);
        log.publish();
        log
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    pub(crate) fn append(&self, entry: Vec<u8>) -> u64 {
        let mut inner = self.inner();
        inner.entries.push(entry);
        u64::try_from(inner.entries.len()).unwrap() - 1
    }

    pub(crate) fn grow(&self, by: usize) {
        for _ in 0..by {
            let number = self.inner().entries.len();
            self.append(format!("entry {number}").into_bytes());
        }
    }

    pub(crate) fn root(&self, size: usize) -> RootHash {
        let mut range = CompactRange::new();
        for entry in &self.inner().entries[..size] {
            assert!(range.append(LeafHash::of(entry), |_, _| {}));
        }
        range.root()
    }

    /// Publishes all entries under a head with its quorum.
    pub(crate) fn publish(&self) {
        let size = self.inner().entries.len();
        self.publish_first(size);
    }

    pub(crate) fn publish_first(&self, size: usize) {
        let note = head(u64::try_from(size).unwrap(), self.root(size), 2);
        self.serve(note);
    }

    /// Serves these bytes as the checkpoint.
    pub(crate) fn serve(&self, note: impl Into<Vec<u8>>) {
        self.inner().checkpoint = Some(note.into());
    }

    pub(crate) fn withdraw(&self) {
        self.inner().checkpoint = None;
    }

    /// Serves other bytes for an entry than those in the tree.
    pub(crate) fn change(&self, index: usize, bytes: &[u8]) {
        self.inner().changed.push((index, bytes.to_vec()));
    }

    pub(crate) fn repent(&self) {
        let mut inner = self.inner();
        inner.changed.clear();
        (inner.cut, inner.bad_tiles) = (0, false);
    }

    pub(crate) fn cut_bundles(&self, bytes: usize) {
        self.inner().cut = bytes;
    }

    pub(crate) fn flip_tiles(&self) {
        self.inner().bad_tiles = true;
    }

    pub(crate) fn drop_partial_tiles(&self) {
        self.inner().full_only = true;
    }

    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/checkpoint", get(serve_checkpoint))
            .route("/tile/{*path}", get(serve_tile))
            .with_state(self.clone())
    }

    /// The same, always compressed, whether or not the reader said that it can read that.
    pub(crate) fn compressing_router(&self) -> Router {
        async fn ask_for_gzip(mut request: Request, next: Next) -> Response<Body> {
            request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
            next.run(request).await
        }
        self.router().layer(CompressionLayer::new()).layer(axum::middleware::from_fn(ask_for_gzip))
    }

    fn resource(&self, path: &str) -> Option<Vec<u8>> {
        let inner = self.inner();
        let resource = Resource::parse(path).ok()?;
        let width = usize::from(resource.width().get());
        match resource {
            Resource::Entries(number, _) => {
                let first = usize::try_from(number).ok()? * 256;
                let gone = inner.full_only && width < 256 && inner.entries.len() >= first + 256;
                let entries = inner.entries.get(first..first + width).filter(|_| !gone)?;
                let mut bytes = Vec::new();
                for (at, entry) in entries.iter().enumerate() {
                    let changed = inner.changed.iter().find(|(index, _)| *index == first + at);
                    EntryBundle::write_entry(changed.map_or(entry, |(_, bytes)| bytes), &mut bytes).unwrap();
                }
                bytes.truncate(bytes.len().saturating_sub(inner.cut));
                Some(bytes)
            }
            Resource::Hashes(tile, _) => {
                let height = tile.level * 8;
                let span = 1_usize << height;
                let first = usize::try_from(tile.index).ok()? * 256;
                let whole = inner.entries.len() / span;
                if whole < first + width || (inner.full_only && width < 256 && whole >= first + 256) {
                    return None;
                }
                let mut bytes = Vec::new();
                for at in first..first + width {
                    bytes.extend_from_slice(node(&inner.entries[at * span..(at + 1) * span]).as_bytes());
                }
                if let Some(byte) = bytes.first_mut().filter(|_| inner.bad_tiles) {
                    *byte ^= 1;
                }
                Some(bytes)
            }
        }
    }
}

/// The hash over a complete subtree.
fn node(entries: &[Vec<u8>]) -> NodeHash {
    let mut top = None;
    let mut range = CompactRange::new();
    let mut highest = 0;
    for entry in entries {
        assert!(range.append(LeafHash::of(entry), |id: NodeId, hash| {
            if id.height >= highest {
                (highest, top) = (id.height, Some(hash));
            }
        }));
    }
    top.unwrap()
}

async fn serve_checkpoint(State(log): State<TestLog>) -> Result<Vec<u8>, StatusCode> {
    log.inner().checkpoint.clone().ok_or(StatusCode::NOT_FOUND)
}

async fn serve_tile(State(log): State<TestLog>, Path(path): Path<String>) -> Result<Vec<u8>, StatusCode> {
    log.resource(&format!("tile/{path}")).ok_or(StatusCode::NOT_FOUND)
}
