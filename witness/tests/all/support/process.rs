//! The real program.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use super::Client;

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign-witness"));
    // What is set where the tests run is none of their business.
    for (name, _) in
        std::env::vars().filter(|(name, _)| name.starts_with("COUNTERSIGN_") || name == "RUST_LOG")
    {
        command.env_remove(name);
    }
    // What it tells is not looked at here; what it fails with is told all the same.
    command.env("RUST_LOG", "off");
    command
}

/// Runs the program to its end.
pub(crate) fn output(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

/// A witness that is being served by a process of its own. The process is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) client: Client,
}

impl Process {
    pub(crate) fn serve(data: &Path) -> Self {
        Self::serve_with(data, &[])
    }

    pub(crate) fn serve_with(data: &Path, more: &[&str]) -> Self {
        let mut command = program();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more);
        Self::start(command)
    }

    /// Serves with files limited to so many blocks of 512 bytes: writing beyond fails, as on a full disk.
    pub(crate) fn serve_with_small_files(data: &Path, blocks: u32) -> Self {
        let mut command = Command::new("sh");
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        command.env("RUST_LOG", "off").args(["-c", &limit, "sh"]).arg(program().get_program());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.strip_suffix('\n').unwrap_or_else(|| panic!("the witness did not start"));
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self { child, client: Client::new(url) }
    }

    /// Ends the process as a power cut would, as far as the process can tell.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
