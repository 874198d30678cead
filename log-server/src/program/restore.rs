//! `countersign-log restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use countersign_log::backup::{self, Marker};
use countersign_log::log::{DATABASE, LOG_KEY};
use countersign_log::rebuild::{
    CHECKPOINT, EntrySource, Goal, RebuildError, Remote, TileFolder, Worn, rebuild,
};
use countersign_log::snapshot::Still;
use countersign_log::store::Head;
use countersign_verifier::note::VerifierKey;
use countersign_verifier::program::{Exit, Failed, print_line};

use super::backup::key;
use super::bar::Bar;
use super::witnesses;

/// Makes a data folder out of a backup or of nothing but entries, and prints how many entries it has
///
/// From a backup, its database is copied. From a URL where the log or a mirror of it is served, from a folder of C2SP tiles,
/// or from a data folder whose indexes are damaged, every entry is admitted again, and the root that comes out must be the
/// one that the log signed. So can an older copy in the data folder be brought up to where the log stood.
///
/// A log that goes on from a copy could give indexes away a second time that it gave away after the copy was made. So it
/// signs nothing until its witnesses have cosigned the head that it has; serve asks them when it starts.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Restore {
    /// The data folder that is to be made or brought up. Keys in it stay.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A backup, a URL, a folder with checkpoint and tile/, or a data folder.
    #[arg(long, value_name = "DIR|URL", required_unless_present = "nothing_newer")]
    from: Option<String>,
    /// The log's verifier key, where there is no log.key in the data folder.
    #[arg(long, value_name = "VKEY")]
    vkey: Option<VerifierKey>,
    /// A tlog-policy file: whose cosignatures the head at the source must have.
    #[arg(long, value_name = "FILE")]
    witnesses: Option<PathBuf>,
    /// Declare, as the log's operator, that nothing exists that is newer than what was restored: no other copy, no witness
    /// that could be asked. If there is a newer head that the log signed, this makes it sign a second history, which anybody
    /// who has that head can prove.
    #[arg(long)]
    nothing_newer: bool,
}

const EXAMPLES: &str = "\
Examples:
  countersign-log restore --data /var/lib/countersign --from /backup/countersign
  countersign-log restore --data /var/lib/countersign --from https://mirror.example/log --witnesses witnesses.policy
  countersign-log serve --data /var/lib/countersign --witnesses witnesses.policy

  When there are no witnesses that could be asked:
  countersign-log restore --data /var/lib/countersign --nothing-newer";

pub(super) fn restore(args: &Restore) -> Result<Exit, Failed> {
    if let Some(from) = &args.from {
        let head = take(args, from)?;
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

fn take(args: &Restore, from: &str) -> Result<Head, Failed> {
    let Restore { data, vkey, .. } = args;
    if from.starts_with("http://") || from.starts_with("https://") {
        let key = named(vkey.as_ref(), &[data])?;
        let (remote, goal) = Remote::open(from, &key).map_err(RebuildError::from)?;
        return grow(args, &remote, &goal, &key);
    }
    let from = Path::new(from);
    if Marker::read(from)?.is_some() {
        return Ok(backup::restore(from, data, &Bar::of("bytes"))?);
    }
    if from.join(DATABASE).exists() {
        let key = named(vkey.as_ref(), &[data, from])?;
        let still = Still::of(from)?;
        let (worn, goal) = Worn::open(&still.database()).map_err(RebuildError::from)?;
        let head = grow(args, &worn, &goal, &key)?;
        backup::copy_beside(still.folder(), data)?;
        return Ok(head);
    }
    if !from.join(CHECKPOINT).exists() {
        let hint =
            "name a backup, a data folder, or a folder that has the file checkpoint and the folder tile";
        return Err(Failed::new(Exit::Usage, format!("{} has no log", from.display())).hint(hint));
    }
    let key = named(vkey.as_ref(), &[data])?;
    let (tiles, goal) = TileFolder::open(from, &key).map_err(RebuildError::from)?;
    grow(args, &tiles, &goal, &key)
}

fn grow(args: &Restore, source: &dyn EntrySource, goal: &Goal, key: &VerifierKey) -> Result<Head, Failed> {
    let policy = args.witnesses.as_deref().map(|path| witnesses::read(Some(path))).transpose()?;
    Ok(rebuild(source, goal, &args.data, key, policy.as_ref(), &Bar::of("entries"))?)
}

/// The key that was named, or that of the log in one of the folders.
fn named(vkey: Option<&VerifierKey>, folders: &[&Path]) -> Result<VerifierKey, Failed> {
    if let Some(key) = vkey {
        return Ok(key.clone());
    }
    for folder in folders {
        if let Some(key) = key(folder)? {
            return Ok(key);
        }
    }
    let hint = "put log.key into the data folder, with mode 600, or name the log's verifier key with --vkey";
    Err(Failed::new(Exit::Usage, "the key of the log is not known").hint(hint))
}
