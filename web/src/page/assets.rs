//! The stylesheet, the icon and the scripts, each under an address that changes with its content.

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

/// Lists the files of the scripts, by their paths below `static`.
macro_rules! scripts {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_str!(concat!("../../static/", $path)))),+]
    };
}

/// The modules of the verifier and of the pages that use it, as they lie in the source: nothing is left out or put
/// together, so that whoever reads them reads what runs.
const MODULES: &[(&str, &str)] = scripts![
    "check.mjs",
    "page/bundle.mjs",
    "page/dom.mjs",
    "page/entry.mjs",
    "page/report.mjs",
    "page/rungs.mjs",
    "page/tamper.mjs",
    "verify-page.mjs",
    "verify.mjs",
    "verify/admission.mjs",
    "verify/audit.mjs",
    "verify/bundle.mjs",
    "verify/bytes.mjs",
    "verify/cbor.mjs",
    "verify/ed25519.mjs",
    "verify/evidence-file.mjs",
    "verify/evidence.mjs",
    "verify/findings.mjs",
    "verify/json.mjs",
    "verify/lineage.mjs",
    "verify/members.mjs",
    "verify/merkle.mjs",
    "verify/note.mjs",
    "verify/payload.mjs",
    "verify/policy.mjs",
    "verify/proof.mjs",
    "verify/ran.mjs",
    "verify/report.mjs",
    "verify/statement.mjs",
    "verify/words.mjs",
];

/// The scripts. They refer to each other by relative paths, so one hash over all of them stands in their folder's
/// name: a module can never meet another version of its neighbour.
pub(crate) static SCRIPTS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut hasher = Sha256::new();
    for (path, content) in MODULES {
        hasher.update(Sha256::digest(path));
        hasher.update(Sha256::digest(content));
    }
    let folder = short(&hasher.finalize());
    MODULES
        .iter()
        .map(|(path, content)| Asset {
            path: format!("/assets/{folder}/{path}"),
            integrity: integrity(content),
            media_type: "text/javascript; charset=utf-8",
            content,
        })
        .collect()
});

/// The script of a page, by its path below `static`.
pub(crate) fn script(path: &str) -> Option<&'static Asset> {
    SCRIPTS.iter().find(|asset| asset.path.split('/').skip(3).eq(path.split('/')))
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
        let path = format!("/assets/{name}.{}.{suffix}", short(&Sha256::digest(content)));
        Self { path, integrity: integrity(content), media_type, content }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn integrity(&self) -> &str {
        &self.integrity
    }
}

fn short(digest: &[u8]) -> String {
    hex::encode(digest).get(..16).unwrap_or_default().to_owned()
}

fn integrity(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

/// The file at the path that was asked for.
pub(crate) fn serve(ask: &Ask) -> Option<Response<Body>> {
    let asset = [&*STYLE, &*ICON].into_iter().chain(&*SCRIPTS).find(|asset| asset.path == ask.path)?;
    Some(raw(ask, Cache::Immutable, asset.media_type, asset.content.as_bytes().to_vec()))
}
