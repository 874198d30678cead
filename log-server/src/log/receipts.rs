//! COSE receipts of entries.

use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, RootHash, TreeSize, verify_inclusion};
use countersign_verifier::receipt::{Receipt, ReceiptError};
use countersign_verifier::statement::Statement;

use super::{Log, ReadError, SubmitError};

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum NoReceipt {
    /// The log signs nothing any more.
    #[error(transparent)]
    Stopped(SubmitError),
    /// The entry could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A tree of this size has no receipts.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// The path does not lead from the entry to the root, or the entry is no statement. Nothing was signed.
    #[error("the entry and its path do not belong together")]
    Inconsistent,
}

impl Log {
    /// The receipt (RFC 9942) of an entry under a head that this log has signed before: `root` is that of the head.
    pub fn receipt(
        &self,
        index: LeafIndex,
        (size, root): (TreeSize, RootHash),
        path: Vec<NodeHash>,
    ) -> Result<Receipt, NoReceipt> {
        if let Some(reason) = self.stopped() {
            return Err(NoReceipt::Stopped(SubmitError::Stopped(reason)));
        }
        let entry = self.entry(index)?.ok_or(NoReceipt::Inconsistent)?;
        let (id, statement) = (LeafHash::of(&entry), Statement::parse(&entry));
        let statement = statement.map_err(|_| NoReceipt::Inconsistent)?;
        // A signature over a root that no head has would be a second history.
        verify_inclusion(id, index, size, &path, root).map_err(|_| NoReceipt::Inconsistent)?;
        let origin = Origin::new(self.key().name().as_str()).map_err(|_| NoReceipt::Inconsistent)?;
        let subject = statement.claims().subject.to_string();
        Ok(Receipt::issue(&self.signer, origin, subject, id, index, size, path)?)
    }
}
