//! Files and connections that the system lets a process have open.

use countersign_verifier::program::{Exit, Failed};
use rustix::process::{Resource, getrlimit, setrlimit};

/// What a server opens beside its connections: files of its database, sockets to others, what its libraries need.
const BESIDE_CONNECTIONS: u64 = 1024;

/// Makes sure that connections never take the descriptors that the database needs.
///
/// A database that cannot open a file fails a write, after which a log stops; so clients must not be able to take the
/// last descriptor. Raises the soft limit as far as needed.
pub(crate) fn suffice_for(connections: usize) -> Result<(), Failed> {
    let needed = (connections as u64).saturating_add(BESIDE_CONNECTIONS);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(maximum) = limit.maximum.filter(|maximum| *maximum < needed) {
        let what =
            format!("{connections} connections need {needed} open files, and the system allows {maximum}");
        return Err(Failed::new(Exit::Usage, what).hint(
            "lower --max-connections, or raise the limit (ulimit -Hn; LimitNOFILE= in a systemd unit)",
        ));
    }
    limit.current = Some(needed);
    setrlimit(Resource::Nofile, limit).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, "the limit of open files cannot be raised").because(error)
    })
}
