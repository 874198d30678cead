//! Reading the files that a check is about, each within its bound.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::quorum::Policy;

/// The largest policy that is read.
const MAX_POLICY_BYTES: usize = 1 << 20;

/// The trust policy in a file.
pub(crate) fn read_policy(path: &Path) -> Result<Policy, Failed> {
    Policy::parse(&read(path, MAX_POLICY_BYTES)?).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("{} is not a tlog-policy", path.display())).because(error)
    })
}

/// A file of at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failed> {
    let failed = || Failed::new(Exit::CouldNotCheck, format!("cannot read {}", path.display()));
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| failed().because(error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
        return Err(
            failed().because(format!("it is larger than the {limit} bytes that such a file can have"))
        );
    }
    Ok(bytes)
}
