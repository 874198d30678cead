//! Full tiles and bundles in memory, as they are served. They never change, and readers of a log ask for the same ones
//! again and again: followers for the newest, everyone else for those near the root.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use countersign_verifier::tiles::{FULL_WIDTH, Resource};

use crate::cache::Recent;

/// How many bytes are kept: about a hundred bundles, or four thousand tiles.
const BOUND: usize = 32 * 1024 * 1024;

/// What was served lately.
#[derive(Debug)]
pub(super) struct Shelf {
    kept: Mutex<Recent<Resource, Bytes>>,
}

impl Shelf {
    pub(super) fn new() -> Self {
        Self { kept: Mutex::new(Recent::new(BOUND)) }
    }

    /// The bytes of a resource, if they are here.
    pub(super) fn get(&self, resource: Resource) -> Option<Bytes> {
        self.lock().get(&resource)
    }

    /// Keeps the bytes of a resource if it is a full one. What is in partial ones will soon be in others.
    pub(super) fn keep(&self, resource: Resource, bytes: &Bytes) {
        let (Resource::Hashes(_, width) | Resource::Entries(_, width)) = resource;
        if u64::from(width.get()) == FULL_WIDTH {
            self.lock().put(resource, bytes.clone(), bytes.len());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Recent<Resource, Bytes>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_never_changes_is_kept() {
        let shelf = Shelf::new();
        let resource = |path: &str| Resource::parse(path).unwrap();
        for (path, kept) in [
            ("tile/0/000", true),
            ("tile/0/000.p/255", false),
            ("tile/entries/001", true),
            ("tile/entries/001.p/1", false),
        ] {
            shelf.keep(resource(path), &Bytes::from_static(path.as_bytes()));
            let expected = kept.then(|| Bytes::from_static(path.as_bytes()));
            assert_eq!(shelf.get(resource(path)), expected, "{path}");
        }
        assert_eq!(shelf.get(resource("tile/entries/000")), None);
    }
}
