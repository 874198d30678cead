//! A log and a witness in this process, both on one forgetful disk.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_log::log::{Atomicity, Log, LogConfig, SubmitError};
use countersign_serving::{Bounds, Door, Observer, Proxies};
use countersign_tests::clock;
use countersign_tests::forgetful_disk::{Dice, Disk};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::note::{KeyName, VerifierKey};
use countersign_verifier::program::keyfile;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::{Kind, Subject, VerifiedStatement};
use countersign_witness::clock::SystemClock;
use countersign_witness::folder::FolderError;
use countersign_witness::http;
use countersign_witness::ledger::{HighWaterError, LedgerError};
use countersign_witness::roster::{self, Entry};
use countersign_witness::witness::StartError;
use countersign_witness::{Folder, Shown, Witness};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};

use super::truth::Truth;

/// Longer than anything takes that is not broken.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn origin() -> Origin {
    Origin::new("log.example/disk").unwrap()
}

/// A log and a witness on one disk, and what they said.
pub(super) struct World {
    pub(super) disk: Disk,
    key: VerifierKey,
    witness_key: VerifierKey,
    issuer: Issuer,
    pub(super) truth: Arc<Mutex<Truth>>,
}

/// Both at work.
pub(super) struct Running {
    pub(super) log: Arc<Log>,
    pub(super) witness: Arc<Witness>,
    served: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl World {
    /// Founds a log and a witness, and registers an issuer. All of that is durable.
    pub(super) async fn found(disk: Disk) -> Self {
        let origin = origin();
        let data = disk.path().join("log");
        let key = Log::create(&data, &origin, clock::now()).unwrap();
        let folder = Folder::new(disk.path().join("witness"), None);
        let witness_key = folder.init(&KeyName::new("w.example").unwrap()).unwrap();
        let entry = Entry { key: key.clone(), origin, per_day: None, contact: None };
        roster::add(&folder.logs(), &witness_key, vec![entry], false).unwrap();
        let issuer = Issuer::generate("desk".parse().unwrap()).unwrap();
        let world = Self { disk, key, witness_key, issuer, truth: Arc::default() };
        let running = world.open().await.unwrap();
        let registration = world.registration();
        running.submit(&world, vec![registration]).await.unwrap();
        running.close().await;
        world
    }

    pub(super) fn data(&self) -> PathBuf {
        self.disk.path().join("log")
    }

    pub(super) fn folder(&self) -> Folder {
        Folder::new(self.disk.path().join("witness"), None)
    }

    fn registration(&self) -> VerifiedStatement {
        use base64::Engine as _;
        let public_key =
            base64::engine::general_purpose::STANDARD.encode(self.issuer.public_key().as_bytes());
        let roles = ["author", "requester", "authority", "enforcer", "overseer"];
        let payload = json!({"name": "desk", "public_key": public_key, "roles": roles, "status": "active"});
        let operator = keyfile::read_signing_key(&self.data().join("operator.pem")).unwrap();
        let operator = Issuer::new("operator".parse().unwrap(), operator);
        let claims = operator.claims(Subject::Issuer("desk".parse().unwrap())).unwrap();
        operator.sign(Kind::Issuer, claims, payload).unwrap()
    }

    /// An intent, and now and then one that closes its execution.
    pub(super) fn statement(&self, number: u64) -> VerifiedStatement {
        let execution =
            format!("run/{number}-{}", u64::from_be_bytes(countersign_tests::statements::random().unwrap()));
        let execution = execution.parse().unwrap();
        let (kind, payload) = if number.is_multiple_of(5) {
            (Kind::Close, json!({"entries": 1}))
        } else {
            (Kind::Intent, Value::Object(request()))
        };
        self.issuer.state(kind, &execution, None, payload).unwrap()
    }

    /// Opens the witness, once nobody holds its folder. Where another test starts a process at the moment at which a
    /// witness is closed, that process has the file and its lock as well, until it becomes another program.
    async fn witness(&self) -> Result<Witness, StartError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match Witness::open(&self.folder(), Arc::new(SystemClock::start())) {
                Err(error) if is_in_use(&error) && Instant::now() < until => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                opened => return opened,
            }
        }
    }

    /// Opens both. It fails only when the disk does.
    pub(super) async fn open(&self) -> Result<Running, String> {
        let witness = self.witness().await.map_err(|error| format!("the witness: {error}"))?;
        let witness = Arc::new(witness);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let observer = Observer::new(0, None, Proxies::default());
        let router = http::router(Arc::clone(&witness), http::PATIENCE, observer);
        let bounds = Bounds { farewell: Duration::from_millis(200), ..http::BOUNDS };
        let served = tokio::spawn(Door::on(listener, bounds).unwrap().serve(router, async {
            let _ = stopped.await;
        }));
        let policy = format!("log {}\nwitness w {} http://{address}\nquorum w\n", self.key, self.witness_key);
        let mut config = LogConfig::new(self.data(), Policy::parse(policy.as_bytes()).unwrap());
        config.witnessing.max_backoff = Duration::from_millis(50);
        match Log::open(config).await {
            Ok(log) => Ok(Running { log, witness, served, stop }),
            Err(error) => {
                let _ = stop.send(());
                served.await.unwrap();
                witness.close();
                let causes = countersign_verifier::causes::with_causes(&error);
                Err(format!("the log: {causes}"))
            }
        }
    }

    /// Works until the log stops, or for `time`.
    pub(super) async fn load(self: &Arc<Self>, running: &Running, time: Duration, dice: &mut Dice) {
        let until = Instant::now() + time;
        let mut writers = JoinSet::new();
        for _ in 0..3 {
            let (world, log, mut dice) = (Arc::clone(self), Arc::clone(&running.log), Dice::new(dice.roll()));
            writers.spawn(async move {
                while Instant::now() < until {
                    let count = 1 + dice.below(9);
                    let statements: Vec<_> = (0..count).map(|_| world.statement(dice.roll())).collect();
                    if submit(&log, &world, statements).await.is_err() {
                        return;
                    }
                }
            });
        }
        let (world, log) = (Arc::clone(self), Arc::clone(&running.log));
        let mut published = log.published();
        let reader = tokio::spawn(async move {
            while published.changed().await.is_ok() {
                let head = published.borrow_and_update().clone().unwrap();
                world.truth.lock().unwrap().published(&log, &head);
            }
        });
        writers.join_all().await;
        reader.abort();
        let _ = reader.await;
    }

    /// Opens both, holds everything against what was ever said, goes on, and closes them.
    pub(super) async fn check(&self) {
        let running = self.open().await.unwrap();
        let (log, truth) = (&running.log, &self.truth);
        match running.witness.latest(&origin()) {
            Some(Shown::Head(head)) => truth.lock().unwrap().witnessed(head.note(), log.policy()),
            None => {}
            Some(Shown::RolledBack(rollback)) => panic!("{rollback}"),
        }
        truth.lock().unwrap().check(log);
        assert!(running.witness.faults().is_empty(), "{:?}", running.witness.faults());
        let mut taken = std::mem::take(&mut *truth.lock().unwrap());
        taken.submit_again(log).await;
        *truth.lock().unwrap() = taken;
        running.submit(self, vec![self.statement(1)]).await.unwrap();
        let size = log.sequenced_head().checkpoint.size;
        let published = log.wait_cosigned(size, Instant::now() + PATIENCE).await.unwrap();
        truth.lock().unwrap().published(log, &published);
        truth.lock().unwrap().check(log);
        running.close().await;
    }
}

async fn submit(log: &Log, world: &World, statements: Vec<VerifiedStatement>) -> Result<(), SubmitError> {
    match timeout(PATIENCE, log.submit(statements.clone(), Atomicity::Each)).await.expect("an answer") {
        Ok(results) => {
            let mut truth = world.truth.lock().unwrap();
            truth.sequenced(&log.sequenced_head());
            for (statement, result) in statements.iter().zip(results) {
                truth.entry(result.unwrap().index, statement);
            }
            Ok(())
        }
        Err(error) => {
            world.truth.lock().unwrap().unanswered(statements);
            Err(error)
        }
    }
}

impl Running {
    pub(super) async fn submit(
        &self,
        world: &World,
        statements: Vec<VerifiedStatement>,
    ) -> Result<(), SubmitError> {
        submit(&self.log, world, statements).await
    }

    /// Closes both, as well as they can be.
    pub(super) async fn close(self) {
        timeout(PATIENCE, self.log.shutdown()).await.expect("the log ends");
        drop(self.log);
        let _ = self.stop.send(());
        timeout(PATIENCE, self.served).await.expect("the witness ends").unwrap();
        // A connection that was cut off may hold it for a moment longer, and with it the lock on its folder.
        let (mut witness, until) = (self.witness, Instant::now() + PATIENCE);
        while let Err(held) = Arc::try_unwrap(witness).map(|witness| witness.close()) {
            assert!(Instant::now() < until, "somebody holds the witness");
            tokio::time::sleep(Duration::from_millis(1)).await;
            witness = held;
        }
    }
}

fn is_in_use(error: &StartError) -> bool {
    matches!(
        error,
        StartError::Folder(FolderError::InUse(_))
            | StartError::Ledger(LedgerError::HighWater(HighWaterError::InUse(_)))
    )
}
