//! What a log answered, held against what was sent.

use std::borrow::Cow;
use std::collections::HashMap;

use countersign_verifier::checkpoint::{Checkpoint, CheckpointError};
use countersign_verifier::merkle::{LeafHash, LeafIndex, ProofError, verify_inclusion};
use countersign_verifier::note::SignedNote;
use countersign_verifier::proof::{ProofFormatError, TlogProof};
use serde::Deserialize;

/// An acknowledgement that is false on its face.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// Not the JSON of an acknowledgement.
    #[error("the answer is not an acknowledgement: {0}")]
    Json(#[from] serde_json::Error),
    /// The acknowledgement is about another entry.
    #[error("entry {sent} was sent, and {stated:?} is acknowledged")]
    OtherEntry {
        /// The id of what was sent.
        sent: LeafHash,
        /// What the answer says.
        stated: String,
    },
    /// The acknowledgement lacks a member.
    #[error("the acknowledgement of {0} lacks index, entry or proof")]
    Incomplete(LeafHash),
    /// The proof is for another place.
    #[error("the acknowledgement says index {stated}, its proof {proven}")]
    OtherIndex {
        /// The index beside the proof.
        stated: u64,
        /// The index in the proof.
        proven: LeafIndex,
    },
    /// The proof is none.
    #[error("the proof: {0}")]
    Form(#[from] ProofFormatError),
    /// The head of the proof is none.
    #[error("the head of the proof: {0}")]
    Head(#[from] CheckpointError),
    /// The proof does not lead to its head.
    #[error("the proof does not hold: {0}")]
    Inclusion(#[from] ProofError),
    /// The answer should be an index in decimal digits.
    #[error("the answer is {0:?}, expected an index in decimal digits")]
    NotAnIndex(String),
    /// A batch has another number of answers than statements.
    #[error("{sent} statements were sent, {answered} answers came")]
    Count {
        /// How many were sent.
        sent: usize,
        /// How many answers came.
        answered: usize,
    },
}

/// The heads that answers named, each note once.
#[derive(Debug, Default)]
pub struct Heads(HashMap<String, (SignedNote, Checkpoint)>);

impl Heads {
    /// Every note, with the head in it.
    pub fn iter(&self) -> impl Iterator<Item = &(SignedNote, Checkpoint)> {
        self.0.values()
    }

    /// Takes over what `other` has seen.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn see(&mut self, note: SignedNote) -> Result<&Checkpoint, CheckpointError> {
        let key = note.to_string();
        let head = Checkpoint::parse(note.text())?;
        let (_, head) = self.0.entry(key).or_insert((note, head));
        Ok(head)
    }
}

/// One item of an answer: an acknowledgement, or a problem document in its place.
#[derive(Debug, Deserialize)]
pub struct Item<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    entry: Option<Cow<'a, str>>,
    #[serde(borrow)]
    proof: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    problem: Option<Cow<'a, str>>,
    status: Option<u16>,
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// The entry is there, and the proof of it holds.
    There(LeafIndex),
    /// It is refused, under this code and status.
    Refused(String, u16),
}

impl Item<'_> {
    /// Reads the answer to a single statement.
    pub fn single(body: &[u8]) -> Result<Item<'_>, Wrong> {
        Ok(serde_json::from_slice(body)?)
    }

    /// Reads the answer to a batch of `sent` statements.
    pub fn batch(body: &[u8], sent: usize) -> Result<Vec<Item<'_>>, Wrong> {
        let items: Vec<Item<'_>> = serde_json::from_slice(body)?;
        if items.len() == sent { Ok(items) } else { Err(Wrong::Count { sent, answered: items.len() }) }
    }

    /// Holds the item against the id of what was sent. Who signed the head is checked later, once a head.
    ///
    /// With `pending`, the answer has the status 202: the entry is in, and there is no proof of it yet.
    pub fn check(self, sent: LeafHash, pending: bool, heads: &mut Heads) -> Result<Said, Wrong> {
        if let Some(problem) = self.problem {
            let code = problem.rsplit('/').next().unwrap_or_default().to_owned();
            return Ok(Said::Refused(code, self.status.unwrap_or_default()));
        }
        let (Some(stated), Some(entry)) = (self.index, self.entry) else {
            return Err(Wrong::Incomplete(sent));
        };
        if entry != sent.to_string() {
            return Err(Wrong::OtherEntry { sent, stated: entry.into_owned() });
        }
        let Some(proof) = self.proof else {
            let index = LeafIndex::new(stated).filter(|_| pending);
            return index.map(Said::There).ok_or(Wrong::Incomplete(sent));
        };
        let TlogProof { index, hashes, checkpoint, .. } = TlogProof::parse(proof.as_bytes())?;
        if stated != index.get() {
            return Err(Wrong::OtherIndex { stated, proven: index });
        }
        let head = heads.see(checkpoint)?;
        verify_inclusion(sent, index, head.size, &hashes, head.root)?;
        Ok(Said::There(index))
    }
}

#[cfg(test)]
mod tests {
    use countersign_verifier::checkpoint::Origin;
    use countersign_verifier::merkle::{NodeHash, RootHash, TreeSize};
    use countersign_verifier::note::{KeyName, NoteSigner};
    use serde_json::{Value, json};

    use super::*;

    fn acknowledgement(sent: &[u8], other: LeafHash) -> Value {
        let (leaf, other) = (LeafHash::of(sent), NodeHash::from(other));
        let root = RootHash::from(NodeHash::parent(&other, &leaf.into()));
        let head = Checkpoint::new(Origin::new("log.example").unwrap(), TreeSize::new(2).unwrap(), root);
        let signer = NoteSigner::from_seed(KeyName::new("log.example").unwrap(), false, &[1; 32]);
        let index = LeafIndex::new(1).unwrap();
        let proof = TlogProof { extra: None, index, hashes: vec![other], checkpoint: head.sign(&signer) };
        json!({"index": 1, "entry": leaf.to_string(), "proof": proof.to_string(), "checkpoint": "", "inclusion": []})
    }

    fn check(answer: &Value, sent: &[u8]) -> Result<Said, Wrong> {
        let body = answer.to_string();
        Item::single(body.as_bytes())?.check(LeafHash::of(sent), false, &mut Heads::default())
    }

    #[test]
    fn an_acknowledgement_is_believed_only_with_its_proof() {
        let answer = acknowledgement(b"sent", LeafHash::of(b"other"));
        assert_eq!(check(&answer, b"sent").unwrap(), Said::There(LeafIndex::new(1).unwrap()));
        assert!(matches!(check(&answer, b"tens"), Err(Wrong::OtherEntry { .. })));
        let changed = |member: &str, value: Value| {
            let mut answer = answer.clone();
            answer[member] = value;
            check(&answer, b"sent")
        };
        assert!(matches!(changed("index", json!(0)), Err(Wrong::OtherIndex { stated: 0, .. })));
        assert!(matches!(changed("proof", json!("nonsense")), Err(Wrong::Form(_))));
        assert!(matches!(changed("proof", json!(null)), Err(Wrong::Incomplete(_))));
        let of_another = acknowledgement(b"different", LeafHash::of(b"other"))["proof"].clone();
        assert!(matches!(changed("proof", of_another), Err(Wrong::Inclusion(_))));
        assert!(matches!(check(&json!("text"), b"sent"), Err(Wrong::Json(_))));
        let pending = json!({"index": 7, "entry": LeafHash::of(b"sent").to_string()}).to_string();
        let check = |pending_status| {
            let item = Item::single(pending.as_bytes()).unwrap();
            item.check(LeafHash::of(b"sent"), pending_status, &mut Heads::default())
        };
        assert_eq!(check(true).unwrap(), Said::There(LeafIndex::new(7).unwrap()));
        assert!(matches!(check(false), Err(Wrong::Incomplete(_))));
    }

    #[test]
    fn batches_answer_each_statement() {
        let refused = json!({"type": "/errors/role-missing", "status": 403, "title": "", "detail": ""});
        let body = json!([acknowledgement(b"a", LeafHash::of(b"x")), refused]).to_string();
        assert!(matches!(Item::batch(body.as_bytes(), 3), Err(Wrong::Count { sent: 3, answered: 2 })));
        let mut heads = Heads::default();
        let said: Vec<Said> = Item::batch(body.as_bytes(), 2)
            .unwrap()
            .into_iter()
            .map(|item| item.check(LeafHash::of(b"a"), false, &mut heads).unwrap())
            .collect();
        assert_eq!(said[1], Said::Refused("role-missing".to_owned(), 403));
        assert_eq!(heads.iter().count(), 1);
    }
}
