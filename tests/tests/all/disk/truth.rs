//! What was said to anybody, and has to stay true.

use std::collections::BTreeMap;

use countersign_log::log::{Atomicity, Log, Published, SequencedHead};
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::{
    CompactRange, LeafHash, LeafIndex, NodeHash, RootHash, TreeSize, verify_inclusion,
};
use countersign_verifier::note::SignedNote;
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::VerifiedStatement;

/// A proof that somebody took home.
#[derive(Debug)]
struct Taken {
    index: LeafIndex,
    size: TreeSize,
    proof: Vec<NodeHash>,
}

/// What was said to anybody, and has to stay true.
#[derive(Debug, Default)]
pub(super) struct Truth {
    acknowledged: BTreeMap<LeafIndex, Vec<u8>>,
    unanswered: Vec<VerifiedStatement>,
    heads: BTreeMap<TreeSize, RootHash>,
    proofs: Vec<Taken>,
}

impl Truth {
    /// How many entries were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    /// How many heads were shown to anybody.
    pub(super) fn heads(&self) -> usize {
        self.heads.len()
    }

    /// How many proofs somebody took home.
    pub(super) fn proofs(&self) -> usize {
        self.proofs.len()
    }

    pub(super) fn entry(&mut self, index: LeafIndex, statement: &VerifiedStatement) {
        let bytes = statement.statement().bytes().to_vec();
        let before = self.acknowledged.insert(index, bytes.clone());
        assert!(before.is_none_or(|before| before == bytes), "index {index} was given twice");
    }

    pub(super) fn unanswered(&mut self, statements: Vec<VerifiedStatement>) {
        self.unanswered.extend(statements);
    }

    fn head(&mut self, size: TreeSize, root: RootHash) {
        let before = self.heads.insert(size, root);
        assert!(before.is_none_or(|before| before == root), "two roots of size {size}");
    }

    pub(super) fn sequenced(&mut self, head: &SequencedHead) {
        self.head(head.checkpoint.size, head.checkpoint.root);
    }

    /// A published head, and the proof that the log gives an entry under it.
    pub(super) fn published(&mut self, log: &Log, head: &Published) {
        let note = SignedNote::parse(head.note.as_bytes()).unwrap();
        assert_eq!(log.policy().verify(&note).unwrap(), head.checkpoint);
        self.head(head.size, head.root);
        let known = self.acknowledged.iter().rev().find(|(index, _)| head.size.contains(**index));
        let Some((index, bytes)) = known else { return };
        // The disk may fail while the proof is read, and then there is none.
        if let Ok(proof) = log.inclusion_proof(*index, head.size) {
            verify_inclusion(LeafHash::of(bytes), *index, head.size, &proof, head.root).unwrap();
            self.proofs.push(Taken { index: *index, size: head.size, proof });
        }
    }

    /// A head that a witness has cosigned.
    pub(super) fn witnessed(&mut self, note: &SignedNote, policy: &Policy) {
        policy.verify_cosignatures(note).unwrap();
        let head = Checkpoint::parse(note.text()).unwrap();
        self.head(head.size, head.root);
    }

    /// Everything that was said is so, and what the log holds is one tree under its own head.
    pub(super) fn check(&self, log: &Log) {
        assert!(log.stopped().is_none(), "the log has stopped: {:?}", log.stopped());
        let head = log.sequenced_head();
        let mut tree = CompactRange::new();
        let mut roots = BTreeMap::from([(TreeSize::EMPTY, tree.root())]);
        while let Some(index) = tree.size().next_index().filter(|index| head.checkpoint.size.contains(*index))
        {
            let bytes = log.entry(index).unwrap().unwrap();
            let id = LeafHash::of(&bytes);
            if let Some(acknowledged) = self.acknowledged.get(&index) {
                assert_eq!(*acknowledged, bytes, "at index {index}");
            }
            assert_eq!(log.entry_index(&id).unwrap(), Some(index));
            assert!(tree.append(id, |_, _| ()));
            roots.insert(tree.size(), tree.root());
        }
        assert_eq!(tree.root(), head.checkpoint.root);
        for (size, root) in &self.heads {
            assert_eq!(roots.get(size), Some(root), "the head of size {size} was shown to somebody");
            assert_eq!(log.root(*size).unwrap(), *root, "by the tiles, the head of size {size}");
        }
        for Taken { index, size, proof } in &self.proofs {
            assert_eq!(log.inclusion_proof(*index, *size).unwrap(), *proof, "of {index} in {size}");
        }
        let beyond =
            self.acknowledged.last_key_value().is_none_or(|(last, _)| head.checkpoint.size.contains(*last));
        assert!(beyond, "the log has {} entries, and more were acknowledged", head.checkpoint.size);
    }

    /// Submits again what got no answer: each gets one now, and its index is that of its own bytes.
    pub(super) async fn submit_again(&mut self, log: &Log) {
        let statements = std::mem::take(&mut self.unanswered);
        for part in statements.chunks(500) {
            let results = log.submit(part.to_vec(), Atomicity::Each).await.unwrap();
            for (statement, result) in part.iter().zip(results) {
                let sequenced = result.unwrap_or_else(|refused| panic!("{refused}"));
                assert_eq!(
                    log.entry(sequenced.index).unwrap().as_deref(),
                    Some(statement.statement().bytes())
                );
                self.entry(sequenced.index, statement);
            }
        }
        self.sequenced(&log.sequenced_head());
    }
}
