//! What a page may weigh.

use axum::http::header;

use crate::ask::{ask, ask_with, explorer};
use crate::html::tags;
use crate::log::TestLog;
use crate::sample::fill;

const PAGE: usize = 14_000;
const STYLE: usize = 6_000;
/// What a page loads of scripts before anybody presses a button.
const SCRIPT: usize = 2_000;
/// All scripts together: what the page that checks files loads, comments and all.
const SCRIPTS: usize = 60_000;

#[tokio::test]
async fn pages_are_light_and_need_little_beside_them() {
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
        "/verify",
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
        let scripts = loaded.iter().filter(|tag| tag.name == "script").count();
        let checks = path == "/verify" || path.starts_with("/entries/") || path.starts_with("/executions/");
        assert_eq!((loaded.len() - scripts, scripts), (2, usize::from(checks)), "{path}");
        for tag in loaded {
            let asset = tag.attribute("href").or(tag.attribute("src")).unwrap();
            let answer = ask_with(&pages, asset, &[(header::ACCEPT_ENCODING, "gzip")]).await;
            assert_eq!(answer.status.as_u16(), 200);
            let limit = if tag.name == "link" { STYLE } else { SCRIPT };
            let is_small = answer.bytes.len() <= limit || path == "/verify";
            assert!(is_small, "{asset} has {} bytes compressed", answer.bytes.len());
            if tag.name == "script" {
                let plain = ask(&pages, asset).await;
                assert_eq!(tag.attribute("integrity"), Some(&*integrity(&plain.bytes)), "{path}");
            }
        }
        let style = tags.iter().find(|tag| tag.attribute("rel") == Some("stylesheet")).unwrap();
        let css = ask(&pages, style.attribute("href").unwrap()).await;
        assert_eq!(style.attribute("integrity"), Some(&*integrity(&css.bytes)));
        assert!(!css.text().contains("url(") && !css.text().contains("@import"), "the stylesheet loads more");
    }
}

/// Every script is served as it lies in the source, can be loaded by no other name, and is named with its hash.
#[tokio::test]
async fn the_scripts_are_served_as_they_lie_in_the_source() {
    let log = TestLog::new();
    fill(&log);
    log.publish();
    let pages = explorer(&log);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
    let mut files = std::collections::BTreeMap::new();
    for inside in ["", "page", "verify"] {
        for file in std::fs::read_dir(folder.join(inside)).unwrap().map(|file| file.unwrap().path()) {
            if file.is_file() {
                let name = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, std::fs::read(&file).unwrap());
            }
        }
    }
    let listed = ask(&pages, "/verify.json").await.json();
    let mut compressed = 0;
    for script in listed["scripts"].as_array().unwrap() {
        let path = script["path"].as_str().unwrap();
        let answer = ask(&pages, path).await;
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/javascript; charset=utf-8", "{path}");
        assert_eq!(answer.header(header::CACHE_CONTROL), "public, max-age=604800, immutable", "{path}");
        assert_eq!(script["integrity"], integrity(&answer.bytes), "{path}");
        let name = path.splitn(4, '/').nth(3).unwrap();
        assert_eq!(files.remove(name).as_deref(), Some(&*answer.bytes), "{path}");
        compressed += ask_with(&pages, path, &[(header::ACCEPT_ENCODING, "gzip")]).await.bytes.len();
        for forbidden in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
        {
            assert!(!answer.text().contains(forbidden), "{path}: {forbidden}");
        }
        for line in answer.text().lines() {
            assert!(line.chars().count() <= 120, "{path} is to be read by people: {line}");
        }
        for line in answer.text().lines().filter(|line| line.contains("import ") || line.contains("} from "))
        {
            assert!(!line.contains("://"), "{path}: {line}");
        }
    }
    assert!(files.is_empty(), "not served: {:?}", files.keys());
    assert!(compressed <= SCRIPTS, "{compressed} bytes of scripts");
}

/// That something was checked, only the reader's own machine may say.
#[tokio::test]
async fn the_server_never_says_that_it_checked() {
    let log = TestLog::new();
    fill(&log);
    log.publish();
    let pages = explorer(&log);
    for path in ["/", "/entries", "/entries/5", "/entries/5/proof", "/executions", "/health", "/verify"] {
        let page = ask(&pages, path).await;
        for words in ["checked here", "\u{2713}", "\u{2714}", "\u{2705}"] {
            assert!(!page.text().contains(words), "{path} says {words:?}");
        }
    }
}

fn integrity(bytes: &[u8]) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(bytes)))
}
