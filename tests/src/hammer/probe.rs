//! What the machine gives at this moment: how long a synced write takes, and how much this process computes.

use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

const BLOCK: [u8; 4096] = [0x5a; 4096];
/// How many writes are timed, unless time runs out before.
const WRITES: usize = 101;
const AT_MOST: Duration = Duration::from_secs(2);

/// The median time of a 4 KiB write with `fdatasync` in `folder`, where a file is made and removed again.
///
/// It appends, as a write-ahead log does: each sync has new blocks to place as well as to write.
pub fn fsync_median(folder: &Path) -> io::Result<Duration> {
    let file = tempfile::tempfile_in(folder)?;
    let begun = Instant::now();
    let mut times = Vec::with_capacity(WRITES);
    let mut at = 0;
    while times.len() < WRITES && begun.elapsed() < AT_MOST {
        let before = Instant::now();
        file.write_all_at(&BLOCK, at)?;
        file.sync_data()?;
        times.push(before.elapsed());
        at = at.saturating_add(BLOCK.len() as u64);
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

/// How long the processors have worked for this process, on all cores together, since it began.
pub fn own_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_takes_some_time_and_no_folder_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(fsync_median(folder.path()).unwrap() > Duration::ZERO);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(fsync_median(&folder.path().join("missing")).is_err());
    }
}
