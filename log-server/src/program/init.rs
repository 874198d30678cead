//! `countersign-log init`.

use std::path::PathBuf;

use clap::Args;
use countersign_log::log::Log;
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::program::{Exit, Failed, print_line};

use super::clock;

/// Founds a log: makes its keys and its first entry, and prints its verifier key
///
/// Writes log.key and operator.pem into the data folder, readable by you alone. The log needs log.key to run; the
/// operator needs operator.pem to register issuers, and should move it to a safer place.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where the log is to be kept. A folder that has one already is refused.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The log's name for ever: where it will be found, without the scheme, such as example.org/log.
    #[arg(long)]
    origin: String,
}

pub(super) fn init(args: &Init) -> Result<Exit, Failed> {
    let origin = Origin::new(&args.origin).map_err(|error| {
        Failed::new(Exit::Usage, "no log was founded")
            .because(error)
            .hint("an origin looks like example.org/log: no white space and no plus sign")
    })?;
    let key = Log::create(&args.data, &origin, clock::now())?;
    print_line(key)?;
    Ok(Exit::Holds)
}
