//! Who is right about the hashes of a tile.
//!
//! Three have a say: what lies below (entries, or the tiles of the level below), the tile as it is kept, and the hash
//! of it that is kept one level above. Any two of them that agree convict the third, so that one damaged row is one
//! finding, and what leads upwards from it is not blamed as well.

use countersign_verifier::merkle::NodeHash;

/// What the three say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ballot<'a> {
    /// Hashed anew from below; `None` where nothing can be read.
    pub(super) below: &'a [Option<NodeHash>],
    /// As kept, if it can be read.
    pub(super) kept: Option<&'a [NodeHash]>,
    /// The hash of the whole, as kept one level above.
    pub(super) above: Option<NodeHash>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Below and the tile agree. Whether they do with what is above is found out there.
    Agree,
    /// What is below is not what it was at these places.
    Below(Vec<usize>),
    /// The tile is not what it was at these places; at none when it is not there.
    Kept(Vec<usize>),
    /// They differ at these places, and nothing says who is right.
    Unclear(Vec<usize>),
}

impl Ballot<'_> {
    pub(super) fn decide(&self) -> Verdict {
        let Some(kept) = self.kept else {
            // Nobody speaks against what is below, as far as it can be read.
            let unread = places(self.below, Option::is_none);
            return if unread.is_empty() { Verdict::Kept(Vec::new()) } else { Verdict::Unclear(unread) };
        };
        let mut kept_hashes = kept.iter();
        let differ = places(self.below, |hash| kept_hashes.next() != hash.as_ref());
        if differ.is_empty() {
            return Verdict::Agree;
        }
        let complete: Option<Vec<NodeHash>> = self.below.iter().copied().collect();
        let below_fits =
            complete.as_deref().and_then(root_of_full).is_some_and(|root| Some(root) == self.above);
        let kept_fits = root_of_full(kept).is_some_and(|root| Some(root) == self.above);
        if kept_fits {
            Verdict::Below(differ)
        } else if below_fits {
            Verdict::Kept(differ)
        } else {
            Verdict::Unclear(differ)
        }
    }
}

fn places(hashes: &[Option<NodeHash>], mut wrong: impl FnMut(&Option<NodeHash>) -> bool) -> Vec<usize> {
    hashes.iter().enumerate().filter(|(_, hash)| wrong(hash)).map(|(at, _)| at).collect()
}

/// The node above a full tile; `None` when the number of hashes is no power of two.
pub(super) fn root_of_full(hashes: &[NodeHash]) -> Option<NodeHash> {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, odd) = row.as_chunks::<2>();
        if !odd.is_empty() {
            return None;
        }
        row = pairs.iter().map(|[left, right]| NodeHash::parent(left, right)).collect();
    }
    row.first().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(from: u8) -> Vec<NodeHash> {
        (0..=255).map(|at: u8| NodeHash::from_bytes([at.wrapping_add(from); 32])).collect()
    }

    #[test]
    fn two_convict_the_third() {
        let right = hashes(0);
        let above = root_of_full(&right);
        let mut wrong = right.clone();
        wrong[7] = NodeHash::from_bytes([99; 32]);
        let some = |hashes: &[NodeHash]| hashes.iter().copied().map(Some).collect::<Vec<_>>();
        let mut unread = some(&right);
        unread[3] = None;
        let decide = |below: &[Option<NodeHash>], kept, above| Ballot { below, kept, above }.decide();
        assert_eq!(decide(&some(&right), Some(&right), above), Verdict::Agree);
        assert_eq!(decide(&some(&right), Some(&right), None), Verdict::Agree);
        assert_eq!(decide(&some(&wrong), Some(&right), above), Verdict::Below(vec![7]));
        assert_eq!(decide(&some(&right), Some(&wrong), above), Verdict::Kept(vec![7]));
        assert_eq!(decide(&unread, Some(&right), above), Verdict::Below(vec![3]));
        assert_eq!(decide(&some(&right), None, above), Verdict::Kept(vec![]));
        assert_eq!(decide(&unread, None, above), Verdict::Unclear(vec![3]));
        assert_eq!(decide(&some(&wrong), Some(&right), None), Verdict::Unclear(vec![7]));
        assert_eq!(decide(&unread, Some(&wrong), above), Verdict::Unclear(vec![3, 7]));
    }
}
