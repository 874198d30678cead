//! A witness process and its data.

use std::path::PathBuf;

use super::{Process, Program, run};

/// A port that the system chooses.
pub(super) const ANY_PORT: &str = "127.0.0.1:0";

/// A witness, running or not.
#[derive(Debug)]
pub struct Witness {
    name: String,
    vkey: String,
    data: PathBuf,
    listen: String,
    url: String,
    process: Option<Process>,
    expected: Vec<String>,
}

impl Witness {
    /// Makes a new witness, not running, with its key in `data`.
    pub fn init(name: &str, data: PathBuf) -> Self {
        let ran = run(Program::Witness, args(&["init", "--data", path(&data), "--name", name]));
        let vkey = ran.holds().to_owned();
        assert!(vkey.starts_with(&format!("{name}+")), "init prints the vkey alone: {ran:?}");
        Self {
            name: name.to_owned(),
            vkey,
            data,
            listen: ANY_PORT.to_owned(),
            url: String::new(),
            process: None,
            expected: Vec::new(),
        }
    }

    /// The same witness, not running, on a copy of its data.
    #[must_use]
    pub fn on_copy(&self, data: PathBuf) -> Self {
        Self {
            name: self.name.clone(),
            vkey: self.vkey.clone(),
            data,
            listen: ANY_PORT.to_owned(),
            url: String::new(),
            process: None,
            expected: self.expected.clone(),
        }
    }

    /// Makes it cosign the log with this key.
    pub fn add_log(&self, vkey: &str) {
        run(Program::Witness, args(&["add-log", "--data", path(&self.data), "--vkey", vkey])).holds();
    }

    /// Starts it, the second time on the port that it had before.
    pub fn start(&mut self) {
        let serve = ["serve", "--data", path(&self.data), "--listen", &self.listen];
        let mut process = Process::start(Program::Witness, args(&serve), &self.name, &self.expected);
        self.url = process.url().unwrap_or_else(|why| panic!("{why}"));
        self.listen = self.url.trim_start_matches("http://").to_owned();
        self.process = Some(process);
    }

    /// Kills it without warning.
    pub fn kill(&mut self) {
        self.running().kill();
    }

    /// Asks it to stop, and expects that it does so in good order.
    pub fn stop(&mut self) {
        let status = self.running().terminate();
        assert_eq!(status.code(), Some(0), "{} after SIGTERM", self.name);
    }

    /// Stops it where it stands: it holds its connections and answers nothing.
    pub fn freeze(&self) {
        self.process.as_ref().expect("it runs").freeze();
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.as_ref().expect("it runs").thaw();
    }

    /// From its next start on, lines with `text` in them may warn.
    pub fn expect_warning(&mut self, text: &str) {
        self.expected.push(text.to_owned());
    }

    /// The number under which the system knows it, while it runs.
    pub fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs").id()
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its public key.
    pub fn vkey(&self) -> &str {
        &self.vkey
    }

    /// Where it answers, or answered last.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its data folder.
    pub fn data(&self) -> &std::path::Path {
        &self.data
    }

    fn running(&mut self) -> Process {
        self.process.take().expect("it runs")
    }
}

pub(super) fn path(path: &std::path::Path) -> &str {
    path.to_str().expect("folders of tests have plain names")
}

pub(super) fn args<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.to_vec()
}
