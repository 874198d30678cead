//! A log process and its data.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_verifier::note::SignedNote;
use countersign_verifier::quorum::{Policy, VerifiedCheckpoint};

use super::witness::{ANY_PORT, path};
use super::{Process, Program, get, run};

/// A log, running or not.
#[derive(Debug)]
pub struct Log {
    vkey: String,
    data: PathBuf,
    policy_file: PathBuf,
    listen: String,
    url: String,
    flags: Vec<String>,
    filter: &'static str,
    process: Option<Process>,
    expected: Vec<String>,
}

impl Log {
    /// Makes a new log, not running, whose witness file will be at `policy`.
    pub fn init(origin: &str, data: PathBuf, policy_file: PathBuf) -> Self {
        let ran = run(Program::Log, ["init", "--data", path(&data), "--origin", origin]);
        let vkey = ran.holds().to_owned();
        assert!(vkey.starts_with(&format!("{origin}+")), "init prints the vkey alone: {ran:?}");
        Self {
            vkey,
            data,
            policy_file,
            listen: ANY_PORT.to_owned(),
            url: String::new(),
            flags: Vec::new(),
            filter: "info",
            process: None,
            expected: Vec::new(),
        }
    }

    /// The same log, not running, on a copy of its data.
    #[must_use]
    pub fn on_copy(&self, data: PathBuf, policy_file: PathBuf) -> Self {
        Self {
            vkey: self.vkey.clone(),
            data,
            policy_file,
            listen: ANY_PORT.into(),
            url: String::new(),
            flags: Vec::new(),
            filter: "info",
            process: None,
            expected: Vec::new(),
        }
    }

    /// Starts it, the second time on the port that it had before.
    pub fn start(&mut self) {
        let mut process =
            Process::start_logging(self.filter, Program::Log, self.serve_args(), "log", &self.expected);
        self.url = process.url().unwrap_or_else(|why| panic!("{why}"));
        self.listen = self.url.trim_start_matches("http://").to_owned();
        self.process = Some(process);
    }

    /// The arguments that it is started with.
    pub fn serve_args(&self) -> Vec<String> {
        let (data, policy) = (path(&self.data), path(&self.policy_file));
        let serve = ["serve", "--data", data, "--listen", &self.listen, "--witnesses", policy];
        serve.iter().map(ToString::to_string).chain(self.flags.iter().cloned()).collect()
    }

    /// From its next start on, it gets these flags as well.
    pub fn add_flags(&mut self, flags: &[&str]) {
        self.flags.extend(flags.iter().map(ToString::to_string));
    }

    /// From its next start on, it writes as much as this `RUST_LOG` says.
    pub fn log_as(&mut self, rust_log: &'static str) {
        self.filter = rust_log;
    }

    /// From its next start on, lines with `text` in them may warn.
    pub fn expect_warning(&mut self, text: &str) {
        self.expected.push(text.to_owned());
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.process.take().expect("it runs").kill();
    }

    /// Asks it to stop, and expects that it does so in good order.
    pub fn stop(&mut self) {
        let status = self.process.take().expect("it runs").terminate();
        assert_eq!(status.code(), Some(0), "the log after SIGTERM");
    }

    /// The number under which the system knows it, while it runs.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// Its public key.
    pub fn vkey(&self) -> &str {
        &self.vkey
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where it answers, or answered last.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What it has written since its last start.
    pub fn output(&self) -> String {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }

    /// The newest published head, which has to satisfy `policy`; `None` when there is none yet.
    #[track_caller]
    pub fn checkpoint(&self, policy: &Policy) -> Option<VerifiedCheckpoint> {
        let answer = get(&self.url, "/checkpoint");
        if answer.status.as_u16() == 404 {
            return None;
        }
        assert_eq!(answer.status.as_u16(), 200, "GET /checkpoint");
        let note = SignedNote::parse(&answer.body).expect("a checkpoint is a signed note");
        Some(policy.verify(&note).expect("what /checkpoint serves has its quorum"))
    }

    /// Waits until the published head has at least `size` entries.
    #[track_caller]
    pub fn published(&self, policy: &Policy, size: u64) -> VerifiedCheckpoint {
        let deadline = Instant::now().checked_add(Duration::from_secs(30)).expect("the clock has room");
        loop {
            match self.checkpoint(policy) {
                Some(head) if head.checkpoint().size.get() >= size => return head,
                _ if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
                head => panic!("no head of {size} entries is published, the newest is {head:?}"),
            }
        }
    }
}
