//! `countersign-witness recover`.

use clap::{Args, ValueEnum};
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_witness::recovery::{self, Recovered};

use crate::{Data, failed};

/// Mend a data folder whose database and high-water mark have come apart. The witness must not be serving
#[derive(Debug, Args)]
pub(crate) struct Recover {
    #[command(flatten)]
    data: Data,
    /// Which of the two is right
    #[arg(long, value_name = "WHICH")]
    from: Source,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Source {
    /// The high-water mark: a database that is older or missing is lifted to it. Always safe
    HighWater,
    /// The database: a mark that is missing or damaged is written anew. Safe only when the database is the newest there
    /// ever was; after a restored backup it is not
    Database,
}

impl Recover {
    /// Prints where each mended log stands.
    pub(crate) fn run(&self) -> Result<Exit, Failed> {
        let folder = self.data.folder();
        let Recovered { lifted, irreconcilable } = match self.from {
            Source::HighWater => recovery::from_high_water(&folder),
            Source::Database => recovery::from_database(&folder),
        }
        .map_err(failed)?;
        for head in &lifted {
            print_line(format_args!(
                "{}: goes on from size {} root {}",
                head.origin(),
                head.size(),
                head.root().to_base64()
            ))?;
        }
        if lifted.is_empty() {
            print_line("nothing to mend")?;
        }
        if irreconcilable.is_empty() {
            return Ok(Exit::Holds);
        }
        let origins: Vec<_> = irreconcilable.iter().map(ToString::to_string).collect();
        Err(Failed::new(
            Exit::StateDamaged,
            format!("database and high-water mark tell two different histories of {}", origins.join(", ")),
        )
        .hint("this key must not sign for these logs any more: make a new witness with a new key"))
    }
}
