//! The logs that are measured.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_verifier::program::keyfile;

use super::BenchError;
use super::rows::On;
use crate::harness::{Log, Process, Setup, Stage, System, register};

/// The issuers that every log of ours knows: who loads it, who wants little, who floods it.
pub(super) const ISSUERS: [&str; 3] = ["hammer", "modest", "flood"];

/// The servers of Tessera, where there are any.
#[derive(Debug, Clone, Default)]
pub struct Tessera {
    /// Its own, `cmd/conformance/posix`.
    pub conformance: Option<PathBuf>,
    /// The one of `tests/bench/tessera`.
    pub tuned: Option<PathBuf>,
}

/// A log to be measured, and how.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Which it is.
    pub on: On,
    /// What it is called in the table.
    pub name: String,
    /// Where it answers.
    pub url: String,
    /// What to trust.
    pub policy: PathBuf,
    /// Where its data lies.
    pub data: PathBuf,
    /// Its processes, as `countersign-hammer --process` takes them.
    pub processes: Vec<String>,
    /// Where the keys of the issuers lie.
    pub keys: PathBuf,
}

/// Our log with its witnesses, and beside it whatever else there is, all running.
#[derive(Debug)]
pub struct Stand {
    /// In the order in which they take turns.
    pub subjects: Vec<Subject>,
    system: System,
    _others: Vec<Process>,
    _folder: tempfile::TempDir,
}

/// The connections that our log may have at once. Its default is for logs on the open network; overload is made with
/// thousands.
const CONNECTIONS: &str = "8192";

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// A log of Tessera that does not run yet.
struct Other {
    program: PathBuf,
    data: PathBuf,
    log: Log,
}

impl Stand {
    /// Starts everything below the folder `data`.
    pub fn start(data: &Path, tessera: &Tessera, name: &str) -> Result<Self, BenchError> {
        let folder = tempfile::Builder::new().prefix("countersign-bench-").tempdir_in(data);
        let folder = folder.map_err(BenchError::file(data))?;
        let other = |program: &Option<PathBuf>, name: &str| {
            let program = program.clone()?;
            let data = folder.path().join(name);
            let keys = folder.path().join(format!("{name}-key"));
            // A note key is a note key: ours are made the same way.
            let log = Log::init(&format!("{name}.example/bench"), keys, PathBuf::new());
            Some(Other { program, data, log })
        };
        let conformance = other(&tessera.conformance, "tessera-default");
        let tuned = other(&tessera.tuned, "tessera-tuned");
        let vkeys: Vec<&str> = tuned.iter().map(|other| other.log.vkey()).collect();
        let stage = Stage::set_in(folder.path(), &vkeys);
        let system = stage.start(&Setup {
            log_flags: vec!["--no-explorer", "--max-connections", CONNECTIONS],
            ..Setup::default()
        });
        system.log.published(system.policy(), 1);
        let mut subjects = vec![ours(&system, name)?];
        let mut others = Vec::new();
        if let Some(other) = tuned {
            let policy = folder.path().join("tessera-tuned-policy");
            let text = system.policy_text_for(other.log.vkey());
            std::fs::write(&policy, text).map_err(BenchError::file(&policy))?;
            let witnesses = ["--witnesses", text_of(&policy)];
            let (subject, process) = other.start(&system, On::TesseraTuned, &witnesses, &policy);
            subjects.push(subject);
            others.push(process);
        }
        if let Some(other) = conformance {
            let policy = folder.path().join("tessera-default-policy");
            let text = format!("log {}\nquorum none\n", other.log.vkey());
            std::fs::write(&policy, text).map_err(BenchError::file(&policy))?;
            let (subject, process) = other.start(&system, On::TesseraDefault, &[], &policy);
            subjects.push(subject);
            others.push(process);
        }
        Ok(Self { subjects, system, _others: others, _folder: folder })
    }

    /// Our log.
    pub fn ours(&self) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.on == On::Countersign)
    }

    /// Stops our log and starts it again; returns how long it took until it could take requests.
    pub fn restart(&mut self) -> Duration {
        self.system.log.stop();
        let begun = Instant::now();
        self.system.log.start();
        let took = begun.elapsed();
        let processes = processes(&self.system);
        let ours = self.subjects.iter_mut().filter(|subject| subject.on == On::Countersign);
        ours.for_each(|subject| subject.processes.clone_from(&processes));
        took
    }

    /// How many entries our log has published.
    pub fn size(&self) -> u64 {
        self.system.size()
    }
}

fn ours(system: &System, name: &str) -> Result<Subject, BenchError> {
    for issuer in ISSUERS {
        let key = system.folder().join(format!("{issuer}.pem"));
        keyfile::write_signing_key(&key, register(system, issuer, &["requester"]).key())
            .map_err(|error| BenchError::File { path: key, source: std::io::Error::other(error) })?;
    }
    Ok(Subject {
        on: On::Countersign,
        name: name.to_owned(),
        url: system.log.url().to_owned(),
        policy: system.policy_file(),
        data: system.log.data().to_owned(),
        processes: processes(system),
        keys: system.folder().to_owned(),
    })
}

fn processes(system: &System) -> Vec<String> {
    let [one, two, three] =
        [0, 1, 2].map(|at| system.witnesses.get(at).map_or(0, crate::harness::Witness::id));
    vec![format!("log={}", system.log.id()), format!("witnesses={one},{two},{three}")]
}

impl Other {
    fn start(self, system: &System, on: On, more: &[&str], policy: &Path) -> (Subject, Process) {
        let name = on.name();
        let key = self.log.data().join("log.key");
        let listen = free_address();
        let (data, key) = (text_of(&self.data), text_of(&key));
        let args = ["--storage_dir", data, "--private_key", key, "--listen", &listen];
        let process = Process::start_other(&self.program, args.iter().chain(more), name);
        wait_for(&listen);
        let subject = Subject {
            on,
            name: name.to_owned(),
            url: format!("http://{listen}"),
            policy: policy.to_owned(),
            processes: vec![format!("log={}", process.id())],
            // It asks for no signature, but what it gets are the same statements as ours.
            keys: system.folder().to_owned(),
            data: self.data,
        };
        (subject, process)
    }
}

/// An address that nobody listens on, for programs that do not say which one the system chose.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("the system has a port left");
    listener.local_addr().expect("a listener has an address").to_string()
}

fn wait_for(address: &str) {
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        assert!(begun.elapsed() < PATIENCE, "nobody listens at {address} after {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("folders of measurements have plain names")
}
