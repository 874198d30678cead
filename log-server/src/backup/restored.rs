//! Going on from a copy.

use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::Path;

use countersign_verifier::merkle::TreeSize;
use countersign_verifier::program::durable;
use countersign_verifier::quorum::{Policy, Witness};
use serde::{Deserialize, Serialize};

use super::BackupError;

/// The file in the data folder.
const FILE: &str = "restored";

/// The mark of a data folder that was made out of a copy and was not confirmed to be the newest since.
///
/// While it is there, the log signs nothing. It goes away when the log opens and so many witnesses have cosigned its head
/// that those which have not cannot have made up a quorum by themselves: then no head was ever published that is not in
/// the store. Where there are no such witnesses, the operator may declare it. Whoever has a signed head that
/// says otherwise can show it still, and then the log stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// How many entries the copy had.
    #[serde(with = "number")]
    pub size: TreeSize,
    /// Whether the operator declared that there is nothing newer.
    pub declared: bool,
}

impl Restored {
    /// Reads the mark; `None` when there is none.
    pub fn read(data: &Path) -> Result<Option<Self>, BackupError> {
        let path = data.join(FILE);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| BackupError::Marker(path)),
            Err(error) if error.kind() == NotFound => Ok(None),
            Err(error) => Err(BackupError::file(&path)(error)),
        }
    }

    /// Writes the mark. When it returns `Ok`, it survives any crash.
    pub(crate) fn write(&self, data: &Path) -> Result<(), BackupError> {
        let path = data.join(FILE);
        let write = || {
            let mut bytes = serde_json::to_vec(self)?;
            bytes.push(b'\n');
            durable::replace(&path, &bytes)
        };
        write().map(drop).map_err(BackupError::file(&path))
    }

    /// Takes the mark away.
    pub(crate) fn remove(data: &Path) -> Result<(), BackupError> {
        let path = data.join(FILE);
        let removed = fs::remove_file(&path).and_then(|()| durable::sync_folder_of(&path));
        removed.map_err(BackupError::file(&path))
    }

    /// Whether the log may go on, when those witnesses that are `heard` vouch that they have cosigned no more than it has.
    pub(crate) fn is_confirmed(&self, policy: &Policy, heard: impl Fn(&Witness) -> bool) -> bool {
        self.declared || !policy.is_satisfied_by(|witness| !heard(witness))
    }
}

/// Declares that nothing newer exists than what was restored into the data folder `data`.
pub fn declare(data: &Path) -> Result<Restored, BackupError> {
    let restored = Restored::read(data)?.ok_or_else(|| BackupError::NotRestored(data.to_owned()))?;
    let declared = Restored { declared: true, ..restored };
    declared.write(data)?;
    Ok(declared)
}

mod number {
    use countersign_verifier::merkle::TreeSize;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    pub(super) fn serialize<S: Serializer>(size: &TreeSize, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(size.get())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TreeSize, D::Error> {
        let size = u64::deserialize(deserializer)?;
        TreeSize::new(size).ok_or_else(|| D::Error::custom("expected a size below 2^63"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_not_heard_must_not_make_up_a_quorum() {
        let key = |name: &str| {
            let seed = [name.as_bytes()[0]; 32];
            let name = countersign_verifier::note::KeyName::new(name).unwrap();
            countersign_verifier::note::NoteSigner::from_seed(name, true, &seed).verifier().clone()
        };
        let lines = ["a", "b", "c"].map(|name| format!("witness {name} {}\n", key(name))).concat();
        let policy = Policy::parse(format!("{lines}group two 2 a b c\nquorum two\n").as_bytes()).unwrap();
        let restored = Restored { size: TreeSize::EMPTY, declared: false };
        let confirmed =
            |heard: &[&str]| restored.is_confirmed(&policy, |witness| heard.contains(&witness.name.as_str()));
        assert!(!confirmed(&["a"]) && confirmed(&["a", "c"]));
        let none = Policy::parse(b"quorum none\n").unwrap();
        assert!(!restored.is_confirmed(&none, |_| false));
        assert!(Restored { declared: true, ..restored }.is_confirmed(&none, |_| false));
    }
}
