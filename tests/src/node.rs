//! The JavaScript verifier, asked through Node.js.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Why the JavaScript verifier gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// Node.js does not start.
    #[error("node does not start: it is required, install Node.js 20 or newer (Debian: nodejs)")]
    Missing(#[source] std::io::Error),
    /// A question could not be asked or an answer not be read.
    #[error("node cannot be talked to")]
    Io(#[from] std::io::Error),
    /// What came back is no answer. What went wrong stands on standard error.
    #[error("node answered {0:?}, expected JSON; its own words are on standard error")]
    NoAnswer(String),
}

/// A process that answers one question after the other.
#[derive(Debug)]
pub struct Node {
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Node {
    /// Starts the process.
    pub fn start() -> Result<Self, NodeError> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("js/answer.mjs");
        let mut child = Command::new("node")
            // That Ed25519 in WebCrypto counts as experimental is no news.
            .args(["--no-warnings", "--"])
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(NodeError::Missing)?;
        let no_pipe = || NodeError::NoAnswer("no pipe".to_owned());
        let questions = Some(child.stdin.take().ok_or_else(no_pipe)?);
        let answers = BufReader::new(child.stdout.take().ok_or_else(no_pipe)?);
        Ok(Self { child, questions, answers })
    }

    /// Asks what the JavaScript verifier says to a case of the file of vectors `name`.
    pub fn answer(&mut self, name: &str, input: &Value) -> Result<Value, NodeError> {
        if let Some(questions) = &mut self.questions {
            writeln!(questions, "{}", json!({"name": name, "input": input}))?;
            questions.flush()?;
        }
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|_| NodeError::NoAnswer(line))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Without questions it ends by itself; one that hangs is ended.
        drop(self.questions.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
