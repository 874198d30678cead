//! Where and when something was measured.

use core::fmt;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// A machine at a moment.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// How many processors this process may use.
    pub cores: usize,
    /// What they are called.
    pub processor: String,
    /// Bytes of memory.
    pub memory: u64,
    /// The kernel.
    pub kernel: String,
    /// The file system that the logs lie on, and what is below it.
    pub disk: String,
    /// When, in UTC.
    pub date: String,
    /// The commit that was measured; with `+` if files were changed since.
    pub commit: String,
}

impl Machine {
    /// This machine, now. `data` is where the logs lie. What cannot be found out is named as unknown.
    pub fn here(data: &Path) -> Self {
        let cpuinfo = read("/proc/cpuinfo");
        let meminfo = read("/proc/meminfo");
        let memory =
            field(&meminfo, "MemTotal").and_then(|text| text.strip_suffix(" kB")?.trim().parse().ok());
        let source = env!("CARGO_MANIFEST_DIR");
        let commit = said("git", &["-C", source, "rev-parse", "--short=12", "HEAD"]);
        let changed = commit.is_some()
            && said("git", &["-C", source, "status", "--porcelain"])
                .is_some_and(|changes| !changes.is_empty());
        let commit = commit.unwrap_or_else(unknown);
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: field(&cpuinfo, "model name").map_or_else(unknown, str::to_owned),
            memory: memory.unwrap_or(0_u64).saturating_mul(1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            disk: disk(&read("/proc/self/mountinfo"), data).unwrap_or_else(unknown),
            date: said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).unwrap_or_else(unknown),
            commit: if changed { format!("{commit}+") } else { commit },
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cores, processor, memory, kernel, disk, date, commit } = self;
        let gib = memory / (1 << 30);
        write!(
            f,
            "{date}, commit `{commit}`, {cores} cores ({processor}), {gib} GiB of memory, {disk}, Linux {kernel}"
        )
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// What a command prints, when it succeeds.
fn said(command: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(command).args(args).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The value of a line such as `model name : AMD EPYC`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.into_iter().find_map(|(key, value)| (key.trim() == name).then_some(value.trim()))
}

/// The file system of a folder, and its device, from `/proc/self/mountinfo`: the one whose place is the longest that
/// the folder lies below.
fn disk(mounts: &str, folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mount = |line: &str| {
        let (places, device) = line.split_once(" - ")?;
        let place = places.split(' ').nth(4)?.to_owned();
        let mut device = device.split(' ');
        Some((place, format!("{} on {}", device.next()?, device.next()?)))
    };
    let below = mounts.lines().filter_map(mount).filter(|(place, _)| folder.starts_with(place));
    below.max_by_key(|(place, _)| place.len()).map(|(_, device)| device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lies_on_the_nearest_mount() {
        let mounts = "1 0 254:0 / / rw - ext4 /dev/vda rw\n2 1 0:1 / /proc rw shared:1 - proc proc rw\n";
        assert_eq!(disk(mounts, Path::new("/proc/self")).as_deref(), Some("proc on proc"));
        assert_eq!(disk(mounts, Path::new("/")).as_deref(), Some("ext4 on /dev/vda"));
        assert_eq!(disk(mounts, Path::new("/no/such/folder")), None);
        assert_eq!(field("model name\t: A B\nMemTotal:   8 kB\n", "MemTotal"), Some("8 kB"));
    }

    #[test]
    fn this_machine_has_a_name() {
        let machine = Machine::here(&std::env::temp_dir());
        assert!(machine.cores > 0 && machine.memory > 0, "{machine}");
        assert!(!machine.kernel.is_empty() && machine.date.starts_with("20"), "{machine}");
    }
}
