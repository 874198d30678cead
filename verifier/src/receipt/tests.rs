//! Receipts of small trees, judged by the COSE library and by `rs_merkle` as well.

use proptest::prelude::*;
use rs_merkle::MerkleProof;

use super::*;
use crate::merkle::{ProofPlan, Rfc6962};
use crate::note::KeyName;

fn signer() -> NoteSigner {
    NoteSigner::from_seed(KeyName::new("log.example/receipts").unwrap(), false, &[3; 32])
}

fn key() -> PublicKey {
    *signer().verifier().public_key().unwrap()
}

fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// The receipt of an entry, in a tree of entries that are all different.
fn receipt(index: u64, size: u64) -> Result<Receipt, ReceiptError> {
    let leaf = |index| NodeHash::from(LeafHash::of(&entry(index)));
    let hash = |node: &crate::merkle::NodeId| {
        root_of(&(node.index << node.height..node.end()).map(leaf).collect::<Vec<_>>())
    };
    let (at, of) = (LeafIndex::new(index).unwrap(), TreeSize::new(size).unwrap());
    let plan = ProofPlan::inclusion(at, of).unwrap();
    let nodes: Vec<NodeHash> = plan.nodes().iter().map(hash).collect();
    let path = plan.build(&nodes).unwrap();
    let origin = Origin::new("log.example/receipts").unwrap();
    Receipt::issue(&signer(), origin, "deploy/17".into(), LeafHash::of(&entry(index)), at, of, path)
}

/// The root over leaves, written down as RFC 6962 defines it.
fn root_of(leaves: &[NodeHash]) -> NodeHash {
    if let [leaf] = leaves {
        return *leaf;
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    NodeHash::parent(&root_of(left), &root_of(right))
}

#[test]
fn every_receipt_of_small_trees_verifies_for_its_entry_alone() {
    for size in 2..40 {
        let leaves: Vec<NodeHash> = (0..size).map(|index| LeafHash::of(&entry(index)).into()).collect();
        let root = root_of(&leaves);
        for index in 0..size {
            let bytes = receipt(index, size).unwrap().to_bytes().unwrap();
            let receipt = Receipt::parse(&bytes).unwrap();
            assert_eq!(receipt.verify(LeafHash::of(&entry(index)), &key()), Ok(RootHash::from(root)));
            let other = LeafHash::of(&entry(index + 1));
            assert_eq!(receipt.verify(other, &key()), Err(ReceiptError::Signature(BadSignature)));
            assert_eq!((receipt.origin().as_str(), receipt.subject()), ("log.example/receipts", "deploy/17"));
        }
    }
    assert_eq!(receipt(0, 1), Err(ReceiptError::TooSmall(TreeSize::new(1).unwrap())));
}

#[test]
fn other_libraries_come_to_the_same() {
    for size in 2..20 {
        for index in 0..size {
            let bytes = receipt(index, size).unwrap().to_bytes().unwrap();
            let cose = CoseSign1::from_tagged_slice(&bytes).unwrap();
            assert_eq!(cose.payload, None);
            assert!(cose.protected.header.rest.contains(&(Label::Int(395), Value::from(1))));
            let leaves: Vec<[u8; 32]> =
                (0..size).map(|index| *LeafHash::of(&entry(index)).as_bytes()).collect();
            let tree = rs_merkle::MerkleTree::<Rfc6962>::from_leaves(&leaves);
            // Siblings from the leaf up are what rs_merkle has for one leaf as well.
            let at = usize::try_from(index).unwrap();
            let theirs: MerkleProof<Rfc6962> = tree.proof(&[at]);
            let ours = Receipt::parse(&bytes).unwrap().path;
            assert_eq!(theirs.proof_hashes(), ours.iter().map(|hash| *hash.as_bytes()).collect::<Vec<_>>());
            let root = tree.root().unwrap();
            cose.verify_detached_signature(&root, &[], |signature, signed| {
                key().verify(signed, signature.try_into().unwrap())
            })
            .unwrap();
        }
    }
}

#[test]
fn a_receipt_of_another_key_is_refused() {
    let other = NoteSigner::from_seed(KeyName::new("log.example/other").unwrap(), false, &[4; 32]);
    let refused =
        receipt(1, 3).unwrap().verify(LeafHash::of(&entry(1)), other.verifier().public_key().unwrap());
    assert!(matches!(refused, Err(ReceiptError::Key { .. })), "{refused:?}");
}

proptest! {
    #[test]
    fn no_changed_byte_is_believed(index in 0_u64..9, size in 2_u64..10, at in any::<prop::sample::Index>(), bit in 0_u32..8) {
        prop_assume!(index < size);
        let mut bytes = receipt(index, size).unwrap().to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = Receipt::parse(&bytes) {
            let verified = changed.verify(LeafHash::of(&entry(index)), &key());
            // Size and index are not signed: another pair that leads to the same root is as good.
            let same = Receipt { size: changed.size, index: changed.index, ..receipt(index, size).unwrap() };
            prop_assert!(verified.is_err() || changed == same, "{changed:?}");
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Receipt::parse(&bytes).is_err());
    }
}
