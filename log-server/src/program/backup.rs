//! `countersign-log backup`.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign_log::backup::{self, Marker};
use countersign_log::log::LOG_KEY;
use countersign_log::snapshot::Still;
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::{Exit, Failed, keyfile, print_line};

use super::bar::Bar;

/// Copies a log, whether or not it is served, and prints how many entries the copy has
///
/// The copy has everything up to a signed head. It is opened and compared with that head before it takes the place of the
/// copy before, and it survives a crash when this is done. The next backup into the same folder copies what is new.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Backup {
    /// The log's data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where the backup is to be: an empty folder, or the one with the backup before, best on another disk.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Copy log.key and operator.pem, too. Whoever has them can sign for the log.
    #[arg(long)]
    with_keys: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign-log backup --data /var/lib/countersign --to /backup/countersign
  countersign-log fsck --data /backup/countersign";

pub(super) fn backup(args: &Backup) -> Result<Exit, Failed> {
    let Backup { data, to, with_keys } = args;
    let key = key(data)?.ok_or_else(|| {
        let expected = format!("there is no {LOG_KEY} in {}", data.display());
        Failed::new(Exit::Usage, expected)
            .hint("name the data folder of a log, as countersign-log init left it")
    })?;
    let still = Still::of(data)?;
    let bar = Bar::of("bytes");
    let done = backup::back_up(data, &still, to, &key, *with_keys, &bar)?;
    drop(bar);
    print_line(format_args!(
        "{} entries are in {} ({} bytes, {} of them there before)",
        done.size,
        to.display(),
        done.bytes,
        done.reused
    ))?;
    Ok(Exit::Holds)
}

/// The key of the log in a data folder or a backup, if anything there names it.
pub(super) fn key(folder: &Path) -> Result<Option<VerifierKey>, Failed> {
    let path = folder.join(LOG_KEY);
    if path.exists() {
        return Ok(Some(keyfile::read_note_signer(&path)?.verifier().clone()));
    }
    Ok(Marker::read(folder)?.map(|marker| marker.key))
}
