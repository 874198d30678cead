//! The Merkle tree of RFC 6962 section 2.1, with SHA-256.
//!
//! A leaf hash does not fit where a root goes: [`LeafHash`], [`NodeHash`] and [`RootHash`] are different types,
//! and so are [`LeafIndex`] and [`TreeSize`]. Proofs are verified by [`verify_inclusion`] and
//! [`verify_consistency`], both of them cases of [`verify_subtree`]; they are built by [`ProofPlan`], which says
//! which stored nodes it needs and leaves fetching them to the caller.

mod hash;
mod multiproof;
mod plan;
mod position;
mod range;
mod verify;

#[cfg(test)]
mod tests;

pub use hash::{HashError, LeafHash, NodeHash, RootHash};
#[cfg(test)]
pub(crate) use multiproof::Rfc6962;
pub use multiproof::verify_multiproof;
pub use plan::{PlanError, ProofPlan};
pub use position::{LeafIndex, NodeId, TreeSize};
pub use range::CompactRange;
pub use verify::{
    ProofError, Subtree, root_by_inclusion, verify_consistency, verify_inclusion, verify_subtree,
};
