//! A log that can lie, a witness in this process or in one of its own, and a client.

mod client;
mod log;
mod process;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub(crate) use client::{Answer, Client};
use countersign_serving::{Bounds, Door, Observer, Proxies};
use countersign_verifier::cosignature::Timestamp;
use countersign_verifier::note::{KeyName, NoteSigner, VerifierKey};
use countersign_witness::clock::Clock;
use countersign_witness::http;
use countersign_witness::roster::{self, Entry};
use countersign_witness::{Folder, Witness};
pub(crate) use log::{Log, line, named_line, request};
pub(crate) use process::{Process, output};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// The time at which the published vectors were made.
pub(crate) const VECTOR_TIME: u64 = 1_767_225_600;

/// The key of the first witness of the published vectors.
pub(crate) fn w1() -> NoteSigner {
    NoteSigner::from_seed(KeyName::new("w1.example").unwrap(), true, &[2; 32])
}

/// The published vectors.
pub(crate) fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/c2sp")
}

/// A clock that stands where it is put.
#[derive(Debug)]
pub(crate) struct FixedClock(AtomicU64);

impl FixedClock {
    pub(crate) fn at(time: u64) -> Arc<Self> {
        Arc::new(Self(time.into()))
    }

    pub(crate) fn put(&self, time: u64) {
        self.0.store(time, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Option<Timestamp> {
        Timestamp::new(self.0.load(Ordering::SeqCst))
    }

    fn running(&self) -> Duration {
        Duration::ZERO
    }
}

/// A witness served by this process on a real socket, which watches some logs.
pub(crate) struct Served {
    pub(crate) client: Client,
    pub(crate) key: VerifierKey,
    pub(crate) folder: Folder,
    witness: Arc<Witness>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<tokio::task::JoinHandle<()>>,
    _temporary: tempfile::TempDir,
}

impl Served {
    pub(crate) async fn start(clock: Arc<dyn Clock>, logs: &[&Log]) -> Self {
        Self::within(http::BOUNDS, http::PATIENCE, clock, logs).await
    }

    pub(crate) async fn within(
        bounds: Bounds,
        patience: Duration,
        clock: Arc<dyn Clock>,
        logs: &[&Log],
    ) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::new(temporary.path().join("witness"), None);
        folder.init_with(&w1()).unwrap();
        let key = w1().verifier().clone();
        let entries = logs.iter().map(|log| entry(log)).collect();
        roster::add(&folder.logs(), &key, entries, false).unwrap();
        let witness = Arc::new(Witness::open(&folder, clock).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(&format!("http://{}", listener.local_addr().unwrap()));
        let (stop, stopped) = oneshot::channel();
        let observer = Observer::new(0, None, Proxies::default());
        let router = http::router(Arc::clone(&witness), patience, observer);
        let serving = Door::on(listener, bounds).unwrap().serve(router, async {
            let _ = stopped.await;
        });
        let task = Some(tokio::spawn(serving));
        Self { client, key, folder, witness, stop: Some(stop), task, _temporary: temporary }
    }

    /// Stops in good order.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.task.take().unwrap().await.unwrap();
        self.witness.close();
    }
}

/// A log as an operator adds it.
pub(crate) fn entry(log: &Log) -> Entry {
    Entry { key: log.key().clone(), origin: log.origin().clone(), per_day: None, contact: None }
}
