//! Reading tiles and bundles. What comes back has the right form and is otherwise believed nothing.

use countersign_verifier::merkle::{NodeHash, ProofPlan, TreeSize};
use countersign_verifier::tiles::{
    EntryBundle, FULL_WIDTH, HashTile, MAX_BUNDLE_BYTES, Resource, TileId, TileWidth, tiles_for,
};
use tokio::task::JoinSet;

use super::trouble::ReadError;
use crate::source::{Source, SourceError};

/// How many answers are awaited at once.
const PARALLEL: usize = 16;

/// The entries of one bundle as far as a tree of `size` has them.
pub(super) async fn bundle(source: &Source, number: u64, size: TreeSize) -> Result<Vec<Vec<u8>>, ReadError> {
    let width = TileId { level: 0, index: number }.width(size).ok_or(ReadError::NoSuchPart(size))?;
    let (width_served, path, bytes) =
        resource(source, Resource::Entries(number, width), |width| Resource::Entries(number, width)).await?;
    let served =
        EntryBundle::parse(width_served, &bytes).map_err(|cause| ReadError::Bundle { path, cause })?;
    let mut entries = served.into_entries();
    entries.truncate(usize::from(width.get()));
    Ok(entries)
}

/// The entries of several bundles, in the order asked, several bundles at a time.
pub(super) async fn bundles(
    source: &Source,
    numbers: Vec<u64>,
    size: TreeSize,
) -> Result<Vec<Vec<Vec<u8>>>, ReadError> {
    all(source, numbers, move |source, number| async move { bundle(&source, number, size).await }).await
}

/// The entries `from .. to` of a tree of `to` entries or more, several bundles at a time.
pub(super) async fn entries(source: &Source, from: u64, to: TreeSize) -> Result<Vec<Vec<u8>>, ReadError> {
    let first = from / FULL_WIDTH;
    let numbers = (first..to.get().div_ceil(FULL_WIDTH)).collect();
    let bundles = bundles(source, numbers, to).await?;
    let skip = usize::try_from(from % FULL_WIDTH).unwrap_or(usize::MAX);
    Ok(bundles.into_iter().flatten().skip(skip).collect())
}

/// The nodes that a plan asks for, from the hash tiles of a tree of `size` entries.
pub(super) async fn nodes(
    source: &Source,
    plan: &ProofPlan,
    size: TreeSize,
) -> Result<Vec<NodeHash>, ReadError> {
    let ids: Vec<TileId> = tiles_for(plan.nodes()).into_iter().collect();
    // In the order of their ids, as they were asked for.
    let tiles = all(source, ids, move |source, id| async move { tile(&source, id, size).await }).await?;
    plan.nodes()
        .iter()
        .map(|node| {
            let id = TileId::of(*node);
            let at =
                tiles.binary_search_by_key(&id, HashTile::id).map_err(|_| ReadError::NoSuchPart(size))?;
            let tile = tiles.get(at).ok_or(ReadError::NoSuchPart(size))?;
            tile.node(*node).map_err(|_| ReadError::NoSuchPart(size))
        })
        .collect()
}

async fn tile(source: &Source, id: TileId, size: TreeSize) -> Result<HashTile, ReadError> {
    let width = id.width(size).ok_or(ReadError::NoSuchPart(size))?;
    let (width_served, path, bytes) =
        resource(source, Resource::Hashes(id, width), |width| Resource::Hashes(id, width)).await?;
    HashTile::parse(id, width_served, &bytes).map_err(|cause| ReadError::Tile { path, cause })
}

/// Fetches a resource. A partial one may be gone once the full one is there (C2SP tlog-tiles), so that is asked for
/// next.
async fn resource(
    source: &Source,
    partial: Resource,
    with_width: impl Fn(TileWidth) -> Resource,
) -> Result<(TileWidth, String, bytes::Bytes), ReadError> {
    let path = partial.to_string();
    match source.get(&path, cap(&partial)).await {
        Err(SourceError::NotFound(_)) if !partial.width().is_full() => {
            let full = with_width(full_width()?);
            let path = full.to_string();
            let bytes = source.get(&path, cap(&full)).await?;
            Ok((full.width(), path, bytes))
        }
        answer => Ok((partial.width(), path, answer?)),
    }
}

fn full_width() -> Result<TileWidth, ReadError> {
    u16::try_from(FULL_WIDTH)
        .ok()
        .and_then(|width| TileWidth::new(width).ok())
        .ok_or(ReadError::NoSuchPart(TreeSize::EMPTY))
}

/// The most bytes that anything valid has there.
fn cap(resource: &Resource) -> usize {
    let width = usize::from(resource.width().get());
    match resource {
        Resource::Hashes(..) => width.saturating_mul(32),
        Resource::Entries(..) => MAX_BUNDLE_BYTES / 256 * width,
    }
}

/// Reads several things at once, a few at a time, and answers in the order asked.
async fn all<K, T, F, Fut>(source: &Source, keys: Vec<K>, read: F) -> Result<Vec<T>, ReadError>
where
    K: Send + 'static,
    T: Send + 'static,
    F: Fn(Source, K) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<T, ReadError>> + Send + 'static,
{
    let mut waiting = keys.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut done: Vec<(usize, T)> = Vec::new();
    loop {
        while running.len() < PARALLEL {
            let Some((at, key)) = waiting.next() else { break };
            let answer = read(source.clone(), key);
            running.spawn(async move { (at, answer.await) });
        }
        match running.join_next().await {
            None => break,
            Some(Ok((at, answer))) => done.push((at, answer?)),
            Some(Err(_)) => return Err(ReadError::Interrupted),
        }
    }
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, value)| value).collect())
}
