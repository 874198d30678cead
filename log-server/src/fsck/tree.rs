//! From leaf hashes upwards: tiles of all levels, the edge, the root, and the roots of earlier heads.

use std::collections::{BTreeMap, HashSet};

use countersign_verifier::merkle::{CompactRange, LeafHash, NodeHash, RootHash, TreeSize};
use countersign_verifier::tiles::{FULL_WIDTH, TileId, TileWidth};

use super::ballot::{Ballot, Verdict, root_of_full};
use super::finding::{Finding, Findings};
use crate::store::{EdgeHash, Head, Row, StoreError, Tiles};
use crate::tree::Edge;

/// How many levels of tiles there can be.
const LEVELS: usize = 8;
const TILES: &str = "tiles";
const EDGE: &str = "edge";

/// What is kept of the tiles that are not full, by level and position; `None` for a row that cannot be read.
pub(super) type Edges = BTreeMap<(u8, u8), Option<EdgeHash>>;

/// What the tree makes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decided {
    /// It is what the tree says, which has this hash.
    Sound(LeafHash),
    /// It is not what the tree says, which has this hash, if it has any.
    Damaged(Option<LeafHash>),
    /// It is in a tile that does not belong there. That is said of the tile.
    Doubtful,
}

/// A tile as it is kept.
#[derive(Debug, Clone)]
enum Kept {
    Hashes(Vec<NodeHash>),
    Missing,
    Damaged(String),
}

/// The tree as it grows anew out of the entries, beside the one that is kept.
#[derive(Debug)]
pub(super) struct Tree<'a, S> {
    store: &'a S,
    head: Head,
    /// What is kept of the tiles that are not full, by level and position.
    edge: &'a Edges,
    /// Whether the kept edge leads to the head.
    edge_fits: bool,
    /// By level: the hashes of the tile that is not full yet, and which tile it is.
    growing: [(u64, Vec<Option<NodeHash>>); LEVELS],
    /// By level: the tile that was read last.
    read: [Option<(u64, Kept)>; LEVELS],
    range: CompactRange,
    /// Whether `range` has all leaves so far, each beyond doubt.
    certain: bool,
    /// The roots of the trees of these sizes, once they are reached.
    roots: BTreeMap<TreeSize, Option<RootHash>>,
    full_tiles: u64,
    /// Tiles that are not what they were, and of which that is said.
    blamed: HashSet<TileId>,
}

impl<'a, S: Tiles> Tree<'a, S> {
    /// Begins with no entry. The roots of the trees of `sizes` are noted on the way.
    pub(super) fn new(
        store: &'a S,
        head: Head,
        edge: &'a Edges,
        sizes: impl IntoIterator<Item = TreeSize>,
    ) -> Self {
        let kept: Vec<EdgeHash> = edge.values().copied().flatten().collect();
        let edge_fits = Edge::restore(head.size, &kept).is_ok_and(|edge| edge.root() == head.root);
        let mut roots: BTreeMap<_, _> = sizes.into_iter().map(|size| (size, None)).collect();
        roots.entry(TreeSize::EMPTY).and_modify(|root| *root = Some(RootHash::empty()));
        Self {
            store,
            head,
            edge,
            edge_fits,
            growing: Default::default(),
            read: Default::default(),
            range: CompactRange::new(),
            certain: true,
            roots,
            full_tiles: 0,
            blamed: HashSet::new(),
        }
    }

    /// Takes the leaf hashes of the next tile of level 0, `None` for what cannot be read, and says what the tree makes of
    /// each. What is wrong with tiles is reported here, what is wrong with entries is for the caller.
    pub(super) fn take(
        &mut self,
        leaves: &[Option<LeafHash>],
        findings: &mut Findings,
    ) -> Result<Vec<Decided>, StoreError> {
        let below: Vec<Option<NodeHash>> = leaves.iter().map(|leaf| leaf.map(NodeHash::from)).collect();
        let Some(decided) = (if u64::try_from(below.len()) == Ok(FULL_WIDTH) {
            self.full(0, below.clone(), findings)?
        } else {
            Some(self.last_leaves(&below))
        }) else {
            return Ok(vec![Decided::Doubtful; leaves.len()]);
        };
        for leaf in &decided {
            let leaf = leaf.map(|hash| LeafHash::from_bytes(*hash.as_bytes()));
            self.certain = self.certain && leaf.is_some_and(|leaf| self.range.append(leaf, |_, _| ()));
            if self.certain
                && let Some(root) = self.roots.get_mut(&self.range.size())
            {
                *root = Some(self.range.root());
            }
        }
        let judged = decided.iter().zip(&below).map(|(hash, below)| {
            let leaf = hash.map(|hash| LeafHash::from_bytes(*hash.as_bytes()));
            match leaf {
                Some(leaf) if hash == below => Decided::Sound(leaf),
                leaf => Decided::Damaged(leaf),
            }
        });
        Ok(judged.collect())
    }

    /// Holds a full tile against what is below and above it, and goes on above. Returns the hashes that it has; `None` when it
    /// does not belong there.
    fn full(
        &mut self,
        level: u8,
        below: Vec<Option<NodeHash>>,
        findings: &mut Findings,
    ) -> Result<Option<Vec<Option<NodeHash>>>, StoreError> {
        let Some(growing) = self.growing.get_mut(usize::from(level)) else { return Ok(Some(below)) };
        let tile = TileId { level, index: growing.0 };
        growing.0 = growing.0.saturating_add(1);
        self.full_tiles = self.full_tiles.saturating_add(1);
        let above = self.above(tile)?;
        let kept = self.kept(tile)?;
        let hashes = match &kept {
            Kept::Hashes(hashes) => Some(hashes.as_slice()),
            Kept::Missing | Kept::Damaged(_) => None,
        };
        let verdict = Ballot { below: &below, kept: hashes, above }.decide();
        let finding = Finding::damage(TILES, Row::Tile(tile));
        if verdict != Verdict::Agree || hashes.is_none() {
            self.blamed.insert(tile);
        }
        match &kept {
            Kept::Missing => findings.report(finding.found("no tile").expected("256 hashes")),
            Kept::Damaged(how) => findings.report(finding.found(how).expected("256 hashes")),
            Kept::Hashes(hashes) => report(tile, &verdict, &below, hashes, findings),
        }
        let kept = hashes.map(|hashes| hashes.iter().copied().map(Some).collect::<Vec<_>>());
        let decided = match (&verdict, kept) {
            (Verdict::Below(_), Some(kept)) => kept,
            _ => below,
        };
        let root = if let Verdict::Unclear(_) = verdict {
            self.certain = false;
            above
        } else {
            decided.iter().copied().collect::<Option<Vec<_>>>().as_deref().and_then(root_of_full)
        };
        if verdict == Verdict::Agree && root != above && self.is_signed(parent(tile))? {
            // Entries and tile were changed together: what leads from the signed root down to it says so.
            self.blamed.insert(tile);
            self.certain = false;
            findings.report(not_signed(tile, root, above));
            self.climb(tile, above, findings)?;
            return Ok(None);
        }
        self.climb(tile, root, findings)?;
        Ok(Some(decided))
    }

    /// Puts the hash of a full tile into the one above.
    fn climb(
        &mut self,
        tile: TileId,
        root: Option<NodeHash>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let level = tile.level.saturating_add(1);
        let Some((_, growing)) = self.growing.get_mut(usize::from(level)) else { return Ok(()) };
        growing.push(root);
        if u64::try_from(growing.len()) == Ok(FULL_WIDTH) {
            let below = core::mem::take(growing);
            self.full(level, below, findings)?;
        }
        Ok(())
    }

    /// The leaves of the tile that is not full: above it there is the head alone, which the edge fits or not.
    fn last_leaves(&mut self, below: &[Option<NodeHash>]) -> Vec<Option<NodeHash>> {
        let kept: Vec<Option<NodeHash>> =
            (0_u8..=u8::MAX).zip(below).map(|(position, _)| self.edge_hash(0, position)).collect();
        if let Some((_, growing)) = self.growing.first_mut() {
            *growing = below.to_vec();
        }
        if self.edge_fits { kept } else { below.to_vec() }
    }

    /// Whether the kept tile leads to the head.
    fn is_signed(&mut self, tile: TileId) -> Result<bool, StoreError> {
        if !tile.width(self.head.size).is_some_and(TileWidth::is_full) {
            return Ok(self.edge_fits);
        }
        let Kept::Hashes(hashes) = self.kept(tile)? else { return Ok(false) };
        Ok(root_of_full(&hashes) == self.above(tile)? && self.is_signed(parent(tile))?)
    }

    /// The hash of a tile as kept one level above.
    fn above(&mut self, tile: TileId) -> Result<Option<NodeHash>, StoreError> {
        let parent = parent(tile);
        let position = usize::try_from(tile.index % FULL_WIDTH).unwrap_or(usize::MAX);
        if parent.width(self.head.size).is_some_and(TileWidth::is_full) {
            return Ok(match self.kept(parent)? {
                Kept::Hashes(hashes) => hashes.get(position).copied(),
                Kept::Missing | Kept::Damaged(_) => None,
            });
        }
        Ok(u8::try_from(position).ok().and_then(|position| self.edge_hash(parent.level, position)))
    }

    /// A hash at the edge, if it is of the tile that is not full now.
    fn edge_hash(&self, level: u8, position: u8) -> Option<NodeHash> {
        let kept = self.edge.get(&(level, position)).copied().flatten()?;
        let partial = kept.tile.width(self.head.size).is_some_and(|width| !width.is_full());
        partial.then_some(kept.hash)
    }

    fn kept(&mut self, tile: TileId) -> Result<Kept, StoreError> {
        let last = self.read.get_mut(usize::from(tile.level));
        if let Some(Some((index, kept))) = &last
            && *index == tile.index
        {
            return Ok(kept.clone());
        }
        let kept = match self.store.full_tile(tile) {
            Ok(Some(bytes)) => match bytes.as_chunks::<32>() {
                (hashes, []) if u64::try_from(hashes.len()) == Ok(FULL_WIDTH) => {
                    Kept::Hashes(hashes.iter().copied().map(NodeHash::from_bytes).collect())
                }
                _ => Kept::Damaged(format!("{} bytes", bytes.len())),
            },
            Ok(None) => Kept::Missing,
            Err(StoreError::DamagedFile { source, .. }) => Kept::Damaged(source.to_string()),
            Err(error) => return Err(error),
        };
        if let Some(last) = last {
            *last = Some((tile.index, kept.clone()));
        }
        Ok(kept)
    }

    /// Holds the edge and the head against what the entries lead to, once all of them were taken.
    pub(super) fn finish(mut self, findings: &mut Findings) -> Grown {
        let computed = self.certain.then(|| self.range.root());
        let differ: Vec<(u8, u8, Option<NodeHash>)> = (0_u8..)
            .zip(&self.growing)
            .flat_map(|(level, (_, hashes))| {
                (0_u8..=u8::MAX).zip(hashes).map(move |(position, hash)| (level, position, *hash))
            })
            .filter(|(level, position, hash)| self.edge_hash(*level, *position) != *hash)
            .collect();
        if self.edge_fits {
            // What lies below the differing hashes is at fault. Of entries, the caller knows already.
            for (level, position, hash) in differ.iter().filter(|(level, ..)| *level > 0) {
                let index = self.growing.get(usize::from(*level)).map_or(0, |(index, _)| *index);
                let below = level.saturating_sub(1);
                let first = index.saturating_mul(FULL_WIDTH);
                let tile = TileId { level: below, index: first.saturating_add(u64::from(*position)) };
                findings.report(not_signed(tile, *hash, self.edge_hash(*level, *position)));
            }
        } else {
            for (level, position, hash) in &differ {
                let kept = self.edge.get(&(*level, *position));
                let found = match kept {
                    None => "no hash".to_owned(),
                    Some(None) => "a row that cannot be read".to_owned(),
                    Some(Some(kept)) if self.edge_hash(*level, *position).is_none() => {
                        format!("{} for tile {} of the level", kept.hash, kept.tile.index)
                    }
                    Some(Some(kept)) => kept.hash.to_string(),
                };
                let row = Row::Edge { level: *level, position: *position, hash: None };
                findings.report(Finding::damage(EDGE, row).found(found).expected(show(*hash)));
            }
        }
        if let Some(computed) = computed.filter(|computed| *computed != self.head.root)
            && !self.edge_fits
        {
            findings.report(
                Finding::damage("meta", "head")
                    .found(format_args!("root {}", self.head.root))
                    .expected(format_args!("root {computed}, to which all entries lead")),
            );
        }
        self.roots.retain(|_, root| root.is_some());
        let roots = self.roots.into_iter().filter_map(|(size, root)| Some((size, root?))).collect();
        Grown { root: computed, roots, full_tiles: self.full_tiles, blamed: self.blamed }
    }
}

/// What the entries lead to.
#[derive(Debug)]
pub(super) struct Grown {
    /// The root; `None` when damage leaves it in doubt.
    pub(super) root: Option<RootHash>,
    /// The roots of earlier trees, as far as they are beyond doubt.
    pub(super) roots: BTreeMap<TreeSize, RootHash>,
    /// How many full tiles there are.
    pub(super) full_tiles: u64,
    /// Tiles that are not what they were, and of which that is said.
    pub(super) blamed: HashSet<TileId>,
}

fn parent(tile: TileId) -> TileId {
    TileId { level: tile.level.saturating_add(1), index: tile.index / FULL_WIDTH }
}

fn not_signed(tile: TileId, found: Option<NodeHash>, signed: Option<NodeHash>) -> Finding {
    let (found, signed) = (show(found), show(signed));
    Finding::damage(TILES, Row::Tile(tile))
        .found(format_args!("256 hashes that lead to {found}"))
        .expected(format_args!("those that lead to {signed}, as in the signed tree"))
}

fn show(hash: Option<NodeHash>) -> String {
    hash.map_or_else(|| "nothing that can be read".to_owned(), |hash| hash.to_string())
}

/// Reports what a tile that can be read has wrong, or, above level 0, what lies below it.
fn report(
    tile: TileId,
    verdict: &Verdict,
    below: &[Option<NodeHash>],
    kept: &[NodeHash],
    findings: &mut Findings,
) {
    let at = |hashes: &[NodeHash], place: &usize| hashes.get(*place).copied();
    let one = |place: &usize| (show(at(kept, place)), show(below.get(*place).copied().flatten()));
    match verdict {
        Verdict::Below(places) if tile.level > 0 => {
            for place in places {
                let first = tile.index.saturating_mul(FULL_WIDTH);
                let index = first.saturating_add(u64::try_from(*place).unwrap_or(u64::MAX));
                let child = TileId { level: tile.level.saturating_sub(1), index };
                let below = below.get(*place).copied().flatten();
                findings.report(not_signed(child, below, at(kept, place)));
            }
        }
        Verdict::Agree | Verdict::Below(_) => {}
        Verdict::Kept(places) | Verdict::Unclear(places) => {
            let doubt = if matches!(verdict, Verdict::Unclear(_)) {
                " (and neither leads to the tile above)"
            } else {
                ""
            };
            for place in places {
                let (kept, below) = one(place);
                findings.report(
                    Finding::damage(TILES, format_args!("{}, hash {place}", Row::Tile(tile)))
                        .found(kept)
                        .expected(format_args!("{below}{doubt}")),
                );
            }
        }
    }
}
