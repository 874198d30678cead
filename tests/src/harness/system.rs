//! A log, three witnesses, and the policy that asks for two of them.

use core::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use countersign_verifier::quorum::Policy;
use tempfile::TempDir;

use super::{Log, Witness};

/// What of a system is not as usual.
#[derive(Debug, Default)]
pub struct Setup {
    /// Where the log reaches its witnesses, when not at their own addresses: what stands between them.
    pub detours: [Option<String>; 3],
    /// More flags for the log.
    pub log_flags: Vec<&'static str>,
    /// What the log may warn of.
    pub log_warnings: Vec<&'static str>,
}

/// A log that does not run yet, and its witnesses, which do.
#[derive(Debug)]
pub struct Stage {
    log: Log,
    witnesses: [Witness; 3],
    folder: TempDir,
}

/// A log with three witnesses, two of which make the quorum; all processes on this machine, in one folder.
#[derive(Debug)]
pub struct System {
    /// The log. Before the witnesses, so that it is dropped before them and misses nobody.
    pub log: Log,
    /// The witnesses.
    pub witnesses: [Witness; 3],
    policy: Policy,
    folder: TempDir,
}

/// The origin of every log under test.
pub const ORIGIN: &str = "log.example/test";
const POLICY: &str = "policy";
const LOG: &str = "log";

impl Stage {
    /// Makes a log and three witnesses, and starts the witnesses.
    pub fn set() -> Self {
        Self::set_in(&std::env::temp_dir(), &[])
    }

    /// The same, with the data of the log in a folder below `place`, which may be a disk of its own.
    pub fn set_with_log_on(place: &Path) -> Self {
        Self::put(&std::env::temp_dir(), Some(place), &[])
    }

    /// The same, below `parent`, and the witnesses cosign logs with the keys `others` as well.
    pub fn set_in(parent: &Path, others: &[&str]) -> Self {
        Self::put(parent, None, others)
    }

    fn put(parent: &Path, place: Option<&Path>, others: &[&str]) -> Self {
        let folder = temporary(parent);
        let data = place.unwrap_or(folder.path()).join(LOG);
        let log = Log::init(ORIGIN, data, folder.path().join(POLICY));
        let witnesses = [1, 2, 3].map(|number| {
            let data = folder.path().join(format!("witness-{number}"));
            let mut witness = Witness::init(&format!("w{number}.example"), data);
            witness.add_log(log.vkey());
            for other in others {
                witness.add_log(other);
            }
            witness.start();
            witness
        });
        Self { log, witnesses, folder }
    }

    /// The witnesses.
    pub const fn witnesses(&self) -> &[Witness; 3] {
        &self.witnesses
    }

    /// Starts the log.
    pub fn start(self, setup: &Setup) -> System {
        let Self { mut log, witnesses, folder } = self;
        let text = policy_text(log.vkey(), &witnesses, &setup.detours);
        std::fs::write(folder.path().join(POLICY), &text).expect("the policy can be written");
        let policy = Policy::parse(text.as_bytes()).expect("the policy is one");
        log.add_flags(&setup.log_flags);
        setup.log_warnings.iter().for_each(|warning| log.expect_warning(warning));
        log.start();
        System { log, witnesses, policy, folder }
    }
}

impl System {
    /// Starts everything, and waits until the genesis is cosigned: every test begins from a published head.
    pub fn start() -> Self {
        Self::start_with(&Setup::default())
    }

    /// The same, some of it otherwise.
    pub fn start_with(setup: &Setup) -> Self {
        let system = Stage::set().start(setup);
        system.log.published(&system.policy, 1);
        system
    }

    /// Stops everything, copies it, and starts both: one log and one set of witnesses, of which two histories can come.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        self.log.stop();
        self.witnesses.iter_mut().for_each(Witness::stop);
        let folder = temporary(&std::env::temp_dir());
        copy(self.folder(), folder.path());
        let log = self.log.on_copy(folder.path().join(LOG), folder.path().join(POLICY));
        let witnesses = [0, 1, 2].map(|at: usize| {
            let original = self.witnesses.get(at).expect("there are three");
            let name = original.data().file_name().expect("a data folder has a name");
            let mut witness = original.on_copy(folder.path().join(name));
            witness.start();
            witness
        });
        self.witnesses.iter_mut().for_each(Witness::start);
        self.log.start();
        Stage { log, witnesses, folder }.start(&Setup::default())
    }

    /// What an auditor trusts.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same, as a file.
    pub fn policy_file(&self) -> PathBuf {
        self.folder.path().join(POLICY)
    }

    /// The policy for another log that the same witnesses cosign.
    pub fn policy_text_for(&self, vkey: &str) -> String {
        policy_text(vkey, &self.witnesses, &[None, None, None])
    }

    /// A folder for what the test itself writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How many entries the newest published head has.
    #[track_caller]
    pub fn size(&self) -> u64 {
        self.log.checkpoint(&self.policy).map_or(0, |head| head.checkpoint().size.get())
    }
}

fn temporary(parent: &Path) -> TempDir {
    tempfile::Builder::new().prefix("countersign-").tempdir_in(parent).expect("a temporary folder")
}

/// Copies what is in a folder into another, with modes and links as they are.
///
/// Databases are copied while nobody has them open.
pub fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-aT").args([from, to]).status();
    assert!(
        status.as_ref().is_ok_and(ExitStatus::success),
        "cp -a {} {}: {status:?}",
        from.display(),
        to.display()
    );
}

fn policy_text(vkey: &str, witnesses: &[Witness; 3], detours: &[Option<String>; 3]) -> String {
    let mut text = format!("log {vkey}\n");
    let mut names = String::new();
    for (witness, detour) in witnesses.iter().zip(detours) {
        let url = detour.as_deref().unwrap_or(witness.url());
        let _ = writeln!(text, "witness {} {} {url}", witness.name(), witness.vkey());
        let _ = write!(names, " {}", witness.name());
    }
    let _ = writeln!(text, "group two 2{names}\nquorum two");
    text
}
