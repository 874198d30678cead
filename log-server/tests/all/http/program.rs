//! The program `countersign-log` itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use countersign_verifier::note::VerifierKey;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-log"));
    command.args(arguments).env_remove("RUST_LOG");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    program(arguments).output().unwrap()
}

pub(crate) fn init(data: &Path) -> Output {
    run(&["init", "--data", data.to_str().unwrap(), "--origin", "log.example/program"])
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A log that is served, and killed when the test is over.
pub(crate) struct Serving {
    pub(crate) child: Child,
    address: String,
}

impl Serving {
    pub(crate) fn start(data: &Path, witnesses: &Path, more: &[&str]) -> Self {
        let arguments = ["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--witnesses"];
        let mut child = program(&arguments)
            .arg(witnesses)
            .args(["--log-format", "json"])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let (_, address) = line.trim_end().split_once("://").unwrap_or_else(|| panic!("no URL: {line:?}"));
        Self { child, address: address.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: log\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// The checkpoint, as soon as there is one.
    pub(crate) fn published(&self) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let answer = self.get("/checkpoint");
            if answer.starts_with("HTTP/1.1 200") {
                return answer;
            }
            assert!(answer.contains("no-checkpoint-yet") && Instant::now() < deadline, "{answer}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to end, and returns its exit code and what it logged.
    pub(crate) fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let deadline = Instant::now() + Duration::from_secs(20);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status.code(), log)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn init_prints_the_key_alone_and_never_writes_over_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep/data");
    let first = init(&data);
    assert_eq!((first.status.code(), stderr(&first).as_str()), (Some(0), ""));
    let printed = String::from_utf8(first.stdout).unwrap();
    let key: VerifierKey = printed.strip_suffix('\n').unwrap().parse().unwrap();
    assert_eq!(key.name().as_str(), "log.example/program");
    for name in ["log.key", "operator.pem"] {
        let mode = std::fs::metadata(data.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let secret = std::fs::read(data.join("log.key")).unwrap();
    let second = init(&data);
    assert_eq!((second.status.code(), second.stdout.len()), (Some(1), 0));
    assert!(stderr(&second).contains("already there"), "{}", stderr(&second));
    assert_eq!(std::fs::read(data.join("log.key")).unwrap(), secret);
    for origin in ["", "a b", "a+b", "https://example.org/log", "Example.org/log", "example.org/log/"] {
        let refused =
            run(&["init", "--data", folder.path().join("other").to_str().unwrap(), "--origin", origin]);
        assert_eq!(refused.status.code(), Some(1), "{origin:?}: {}", stderr(&refused));
        assert!(stderr(&refused).contains("example.org/log"), "{}", stderr(&refused));
    }
}

#[test]
fn serve_says_how_to_name_witnesses() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    init(&data);
    let data = data.to_str().unwrap();
    let file = folder.path().join("witnesses");
    let key =
        "w.example+c244f014+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU".replace("w.example", "w1.example");
    for (policy, expected) in [
        (None, vec!["--witnesses FILE", "quorum none", "witness first"]),
        (Some(String::new()), vec!["exactly one quorum line", "quorum none"]),
        (Some(format!("witness w {key}\nquorum w\n")), vec!["witness w has no URL", "submission URL"]),
        (Some("quorum none".to_owned()), vec!["line feed"]),
        (Some("witness w nonsense http://x/\nquorum w\n".to_owned()), vec!["line 1", "the key"]),
    ] {
        let mut command = program(&["serve", "--data", data, "--listen", "127.0.0.1:0"]);
        if let Some(policy) = &policy {
            std::fs::write(&file, policy).unwrap();
            command.arg("--witnesses").arg(&file);
        }
        let output = command.output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{policy:?}");
        for text in expected {
            assert!(stderr(&output).contains(text), "{policy:?}: no {text:?} in {}", stderr(&output));
        }
    }
}

#[test]
fn serve_says_why_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let (data, witnesses) = (folder.path().join("data"), folder.path().join("witnesses"));
    std::fs::write(&witnesses, "quorum none\n").unwrap();
    let serve = |more: &[&str]| {
        let arguments =
            ["serve", "--data", data.to_str().unwrap(), "--witnesses", witnesses.to_str().unwrap()];
        run(&[&arguments[..], more].concat())
    };
    let nothing = serve(&["--listen", "127.0.0.1:0"]);
    assert_eq!(nothing.status.code(), Some(1), "{}", stderr(&nothing));
    assert!(stderr(&nothing).contains("countersign-log init"), "{}", stderr(&nothing));
    init(&data);
    let serving = Serving::start(&data, &witnesses, &["--no-explorer"]);
    let second = serve(&["--listen", "127.0.0.1:0"]);
    assert_eq!((second.status.code(), second.stdout.len()), (Some(2), 0));
    assert!(stderr(&second).contains("another process serves this log"), "{}", stderr(&second));
    let taken = serve(&["--listen", &serving.address]);
    assert_eq!(taken.status.code(), Some(2));
    assert!(stderr(&taken).contains("another program listens there"), "{}", stderr(&taken));
    let nonsense = serve(&["--wait-timeout", "soon"]);
    assert_eq!(nonsense.status.code(), Some(1));
    assert!(stderr(&nonsense).contains("10s"), "{}", stderr(&nonsense));
}

#[test]
fn serve_answers_ends_in_good_order_and_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (data, witnesses) = (folder.path().join("data"), folder.path().join("witnesses"));
    std::fs::write(&witnesses, "quorum none\n").unwrap();
    init(&data);
    let mut checkpoints = Vec::new();
    for signal in ["-TERM", "-INT"] {
        let serving = Serving::start(&data, &witnesses, &["--no-explorer"]);
        let checkpoint = serving.published();
        checkpoints.push(checkpoint.split("\r\n\r\n").nth(1).unwrap().to_owned());
        assert!(serving.get("/").starts_with("HTTP/1.1 404"), "there is no explorer");
        let (code, log) = serving.end(signal);
        assert_eq!(code, Some(0), "{log}");
        let lines: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().all(|line| line["level"] == "INFO"), "{log}");
        assert!(log.contains("stopped"), "{log}");
    }
    assert_eq!(checkpoints[0], checkpoints[1]);
}

#[test]
fn people_find_pages_beside_the_machines_interface() {
    let folder = tempfile::tempdir().unwrap();
    let (data, witnesses) = (folder.path().join("data"), folder.path().join("witnesses"));
    std::fs::write(&witnesses, "quorum none\n").unwrap();
    init(&data);
    let serving = Serving::start(&data, &witnesses, &[]);
    serving.published();
    for path in ["/", "/entries", "/entries/0", "/entries/0/proof", "/health"] {
        let page = serving.get(path);
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("<html"), "{path}: {page}");
        assert!(page.contains("x-request-id: "), "{path}: {page}");
    }
    assert!(serving.get("/entries/0.json").contains("application/json"));
    assert!(serving.get("/tile/entries/000.p/1").starts_with("HTTP/1.1 200"));
    assert!(serving.get("/nowhere").starts_with("HTTP/1.1 404"));
    assert!(serving.get("/errors/entry-not-yet").contains("<html"));
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0), "{log}");
}
