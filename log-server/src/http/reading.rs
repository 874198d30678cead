//! `GET /checkpoint` and `GET /tile/...`: what C2SP tlog-tiles has a log serve.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use countersign_verifier::merkle::TreeSize;
use countersign_verifier::tiles::{Resource, TileId};

use super::app::App;
use super::catalog::codes;
use super::problem::Refusal;
use super::query::cut;
use crate::log::Published;

/// For what never changes.
pub(super) const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The newest head that has its quorum.
pub(super) fn published(app: &App) -> Result<Arc<Published>, Refusal> {
    app.log.published().borrow().clone().ok_or_else(|| {
        let detail = "no head of this log has the quorum of its witnesses yet";
        Refusal::new(&codes::NO_CHECKPOINT, detail).retry_after(Duration::from_secs(1))
    })
}

pub(super) async fn checkpoint(State(app): State<Arc<App>>) -> Result<Response, Refusal> {
    let head = published(&app)?;
    let mut response = head.note.clone().into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    Ok(response)
}

pub(super) async fn tile(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Refusal> {
    // The path as it was sent: a tile has one spelling, and percent signs are in none.
    let path = uri.path().trim_start_matches('/');
    let resource = Resource::parse(path).map_err(|error| {
        Refusal::new(&codes::TILE_PATH_INVALID, format!("the path is {:?}: {error}", cut(uri.path())))
    })?;
    let size = published(&app)?.size;
    let not_published = || {
        let detail = format!("the newest published head has {size} entries, which do not imply {resource}");
        Refusal::new(&codes::TILE_NOT_PUBLISHED, detail)
    };
    if !is_implied(resource, size) {
        return Err(not_published());
    }
    let bytes = if let Some(bytes) = app.shelf.get(resource) {
        bytes
    } else {
        let bytes = app.read(move |log| match resource {
            Resource::Hashes(tile, width) => log.tile(tile, width),
            Resource::Entries(index, width) => log.entry_bundle(index, width),
        });
        let bytes = Bytes::from(bytes.await??.ok_or_else(not_published)?);
        app.shelf.keep(resource, &bytes);
        bytes
    };
    let mut response = bytes.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, OCTETS);
    response.headers_mut().insert(header::CACHE_CONTROL, IMMUTABLE);
    Ok(response)
}

/// Whether a tree of `size` entries, or a smaller one that was published before it, has the tile in this width.
fn is_implied(resource: Resource, size: TreeSize) -> bool {
    let (tile, width) = match resource {
        Resource::Hashes(tile, width) => (tile, width),
        Resource::Entries(index, width) => (TileId { level: 0, index }, width),
    };
    tile.width(size).is_some_and(|available| width <= available)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_published_head_implies_is_served() {
        let implied =
            |path: &str, size: u64| is_implied(Resource::parse(path).unwrap(), TreeSize::new(size).unwrap());
        // The example of C2SP tlog-tiles.
        for path in [
            "tile/0/272",
            "tile/0/273.p/112",
            "tile/0/273.p/1",
            "tile/1/000",
            "tile/1/001.p/17",
            "tile/2/000.p/1",
        ] {
            assert!(implied(path, 70_000), "{path}");
            assert!(implied(&path.replace("tile/0", "tile/entries"), 70_000), "{path}");
        }
        for path in [
            "tile/0/273",
            "tile/0/273.p/113",
            "tile/0/274.p/1",
            "tile/1/001.p/18",
            "tile/2/000.p/2",
            "tile/3/000.p/1",
            "tile/63/000",
        ] {
            assert!(!implied(path, 70_000), "{path}");
        }
        assert!(!implied("tile/0/000.p/1", 0));
        assert!(implied("tile/0/000.p/255", 256) && implied("tile/1/000.p/1", 256));
    }
}
