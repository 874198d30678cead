//! Running a cleared command: without a shell, its output passed on byte for byte and hashed on the way.

use std::io::{ErrorKind, PipeReader, Read as _, Write};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_verifier::statement::payload::Outcome;
use countersign_verifier::statement::{Material, OutcomeStatus, Sha256Digest, UnixSeconds};
use rustix::process::{Pid, Signal, getpgrp, kill_process};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::enforcement::Cleared;
use crate::exact::{ExactCommand, canonical_digest};

/// How much is read of a stream at once.
const CHUNK: usize = 64 * 1024;

/// Why a command could not be run. Nothing ran.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The signals that end programs cannot be caught.
    #[error("signals cannot be caught")]
    Signals(#[source] std::io::Error),
    /// The program cannot be started.
    #[error("the program cannot be started")]
    Spawn(#[source] std::io::Error),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(i32),
    /// How cannot be told.
    Unknown,
}

impl Ended {
    /// The exit code that says the same to a shell.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => u8::try_from(signal.saturating_add(128)).unwrap_or(u8::MAX),
            Self::Unknown => u8::MAX,
        }
    }
}

/// What was seen of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// The digest of what was read.
    pub sha256: Sha256Digest,
    /// How many bytes that is.
    pub bytes: u64,
    /// Whether that is all: not, when nobody read on behind the gate, or when it was told to stop waiting.
    pub complete: bool,
}

/// A command that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ran {
    /// When it was started.
    pub started_at: UnixSeconds,
    /// When it had ended.
    pub finished_at: UnixSeconds,
    /// How.
    pub ended: Ended,
    /// Its standard output.
    pub stdout: Stream,
    /// Its standard error.
    pub stderr: Stream,
}

impl Ran {
    /// SHA-256 over the RFC 8785 form of `{"exit_code": n, "stderr": {"sha256": ..}, "stdout": {"sha256": ..}}`, with
    /// `"signal": n` in place of the exit code when a signal ended it.
    pub fn result_digest(&self) -> Option<Sha256Digest> {
        let mut result: Map<String, Value> = [("stdout", &self.stdout), ("stderr", &self.stderr)]
            .into_iter()
            .map(|(name, stream)| {
                (name.to_owned(), json!({ "sha256": hex::encode(stream.sha256.as_bytes()) }))
            })
            .collect();
        match self.ended {
            Ended::Code(code) => drop(result.insert("exit_code".to_owned(), code.into())),
            Ended::Signal(signal) => drop(result.insert("signal".to_owned(), signal.into())),
            Ended::Unknown => {}
        }
        canonical_digest(&Value::Object(result))
    }

    /// What the enforcer states of it.
    pub fn outcome(&self) -> Outcome {
        Outcome {
            status: if self.ended == Ended::Code(0) {
                OutcomeStatus::Confirmed
            } else {
                OutcomeStatus::Failed
            },
            started_at: Some(self.started_at),
            finished_at: Some(self.finished_at),
            exit_code: match self.ended {
                Ended::Code(code) => Some(code.into()),
                Ended::Signal(_) | Ended::Unknown => None,
            },
            result_digest: self.result_digest(),
            details: Some(Material::Disclosed(self.details())),
        }
    }

    /// What an outcome says beyond its own members.
    pub fn details(&self) -> Map<String, Value> {
        let stream = |stream: &Stream| {
            json!({
                "bytes": stream.bytes,
                "complete": stream.complete,
                "sha256": hex::encode(stream.sha256.as_bytes()),
            })
        };
        let mut details = Map::new();
        details.insert("stdout".to_owned(), stream(&self.stdout));
        details.insert("stderr".to_owned(), stream(&self.stderr));
        if let Ended::Signal(signal) = self.ended {
            details.insert("signal".to_owned(), signal.into());
        }
        details
    }
}

/// Runs a command to its end. The signals that end programs go to the command; the gate stays to record what became
/// of it.
///
/// The end is when the program has ended and nobody holds its output open any more. A signal after the program's own
/// end cuts that waiting short.
pub async fn execute(cleared: Cleared, clock: &Clock) -> Result<Ran, ExecuteError> {
    let mut signals = Signals::catch().map_err(ExecuteError::Signals)?;
    let (from_stdout, to_stdout) = std::io::pipe().map_err(ExecuteError::Spawn)?;
    let (from_stderr, to_stderr) = std::io::pipe().map_err(ExecuteError::Spawn)?;
    let mut stdout = Pump::start(from_stdout, std::io::stdout()).map_err(ExecuteError::Spawn)?;
    let mut stderr = Pump::start(from_stderr, std::io::stderr()).map_err(ExecuteError::Spawn)?;
    let started_at = clock.now();
    let mut child = {
        // The command has our ends of the pipes, which must be closed before anybody waits for their end.
        let mut process = command_of(cleared.exact());
        process.stdin(Stdio::inherit()).stdout(to_stdout).stderr(to_stderr);
        process.spawn().map_err(ExecuteError::Spawn)?
    };
    let ended = wait(&mut child, &mut signals).await;
    tokio::select! {
        () = async { tokio::join!(stdout.end(), stderr.end()); } => {}
        _ = signals.next() => {}
    }
    let (stdout, stderr) = (stdout.seen(), stderr.seen());
    Ok(Ran { started_at, finished_at: clock.now(), ended, stdout, stderr })
}

/// The process that a command becomes, with its standard streams still to be set.
pub(crate) fn command_of(exact: &ExactCommand) -> Command {
    let mut process = Command::new(exact.program());
    process.args(exact.arguments()).current_dir(exact.folder());
    process
}

async fn wait(child: &mut Child, signals: &mut Signals) -> Ended {
    loop {
        tokio::select! {
            status = child.wait() => return status.map_or(Ended::Unknown, ended),
            signal = signals.next() => pass_on_signal(child, signal),
        }
    }
}

/// How a process ended, from what the system says of it.
pub(crate) fn ended(status: ExitStatus) -> Ended {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).map(Ended::Code);
    code.or(status.signal().map(Ended::Signal)).unwrap_or(Ended::Unknown)
}

/// Sends a signal on to a process, unless it has it already.
pub(crate) fn pass_on_signal(child: &Child, signal: Signal) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid
        && !(signal == Signal::INT && terminal_is_ours())
    {
        // It fails only for a process that has ended already, which whoever waits for it sees.
        let _ = kill_process(pid, signal);
    }
}

/// Whether Ctrl-C goes to the command by itself: the terminal sends it to every process of the group in front.
fn terminal_is_ours() -> bool {
    std::fs::File::open("/dev/tty")
        .is_ok_and(|tty| rustix::termios::tcgetpgrp(tty).is_ok_and(|group| group == getpgrp()))
}

/// The signals that end programs, caught.
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

impl Signals {
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hang_up.recv() => Signal::HUP,
        }
    }
}

/// Passes a stream on in a thread of its own.
struct Pump {
    end: oneshot::Receiver<()>,
    seen: Arc<Mutex<Progress>>,
}

#[derive(Default)]
struct Progress {
    hasher: Sha256,
    bytes: u64,
    complete: bool,
}

impl Pump {
    fn start(from: PipeReader, to: impl Write + Send + 'static) -> std::io::Result<Self> {
        let seen = Arc::new(Mutex::new(Progress::default()));
        let (done, end) = oneshot::channel();
        let progress = seen.clone();
        std::thread::Builder::new().spawn(move || {
            pass_on(from, to, &progress);
            // Nobody waits any more when the waiting was cut short.
            let _ = done.send(());
        })?;
        Ok(Self { end, seen })
    }

    async fn end(&mut self) {
        // A thread that dies leaves its stream incomplete, which is what is said of it then.
        let _ = (&mut self.end).await;
    }

    fn seen(&self) -> Stream {
        let progress = lock(&self.seen);
        let sha256 = Sha256Digest::from_bytes(progress.hasher.clone().finalize().into());
        Stream { sha256, bytes: progress.bytes, complete: progress.complete }
    }
}

fn pass_on(mut from: PipeReader, mut to: impl Write, seen: &Mutex<Progress>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let chunk = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        {
            let mut progress = lock(seen);
            progress.hasher.update(chunk);
            progress.bytes = progress.bytes.saturating_add(chunk.len() as u64);
        }
        // When nobody reads behind the gate, the command finds its pipe closed, as it would without the gate.
        if to.write_all(chunk).is_err() || to.flush().is_err() {
            return;
        }
    }
    lock(seen).complete = true;
}

fn lock(seen: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
