//! Where the programs under test are, and building them when they are not there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::SystemTime;

/// One of the project's programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// `countersign-log`.
    Log,
    /// `countersign-witness`.
    Witness,
    /// `countersign`, the issuers' program.
    Countersign,
    /// `countersign-verify`.
    Verify,
    /// `countersign-explorer`.
    Explorer,
    /// `countersign-hammer`.
    Hammer,
}

/// A folder with programs to test as they are, instead of those that this checkout builds.
const AS_BUILT: &str = "COUNTERSIGN_TESTS_PROGRAMS";

static BUILDING: Mutex<()> = Mutex::new(());

impl Program {
    /// The name of the program.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Log => "countersign-log",
            Self::Witness => "countersign-witness",
            Self::Countersign => "countersign",
            Self::Verify => "countersign-verify",
            Self::Explorer => "countersign-explorer",
            Self::Hammer => "countersign-hammer",
        }
    }

    /// The program itself, built if it is missing or older than what it is made of.
    ///
    /// Tests and programs share a target folder, so the programs lie one folder above the test.
    pub fn path(self) -> PathBuf {
        if let Some(folder) = std::env::var_os(AS_BUILT) {
            let path = Path::new(&folder).join(self.name());
            assert!(
                path.exists(),
                "{} is not there, and {AS_BUILT} says to take it as it is",
                path.display()
            );
            return path;
        }
        let _one_at_a_time = BUILDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let folder = target_folder();
        let path = folder.join(self.name());
        if !is_current(&path) {
            build(&folder);
            assert!(path.exists(), "cargo built the workspace, and {} is still not there", path.display());
        }
        path
    }
}

/// The folder of the profile that the test itself was built with.
fn target_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let folder = test.parent().expect("a program lies in a folder");
    if folder.ends_with("deps") {
        folder.parent().expect("deps lies in a folder").to_owned()
    } else {
        folder.to_owned()
    }
}

/// Whether the program is there and no source file that it was made of has changed since. Cargo lists them beside it.
fn is_current(program: &Path) -> bool {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).ok();
    let Some(built) = changed(program) else { return false };
    let Ok(list) = std::fs::read_to_string(program.with_extension("d")) else { return false };
    let Some((_, sources)) = list.split_once(": ") else { return false };
    let newest: Option<SystemTime> = sources
        .replace("\\ ", "\u{0}")
        .split_whitespace()
        .map(|source| changed(Path::new(&source.replace('\u{0}', " "))))
        .try_fold(SystemTime::UNIX_EPOCH, |newest, changed| Some(newest.max(changed?)));
    newest.is_some_and(|newest| newest <= built)
}

fn build(folder: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let profile = if folder.ends_with("release") { "release" } else { "dev" };
    let target = folder.parent().expect("the folder of a profile lies in the target folder");
    let status = Command::new(cargo)
        .args(["build", "--workspace", "--all-features", "--bins", "--profile", profile, "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "the programs under test are missing or out of date, and building them failed ({status:?}); try:\n    \
         cargo build --workspace --all-features --bins --profile {profile} --target-dir {}",
        target.display(),
    );
}
