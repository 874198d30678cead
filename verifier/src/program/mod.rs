//! What all programs of the project share: where flags come from, how keys lie in files, how a program ends.
//!
//! It is the only part of this crate that touches files and the environment, and it is not in the library unless
//! the feature `program` asks for it.

mod config;
pub mod durable;
mod farewell;
pub mod keyfile;
pub mod span;

use core::fmt;
use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

pub use config::parse;
pub use farewell::Farewell;

use crate::causes::with_causes;

/// How a checking program ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// What was to be checked holds, or what was to be done is done.
    Holds = 0,
    /// The command line or a configuration file is wrong.
    Usage = 1,
    /// It could not be checked or done: a file or the network failed, or the file is not what it should be. Nothing is
    /// shown either way.
    CouldNotCheck = 2,
    /// What was checked does not hold: the log or an issuer misbehaved, or somebody changed the file.
    Misbehaviour = 3,
    /// Local state is damaged.
    StateDamaged = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a program ends without having done its work, for the person who started it.
#[derive(Debug)]
pub struct Failed {
    exit: Exit,
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
}

impl Failed {
    /// Ends with `exit`, saying what failed.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), source: None, hint: None }
    }

    /// Names the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(source) = self.source.as_deref() {
            write!(f, ": {}", with_causes(source))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl Error for Failed {}

/// Runs a program: what it fails with goes to standard error, and the exit code says of which sort it is.
pub fn run(main: impl FnOnce() -> Result<Exit, Failed>) -> ExitCode {
    main()
        .unwrap_or_else(|failed| {
            // With standard error closed there is nobody left to tell; the exit code still says it.
            let _ = writeln!(std::io::stderr(), "error: {failed}");
            failed.exit
        })
        .into()
}

/// Prints one line to standard output: the result that scripts read.
pub fn print_line(line: impl fmt::Display) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "standard output cannot be written").because(error))
}

#[cfg(test)]
mod testing {
    use std::path::PathBuf;

    /// An empty folder for one test.
    pub(super) fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("countersign-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        folder
    }
}
