//! One line of the high-water mark.

use core::fmt;

use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::merkle::{RootHash, TreeSize};
use countersign_verifier::note::VerifierKey;

use crate::cosigned::Cosigned;

/// `<size> <root, base64> <cosignature, base64> <origin>`, in the form that it has in the file. Whether the cosignature
/// is one, only [`Line::verify`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    checkpoint: Checkpoint,
    /// Key id, time and signature in base64, as in a signature line of a note.
    cosignature: String,
}

impl Line {
    pub(super) fn of(head: &Cosigned) -> Self {
        let cosignature = head.cosignature().to_string();
        let cosignature = cosignature.trim_end().rsplit(' ').next().unwrap_or_default().to_owned();
        Self { checkpoint: Checkpoint::new(head.origin().clone(), head.size(), head.root()), cosignature }
    }

    /// Reads one line, its line feed included.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let mut parts = core::str::from_utf8(line).ok()?.strip_suffix('\n')?.splitn(4, ' ');
        let size = TreeSize::parse(parts.next()?)?;
        let root = RootHash::from_base64(parts.next()?).ok()?;
        let cosignature = parts.next().filter(|text| !text.is_empty())?.to_owned();
        let origin = Origin::new(parts.next()?).ok()?;
        Some(Self { checkpoint: Checkpoint::new(origin, size, root), cosignature })
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.checkpoint.origin
    }

    /// The head, if `key` cosigned it.
    pub(super) fn verify(&self, key: &VerifierKey) -> Option<Cosigned> {
        let Self { checkpoint, cosignature } = self;
        let note = format!("{checkpoint}\n\u{2014} {name} {cosignature}\n", name = key.name());
        Cosigned::parse(note.as_bytes(), key).ok()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { checkpoint: Checkpoint { origin, size, root, .. }, cosignature } = self;
        writeln!(f, "{size} {} {cosignature} {origin}", root.to_base64())
    }
}
