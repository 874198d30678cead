//! What a page may weigh.

use axum::http::header;

use crate::ask::{ask, ask_with, explorer};
use crate::html::tags;
use crate::log::TestLog;
use crate::sample::fill;

const PAGE: usize = 14_000;
const STYLE: usize = 6_000;

#[tokio::test]
async fn pages_are_light_and_need_nothing_but_one_stylesheet() {
    let log = TestLog::new();
    (0..60).for_each(|_| fill(&log));
    log.publish();
    let pages = explorer(&log);
    let proof = "/entries/700/proof";
    for path in [
        "/",
        "/entries",
        "/entries/5",
        "/entries/7",
        proof,
        "/executions",
        "/executions/run:2026-11-23/git-log",
        "/health",
    ] {
        let answer = ask_with(&pages, path, &[(header::ACCEPT_ENCODING, "gzip")]).await;
        assert_eq!(answer.header(header::CONTENT_ENCODING), "gzip");
        assert!(answer.bytes.len() <= PAGE, "{path} has {} bytes compressed", answer.bytes.len());
        let plain = ask(&pages, path).await;
        let tags = tags(plain.text());
        let loaded: Vec<_> = tags
            .iter()
            .filter(|tag| {
                tag.attribute("src").is_some()
                    || (tag.name == "link"
                        && matches!(tag.attribute("rel"), Some("stylesheet" | "icon" | "preload")))
            })
            .collect();
        assert_eq!(loaded.len(), 2, "{path}");
        for tag in loaded {
            let asset = tag.attribute("href").unwrap();
            let answer = ask_with(&pages, asset, &[(header::ACCEPT_ENCODING, "gzip")]).await;
            assert_eq!(answer.status.as_u16(), 200);
            assert!(answer.bytes.len() <= STYLE, "{asset} has {} bytes compressed", answer.bytes.len());
        }
        let style = tags.iter().find(|tag| tag.attribute("rel") == Some("stylesheet")).unwrap();
        let css = ask(&pages, style.attribute("href").unwrap()).await;
        assert_eq!(style.attribute("integrity"), Some(&*integrity(&css.bytes)));
        assert!(!css.text().contains("url(") && !css.text().contains("@import"), "the stylesheet loads more");
    }
}

fn integrity(bytes: &[u8]) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(bytes)))
}
