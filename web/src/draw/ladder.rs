//! The path from an entry to the root, as a ladder: exact at any size of tree.

use askama::Template;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, TreeSize};
use serde::Serialize;

/// One step of a path: what stands beside, and what the two make together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Rung {
    pub(crate) side: Side,
    /// The hash that the proof brings, in hex.
    pub(crate) sibling: String,
    /// Which entries it covers, the second one not included.
    pub(crate) covers: (u64, u64),
    /// What the two hash to, in hex: the way to the root.
    pub(crate) parent: String,
}

/// On which side of the path the other hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Side {
    Left,
    Right,
}

impl Rung {
    pub(crate) fn is_left(&self) -> bool {
        self.side == Side::Left
    }

    /// The last entry that the sibling covers.
    pub(crate) fn last(&self) -> u64 {
        self.covers.1.saturating_sub(1)
    }
}

/// The steps of an inclusion proof, from the entry upwards. The last parent is the root, if the proof holds.
pub(crate) fn rungs(leaf: LeafHash, index: LeafIndex, size: TreeSize, proof: &[NodeHash]) -> Vec<Rung> {
    // Walk down from the root: what is left aside is what the proof brings, the last of it first.
    let (mut low, mut high) = (0_u64, size.get());
    let mut aside = Vec::new();
    while high.saturating_sub(low) > 1 {
        let span = high.saturating_sub(low);
        let middle = low.saturating_add(span.next_power_of_two() / 2);
        if index.get() < middle {
            aside.push((Side::Right, (middle, high)));
            high = middle;
        } else {
            aside.push((Side::Left, (low, middle)));
            low = middle;
        }
    }
    let mut own = NodeHash::from(leaf);
    let steps = aside.into_iter().rev().zip(proof);
    steps
        .map(|((side, covers), sibling)| {
            own = match side {
                Side::Left => NodeHash::parent(sibling, &own),
                Side::Right => NodeHash::parent(&own, sibling),
            };
            Rung { side, sibling: sibling.to_string(), covers, parent: own.to_string() }
        })
        .collect()
}

/// The drawing of a path.
#[derive(Debug, Template)]
#[template(path = "ladder.svg", escape = "html")]
pub(crate) struct Ladder {
    index: u64,
    leaf: String,
    height: usize,
    /// The rungs from the top of the drawing, each with the height at which it is drawn.
    steps: Vec<Step>,
    /// Where the entry is drawn.
    bottom: usize,
}

#[derive(Debug)]
struct Step {
    /// The top of the box of the parent.
    top: usize,
    /// The middle of the gap below it, at which the sibling is drawn.
    gap: usize,
    left: bool,
    sibling: String,
    parent: String,
    covers: String,
    is_root: bool,
}

/// The distance from one rung to the next.
const STEP: usize = 68;
/// The height of a box.
const BOX: usize = 32;
const MARGIN: usize = 8;

impl Ladder {
    pub(crate) fn new(index: u64, leaf: &str, rungs: &[Rung]) -> Self {
        let last = rungs.len().saturating_sub(1);
        let steps = rungs.iter().rev().enumerate().map(|(at, rung)| {
            let top = at.saturating_mul(STEP).saturating_add(MARGIN);
            let (first, end) = (rung.covers.0, rung.last());
            Step {
                top,
                gap: top.saturating_add(BOX).saturating_add((STEP - BOX) / 2),
                left: rung.is_left(),
                sibling: short(&rung.sibling),
                parent: short(&rung.parent),
                covers: if first == end {
                    format!("entry {first}")
                } else {
                    format!("entries {first}–{end}")
                },
                is_root: last.checked_sub(at) == Some(last),
            }
        });
        let bottom = rungs.len().saturating_mul(STEP).saturating_add(MARGIN);
        Self {
            index,
            leaf: short(leaf),
            height: bottom.saturating_add(BOX).saturating_add(MARGIN),
            steps: steps.collect(),
            bottom,
        }
    }
}

/// The first and the last eight digits of a hash.
fn short(hash: &str) -> String {
    let head = hash.get(..8).unwrap_or(hash);
    let tail = hash.len().checked_sub(8).and_then(|at| hash.get(at..)).unwrap_or_default();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use countersign_verifier::merkle::{CompactRange, NodeId, ProofPlan};
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn the_last_parent_is_the_root_in_every_tree() {
        for size in 1_u64..70 {
            let mut range = CompactRange::new();
            let mut nodes: HashMap<NodeId, NodeHash> = HashMap::new();
            let leaf = |number: u64| LeafHash::of(&number.to_be_bytes());
            for number in 0..size {
                assert!(range.append(leaf(number), |node, hash| nodes.extend([(node, hash)])));
            }
            for number in 0..size {
                let (index, tree) = (LeafIndex::new(number).unwrap(), TreeSize::new(size).unwrap());
                let plan = ProofPlan::inclusion(index, tree).unwrap();
                let proof =
                    plan.build(&plan.nodes().iter().map(|node| nodes[node]).collect::<Vec<_>>()).unwrap();
                let rungs = rungs(leaf(number), index, tree, &proof);
                assert_eq!(rungs.len(), proof.len());
                let top = rungs.last().map_or(leaf(number).to_string(), |rung| rung.parent.clone());
                assert_eq!(top, range.root().to_string());
                // The siblings and the entry together are the whole tree, each entry once.
                let covered: u64 = rungs.iter().map(|rung| rung.covers.1 - rung.covers.0).sum();
                assert_eq!(covered + 1, size);
                let ladder = Ladder::new(number, &leaf(number).to_string(), &rungs).render().unwrap();
                assert_eq!(ladder.matches("class=\"sibling\"").count(), rungs.len());
            }
        }
    }
}
