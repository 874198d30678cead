//! The stylesheet and the icon, each under a name that changes with its content.

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::{Ask, Cache, raw};

/// A file that pages refer to.
#[derive(Debug)]
pub(crate) struct Asset {
    path: String,
    /// The value of `integrity` (W3C Subresource Integrity): a browser takes these bytes or none.
    integrity: String,
    media_type: &'static str,
    content: &'static str,
}

/// The stylesheet of all pages.
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("style", "css", "text/css; charset=utf-8", include_str!("../../assets/style.css"))
});

/// The icon of the browser's tab.
pub(crate) static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("../../assets/icon.svg")));

impl Asset {
    fn new(name: &str, suffix: &str, media_type: &'static str, content: &'static str) -> Self {
        let digest = Sha256::digest(content);
        let short = hex::encode(digest).get(..16).unwrap_or_default().to_owned();
        let path = format!("/assets/{name}.{short}.{suffix}");
        Self { path, integrity: format!("sha256-{}", STANDARD.encode(digest)), media_type, content }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn integrity(&self) -> &str {
        &self.integrity
    }
}

/// The file at the path that was asked for.
pub(crate) fn serve(ask: &Ask) -> Option<Response<Body>> {
    let asset = [&*STYLE, &*ICON].into_iter().find(|asset| asset.path == ask.path)?;
    Some(raw(ask, Cache::Immutable, asset.media_type, asset.content.as_bytes().to_vec()))
}
