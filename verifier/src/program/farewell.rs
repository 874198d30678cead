//! How a server ends: in good order, and in time.

use std::time::Duration;

use clap::Args;

use super::{Exit, span};

/// How long a server may take to end once it was told to, as a flag.
///
/// The time is shared out: first everyone may still get the answer that they wait for, then those who wait for others
/// are told that it takes too long, then connections are cut, and what is left is for closing the files.
#[derive(Debug, Clone, Copy, Args)]
pub struct Farewell {
    /// How long ending may take after SIGTERM. Then the process ends as it is: what was acknowledged is durable.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = span::parse)]
    pub shutdown_timeout: Duration,
}

impl Farewell {
    /// How long ending may take, unless the flag says otherwise.
    pub const DEFAULT: Duration = Duration::from_secs(10);

    /// How long requests may go on waiting for what others have to do.
    pub fn waits(&self) -> Duration {
        self.shutdown_timeout / 2
    }

    /// How long connections may stay open.
    pub fn clients(&self) -> Duration {
        self.shutdown_timeout.saturating_mul(3) / 4
    }

    /// Starts the clock: when the time is over, the process says its last word and ends, whatever it is doing. A disk that
    /// hangs, a thread that does not come back, nothing delays it further.
    pub fn begin(&self, last_word: impl FnOnce() + Send + 'static) {
        let bound = self.shutdown_timeout;
        let ends = move || {
            std::thread::sleep(bound);
            last_word();
            std::process::exit(Exit::Holds as i32);
        };
        // Without threads to be had, the server still ends, only without a bound.
        let _ = std::thread::Builder::new().name("farewell".to_owned()).spawn(ends);
    }
}
