//! A disk that forgets everything that was not synced, as a file system of its own (FUSE, in memory).
//!
//! It knows of every file what processes see and what a sync has made durable, and of every folder the same for its
//! names: a file that was made, renamed or removed is so for good only when its folder was synced. When the power is
//! cut, every operation fails from then on, and what is left is what was durable, and a part of the rest
//! ([`Kept`]). It can also fail: any write or sync with EIO, ENOSPC or EROFS ([`Fault`]). After a sync that failed, what
//! it should have written is still seen but never becomes durable, as on Linux.
//!
//! It is harder than a real disk: syncing a file does not make its name durable.

mod dice;
mod fault;
mod file;
mod folder;
mod fuse;
mod power_cut;
mod state;

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fuser::{BackgroundSession, Config, MountOption};
use tempfile::TempDir;

pub use dice::Dice;
pub use fault::{Failure, Fault, Operation};
pub use power_cut::Kept;

use fault::Cut;
use fuse::Fuse;
use state::State;

/// A disk that is mounted on a temporary folder. Dropping it unmounts it, and nothing of it is left.
#[derive(Debug)]
pub struct Disk {
    state: Arc<Mutex<State>>,
    session: Option<BackgroundSession>,
    mount_point: TempDir,
}

impl Disk {
    /// Mounts an empty disk. It fails where this machine has no FUSE or does not let us use it.
    pub fn mount() -> io::Result<Self> {
        let mount_point = tempfile::Builder::new().prefix("countersign-disk-").tempdir()?;
        let state = Arc::new(Mutex::new(State::new()));
        let mut options = Config::default();
        options.mount_options = vec![
            MountOption::FSName("forgetful-disk".to_owned()),
            MountOption::NoAtime,
            MountOption::DefaultPermissions,
        ];
        let session = fuser::spawn_mount(Fuse(Arc::clone(&state)), mount_point.path(), &options)?;
        Ok(Self { state, session: Some(session), mount_point })
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.mount_point.path()
    }

    /// How many changes and syncs there were.
    pub fn operations(&self) -> u64 {
        self.state().operations()
    }

    /// Cuts the power now. What is left is anything that can be, unless `kept` says it.
    pub fn cut_power(&self, kept: Option<Kept>, dice: &mut Dice) {
        self.state().cut_power(kept, dice);
    }

    /// Cuts the power after so many more changes and syncs. The one after them does not happen.
    pub fn cut_power_after(&self, operations: u64, kept: Option<Kept>, dice: &mut Dice) {
        self.state().set_cut(Some(Cut { after: operations, kept, seed: dice.roll() }));
    }

    /// Whether the power is cut.
    pub fn is_cut(&self) -> bool {
        self.state().is_cut()
    }

    /// Gives the power back, with what is left on the disk, and without any fault. No process may have anything open
    /// from before.
    pub fn power_on(&self) {
        self.state().power_on();
    }

    /// Lets operations fail from now on, in the place of any fault before.
    pub fn fail(&self, fault: Fault) {
        self.state().set_fault(Some(fault));
    }

    /// Lets nothing fail any more.
    pub fn heal(&self) {
        self.state().set_fault(None);
    }

    /// The operations that met with the fault, and on what: its path from the root of the disk.
    pub fn struck(&self) -> Vec<(Operation, String)> {
        self.state().struck()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A process that was killed may take a moment to let go of its files, which a lazy unmount does not wait for.
        let unmounted = |program: &str, flags: &str| {
            let ran = Command::new(program).arg(flags).arg(self.path()).stderr(Stdio::null()).status();
            ran.is_ok_and(|status| status.success())
        };
        let _ = unmounted("umount", "-l") || unmounted("fusermount3", "-uz");
        drop(self.session.take());
    }
}
