//! An MCP client that sends what the test says, byte for byte, and keeps all that comes back.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use countersign_tests::harness::{Program, Ran, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::gate::{Gate, text};

const PATIENCE: Duration = Duration::from_mins(1);

/// The lines of a stream, as they come.
#[derive(Clone, Default)]
struct Seen(Arc<(Mutex<Vec<String>>, Condvar)>);

impl Seen {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let seen = Self::default();
        let lines = seen.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                lines.0.0.lock().unwrap().push(String::from_utf8(line).unwrap());
                lines.0.1.notify_all();
            }
        });
        seen
    }

    /// Waits for a line of which `find` makes something.
    #[track_caller]
    fn wait<T>(&self, what: &str, find: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = lines.iter().find_map(|line| find(line)) {
                return found;
            }
            assert!(Instant::now() < deadline, "no {what} in {lines:#?}");
            lines = self.0.1.wait_timeout(lines, Duration::from_millis(200)).unwrap().0;
        }
    }

    fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().clone()
    }
}

/// A client, and behind it the proxy with its server.
pub(super) struct Client {
    child: Child,
    to: Option<ChildStdin>,
    said: Seen,
    told: Seen,
    journal: PathBuf,
}

impl Client {
    pub(super) fn start(gate: &Gate) -> Self {
        Self::start_with(gate, "journal", &[])
    }

    /// Starts the proxy before a server that keeps what it gets in the file `journal`.
    pub(super) fn start_with(gate: &Gate, journal: &str, server_arguments: &[&str]) -> Self {
        Self::start_all(gate, &node(), &gate.file(journal), server_arguments)
    }

    /// Starts the proxy before a server that this program runs.
    pub(super) fn start_by(gate: &Gate, program: &Path) -> Self {
        Self::start_all(gate, program, &gate.file("journal"), &[])
    }

    fn start_all(gate: &Gate, program: &Path, journal: &Path, server_arguments: &[&str]) -> Self {
        let mut child = Command::new(Program::Countersign.path())
            .args(["mcp", "--json", "--config", text(&gate.config), "--"])
            .args([program, &script(), journal])
            .args(server_arguments)
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Seen::of(child.stdout.take().unwrap());
        let told = Seen::of(child.stderr.take().unwrap());
        Self { to: child.stdin.take(), child, said, told, journal: journal.to_owned() }
    }

    /// Sends bytes as they are.
    pub(super) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let to = self.to.as_mut().unwrap();
        to.write_all(bytes.as_ref()).unwrap();
        to.flush().unwrap();
    }

    pub(super) fn say(&mut self, message: &Value) {
        self.send(format!("{message}\n"));
    }

    pub(super) fn call(&mut self, id: u64, tool: &str, arguments: &Value) {
        self.say(&call(id, tool, arguments));
    }

    /// The answer to a request, as it came.
    #[track_caller]
    pub(super) fn answer_line(&self, id: u64) -> String {
        self.said.wait(&format!("answer to {id}"), |line| {
            let message: Value = serde_json::from_str(line).unwrap();
            (message["id"] == id && message.get("method").is_none()).then(|| line.to_owned())
        })
    }

    #[track_caller]
    pub(super) fn answer(&self, id: u64) -> Value {
        serde_json::from_str(&self.answer_line(id)).unwrap()
    }

    /// The text of a tool's result, and whether it says that there is none.
    #[track_caller]
    pub(super) fn result(&self, id: u64) -> (String, bool) {
        let answer = self.answer(id);
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        (text.to_owned(), result["isError"].as_bool().unwrap())
    }

    /// All that the client got.
    pub(super) fn said(&self) -> Vec<String> {
        self.said.all()
    }

    /// Waits for a line of the client's that says this.
    #[track_caller]
    pub(super) fn hears(&self, what: &str) -> String {
        self.said.wait(what, |line| line.contains(what).then(|| line.to_owned()))
    }

    /// Waits for a line on standard error that says this.
    #[track_caller]
    pub(super) fn tells(&self, what: &str) -> String {
        self.told.wait(what, |line| line.contains(what).then(|| line.to_owned()))
    }

    /// All that was told on standard error.
    pub(super) fn told(&self) -> Vec<String> {
        self.told.all()
    }

    /// The id of the execution that the call of this number is, once it has been begun.
    #[track_caller]
    pub(super) fn execution(&self, number: u64) -> String {
        let end = format!("/{number}");
        self.told.wait(&format!("execution {number}"), |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            event["execution"].as_str().filter(|id| id.ends_with(&end)).map(str::to_owned)
        })
    }

    /// The same, once everything about it is in the log, or kept for it.
    #[track_caller]
    pub(super) fn settled(&self, number: u64) -> String {
        let end = format!("/{number}");
        self.told.wait(&format!("end of execution {number}"), |line| {
            let event: Value = serde_json::from_str(line).ok()?;
            let id = event["execution"].as_str().filter(|id| id.ends_with(&end))?;
            (event["event"] == "page").then(|| id.to_owned())
        })
    }

    /// The lines that reached the server.
    pub(super) fn reached(&self) -> Vec<String> {
        std::fs::read_to_string(&self.journal).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Waits until a line with `what` in it has reached the server.
    #[track_caller]
    pub(super) fn reaches(&self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.reached().iter().any(|line| line.contains(what)) {
            assert!(Instant::now() < deadline, "{what} did not reach the server: {:#?}", self.told());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Says nothing more, and waits for the end.
    pub(super) fn close(&mut self) -> ExitStatus {
        self.to = None;
        self.end()
    }

    /// Waits for the end.
    pub(super) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => return status,
                None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
                None => panic!("it does not end: {:#?}", self.told()),
            }
        }
    }

    /// Sends SIGTERM.
    pub(super) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    /// Ends it as the system does when power fails.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to kill. Its server ends with its input.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let _ = writeln!(std::io::stderr(), "--- said {:#?}\n--- told {:#?}", self.said(), self.told());
        }
    }
}

pub(super) fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// What the auditor's program says of an execution's bundle, its decisions made again.
pub(super) fn audit(gate: &Gate, execution: &str) -> Ran {
    let answer =
        countersign_tests::harness::get(gate.system.log.url(), &format!("/executions/{execution}.bundle"));
    assert_eq!(answer.status.as_u16(), 200, "{execution}");
    let file = gate.file("audited.bundle");
    std::fs::write(&file, &answer.body).unwrap();
    let policy = gate.system.policy_file();
    run(Program::Verify, ["bundle", "--policy", text(&policy), text(&file), "--replay", "--json"])
}

/// The server.
pub(super) fn script() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("js/mcp-server.mjs")
}

/// Node.js, where this machine has it.
pub(super) fn node() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("node")).find(|node| node.is_file());
    found.expect("node is required: install Node.js 20 or newer (Debian: nodejs)")
}
