//! `countersign-log restore`.

use std::path::PathBuf;

use clap::Args;
use countersign_log::backup;
use countersign_log::log::LOG_KEY;
use countersign_verifier::program::{Exit, Failed, print_line};

use super::bar::Bar;

/// Makes a data folder out of a backup, and prints how many entries it has
///
/// A log that goes on from a copy could give indexes away a second time that it gave away after the copy was made. So it
/// signs nothing until its witnesses have shown that they saw no more of it; serve asks them when it starts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Restore {
    /// The data folder that is to be made. Keys in it stay; a database in it is never written over.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The backup.
    #[arg(long, value_name = "DIR", required_unless_present = "nothing_newer")]
    from: Option<PathBuf>,
    /// Declare, as the log's operator, that nothing exists that is newer than what was restored: no other copy, no witness
    /// that could be asked. If there is a newer head that the log signed, this makes it sign a second history, which anybody
    /// who has that head can prove.
    #[arg(long)]
    nothing_newer: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign-log restore --data /var/lib/countersign --from /backup/countersign
  countersign-log serve --data /var/lib/countersign --witnesses witnesses.policy

  When there are no witnesses that could be asked:
  countersign-log restore --data /var/lib/countersign --nothing-newer";

pub(super) fn restore(args: &Restore) -> Result<Exit, Failed> {
    if let Some(from) = &args.from {
        let bar = Bar::of("bytes");
        let head = backup::restore(from, &args.data, &bar)?;
        drop(bar);
        print_line(format_args!("{} entries are in {}", head.size, args.data.display()))?;
        if !args.data.join(LOG_KEY).exists() {
            print_line(format_args!("put {LOG_KEY} there, with mode 600, before you serve it"))?;
        }
    }
    if args.nothing_newer {
        let declared = backup::declare(&args.data)?;
        print_line(format_args!("declared: the log ended with {} entries", declared.size))?;
    }
    Ok(Exit::Holds)
}
