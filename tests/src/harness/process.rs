//! A process under test: what it says, and how it ends.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Program;

/// How long a process may take to say that it is ready, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a process has written so far, standard output and standard error together.
type Lines = Arc<Mutex<Vec<String>>>;

/// A process that goes on until it is stopped. Dropping it kills it and judges what it wrote.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    lines: Lines,
    readers: Vec<JoinHandle<()>>,
    expected: Vec<String>,
}

impl Process {
    /// Starts a program. Lines with one of `expected` in them may warn.
    pub fn start<A: AsRef<OsStr>>(
        program: Program,
        args: impl IntoIterator<Item = A>,
        name: &str,
        expected: &[String],
    ) -> Self {
        Self::spawn(command(&program.path(), args), name, expected)
    }

    /// The same, writing as much as `RUST_LOG` says.
    pub fn start_logging<A: AsRef<OsStr>>(
        rust_log: &str,
        program: Program,
        args: impl IntoIterator<Item = A>,
        name: &str,
        expected: &[String],
    ) -> Self {
        let mut command = command(&program.path(), args);
        command.env("RUST_LOG", rust_log);
        Self::spawn(command, name, expected)
    }

    /// Starts a program that is not one of the project's.
    pub fn start_other<A: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
        name: &str,
    ) -> Self {
        Self::spawn(command(program, args), name, &[])
    }

    fn spawn(mut command: Command, name: &str, expected: &[String]) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {command:?}: {error}"));
        let lines = Lines::default();
        let out = child.stdout.take().map(|stream| read_lines(stream, &lines));
        let err = child.stderr.take().map(|stream| read_lines(stream, &lines));
        let readers = out.into_iter().chain(err).collect();
        Self { name: name.to_owned(), child, lines, readers, expected: expected.to_vec() }
    }

    /// Waits for the line that says where the process answers, and returns the address in it.
    pub fn url(&mut self) -> Result<String, String> {
        let deadline = deadline();
        loop {
            let line = lock(&self.lines).iter().find_map(|line| address_in(line));
            match line {
                Some(url) => return Ok(url),
                None if self.child.try_wait().is_ok_and(|status| status.is_some()) => {
                    return Err(format!("{} ended before it was ready:\n{}", self.name, self.output()));
                }
                None if Instant::now() > deadline => {
                    return Err(format!("{} is not ready after {PATIENCE:?}:\n{}", self.name, self.output()));
                }
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// The number under which the system knows it.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything that it has written.
    pub fn output(&self) -> String {
        lock(&self.lines).join("\n")
    }

    /// Ends it as the system does when power fails: at once, without a last word. Then judges what it wrote.
    pub fn kill(self) {
        drop(self);
    }

    /// Sends SIGTERM, waits for the end, judges what it wrote.
    pub fn terminate(self) -> ExitStatus {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).unwrap_or_else(|error| panic!("{}: no SIGTERM: {error}", self.name));
        self.end()
    }

    /// Waits until it ends by itself, judges what it wrote.
    pub fn end(mut self) -> ExitStatus {
        let deadline = deadline();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(5)),
                other => panic!("{} does not end ({other:?}):\n{}", self.name, self.output()),
            }
        }
    }

    /// Sends SIGHUP: it is to read its certificate again.
    pub fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).expect("a running process can be told");
    }

    /// Stops it where it stands, as a machine that hangs.
    pub fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).expect("a running process can be stopped");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).expect("a stopped process can go on");
    }

    fn judge(&self) {
        let lines = lock(&self.lines);
        let unexpected: Vec<&String> = lines
            .iter()
            .filter(|line| warns(line) && !self.expected.iter().any(|expected| line.contains(expected)))
            .collect();
        assert!(
            unexpected.is_empty(),
            "{} wrote what this test does not expect: {unexpected:#?}\nof all that it wrote:\n{}",
            self.name,
            lines.join("\n"),
        );
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "--- {} wrote:\n{}", self.name, self.output());
        } else {
            self.judge();
        }
    }
}

/// How a program that ran to its end ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ran {
    /// The standard output of a success, without white space around it.
    #[track_caller]
    pub fn holds(&self) -> &str {
        assert_eq!(self.code, Some(0), "expected a success: {self:#?}");
        self.stdout.trim()
    }

    /// The standard error of a failure with this exit code.
    #[track_caller]
    pub fn fails(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "expected exit code {code}: {self:#?}");
        assert!(!self.stderr.contains("panicked at"), "{self:#?}");
        self.stderr.trim()
    }
}

/// Runs a program to its end.
pub fn run<A: AsRef<OsStr>>(program: Program, args: impl IntoIterator<Item = A>) -> Ran {
    finish(program, command(&program.path(), args), 4 * PATIENCE)
}

/// Runs a program to its end, which may take `patience`.
pub fn run_for<A: AsRef<OsStr>>(
    patience: Duration,
    program: Program,
    args: impl IntoIterator<Item = A>,
) -> Ran {
    finish(program, command(&program.path(), args), patience)
}

/// Runs a program to its end, in a folder.
pub fn run_in<A: AsRef<OsStr>>(folder: &Path, program: Program, args: impl IntoIterator<Item = A>) -> Ran {
    let mut command = command(&program.path(), args);
    command.current_dir(folder);
    finish(program, command, 4 * PATIENCE)
}

fn finish(program: Program, mut command: Command, patience: Duration) -> Ran {
    let child = command.stdin(Stdio::null()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{} does not start: {error}", program.name()));
    let out = child.stdout.take().map(read_all);
    let err = child.stderr.take().map(read_all);
    let deadline = Instant::now().checked_add(patience).expect("the clock has room");
    let status = loop {
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                break child.wait().expect("a killed child ends");
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = |reader: Option<JoinHandle<String>>| {
        reader.and_then(|reader| reader.join().ok()).expect("a reader comes back")
    };
    assert_ne!(status.signal(), Some(9), "{} did not end in {patience:?}", program.name());
    Ran { code: status.code(), stdout: text(out), stderr: text(err) }
}

fn command<A: AsRef<OsStr>>(program: &Path, args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("NO_COLOR", "1")
        .env_remove("RUST_LOG");
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_"))
    {
        command.env_remove(name);
    }
    command
}

fn read_lines(stream: impl Read + Send + 'static, lines: &Lines) -> JoinHandle<()> {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            lock(&lines).push(String::from_utf8_lossy(&line).into_owned());
        }
    })
}

fn read_all(mut stream: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read until the stream broke is still worth showing.
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn lock(lines: &Lines) -> std::sync::MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

fn deadline() -> Instant {
    Instant::now().checked_add(PATIENCE).expect("the clock has room")
}

fn address_in(line: &str) -> Option<String> {
    let at = ["http://", "https://"].iter().find_map(|scheme| line.find(scheme))?;
    // In a line of the log file it stands in quotes.
    let end = |c: char| c.is_whitespace() || c == '"';
    line.get(at..)?.split(end).next().map(|url| url.trim_end_matches('/').to_owned())
}

/// Whether a line is one that nobody should have to read when all is well.
fn warns(line: &str) -> bool {
    [" WARN ", " ERROR ", "\"WARN\"", "\"ERROR\"", "panicked at"].iter().any(|sign| line.contains(sign))
        || line.starts_with("error:")
}
