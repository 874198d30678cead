//! What other processes cost while the load goes on: the log, its witnesses.

use core::str::FromStr;
use std::time::Duration;

/// The unit in which `/proc/PID/stat` counts time: 100 a second on every machine that this project runs on, whatever the
/// kernel's own timer does.
const TICK_MILLIS: u64 = 10;

/// Some processes, under one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// What they are together, such as `witnesses`.
    pub name: String,
    pids: Vec<u32>,
}

/// A text that does not name processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a name and process ids, such as log=4711 or witnesses=4712,4713")]
pub struct NotWatched;

/// Why nothing is known of a process.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// It has ended, or never was, or this system does not tell.
    #[error("/proc/{pid}/{file} cannot be read: {source}")]
    Read {
        /// The process.
        pid: u32,
        /// The file that should tell.
        file: &'static str,
        /// Why it does not.
        source: std::io::Error,
    },
    /// The file does not have the form that proc(5) describes.
    #[error("/proc/{pid}/{file} does not have the form of proc(5)")]
    Form {
        /// The process.
        pid: u32,
        /// The file.
        file: &'static str,
    },
}

/// What processes have used, all of one name together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on processors since they began, in user and in kernel mode, ended threads included. Counted by the kernel
    /// in steps of a hundredth of a second.
    pub cpu: Duration,
    /// Bytes of memory that are resident now.
    pub resident: u64,
    /// The most that ever were.
    pub most_resident: u64,
}

impl FromStr for Watched {
    type Err = NotWatched;

    fn from_str(text: &str) -> Result<Self, NotWatched> {
        let (name, pids) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(NotWatched)?;
        let pids: Result<Vec<u32>, _> = pids.split(',').map(str::parse).collect();
        Ok(Self { name: name.to_owned(), pids: pids.map_err(|_| NotWatched)? })
    }
}

impl Watched {
    /// What they have used until now.
    pub fn usage(&self) -> Result<Usage, UsageError> {
        let mut sum = Usage::default();
        for pid in &self.pids {
            let usage = usage(*pid)?;
            sum.cpu = sum.cpu.saturating_add(usage.cpu);
            sum.resident = sum.resident.saturating_add(usage.resident);
            sum.most_resident = sum.most_resident.saturating_add(usage.most_resident);
        }
        Ok(sum)
    }
}

/// What one process has used until now.
pub fn usage(pid: u32) -> Result<Usage, UsageError> {
    let read = |file: &'static str| {
        std::fs::read_to_string(format!("/proc/{pid}/{file}")).map_err(|source| UsageError::Read {
            pid,
            file,
            source,
        })
    };
    let status = read("status")?;
    let resident = |name| kib(&status, name).ok_or(UsageError::Form { pid, file: "status" });
    Ok(Usage {
        cpu: cpu(&read("stat")?).ok_or(UsageError::Form { pid, file: "stat" })?,
        resident: resident("VmRSS:")?,
        most_resident: resident("VmHWM:")?,
    })
}

/// Fields 14 and 15 of `/proc/PID/stat`, counted after the name, which may have anything in it but is in brackets.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let (user, kernel): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let ticks = user.checked_add(kernel)?;
    ticks.checked_mul(TICK_MILLIS).map(Duration::from_millis)
}

/// The value of a line such as `VmRSS:     1234 kB`, in bytes.
fn kib(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_costs_time_and_one_that_is_not_there_is_an_error() {
        let own = Watched { name: "own".to_owned(), pids: vec![std::process::id()] };
        let before = own.usage().unwrap();
        let mut hash = countersign_verifier::merkle::LeafHash::of(b"");
        while own.usage().unwrap().cpu < before.cpu + Duration::from_millis(20) {
            hash = countersign_verifier::merkle::LeafHash::of(hash.to_string().as_bytes());
        }
        let after = own.usage().unwrap();
        assert!(after.resident > 1 << 20 && after.most_resident >= after.resident, "{after:?}");
        let none = Watched { name: "none".to_owned(), pids: vec![u32::MAX] };
        assert!(matches!(none.usage(), Err(UsageError::Read { pid: u32::MAX, .. })));
    }

    #[test]
    fn a_name_may_have_brackets_and_spaces_in_it() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 3 4 20 0 1 0 99 1 1";
        assert_eq!(cpu(stat), Some(Duration::from_secs(200) / 100));
        assert_eq!(cpu("7 (a) S"), None);
        assert_eq!(kib("VmHWM:\t  12 kB\nVmRSS:\t   8 kB\n", "VmRSS:"), Some(8192));
        assert_eq!(kib("VmRSS: 8 MB", "VmRSS:"), None);
    }

    #[test]
    fn processes_are_named() {
        let watched: Watched = "witnesses=1,22".parse().unwrap();
        assert_eq!((watched.name.as_str(), watched.pids.as_slice()), ("witnesses", &[1, 22][..]));
        for text in ["", "log", "log=", "=1", "log=x", "log=1,", "log=-1"] {
            assert_eq!(text.parse::<Watched>(), Err(NotWatched), "{text}");
        }
    }
}
