//! Every page: its headers, its markup, its links, its twin.

use std::collections::{BTreeSet, VecDeque};

use axum::http::{StatusCode, header};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::proof::TlogProof;

use crate::ask::{Answer, ask, ask_with, explorer};
use crate::html::{Tag, tags};
use crate::log::{TestLog, policy};
use crate::sample::{HOSTILE, sample};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

fn assert_common_headers(path: &str, answer: &Answer) {
    assert_eq!(answer.header(header::CONTENT_SECURITY_POLICY), CSP, "{path}");
    assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
    assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{path}");
    // A bundle checks itself, wherever it is fetched from.
    let anybody = if path.ends_with(".bundle") { "*" } else { "" };
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), anybody, "{path}");
    let cache = answer.header(header::CACHE_CONTROL);
    let expected = match (answer.status, path) {
        (StatusCode::SEE_OTHER, _) => "no-store",
        (status, _) if !status.is_success() => "no-store",
        (_, path) if path.starts_with("/health") => "no-store",
        (_, path) if path.starts_with("/assets/") || path.strip_suffix(".cose").is_some() => {
            "public, max-age=604800, immutable"
        }
        _ => "public, max-age=2, must-revalidate",
    };
    assert_eq!(cache, expected, "{path}");
}

/// Nothing runs, nothing is styled in place, nothing comes from elsewhere, and everything has a name.
fn assert_sound(path: &str, tags: &[Tag]) {
    for tag in tags {
        assert!(
            !["style", "iframe", "img", "object", "base"].contains(&tag.name.as_str()),
            "{path}: {tag:?}"
        );
        if tag.name == "script" {
            let is_module = tag.attribute("type") == Some("module") && tag.attribute("src").is_some();
            assert!(is_module && tag.attribute("integrity").is_some(), "{path}: {tag:?}");
        }
        for (name, value) in &tag.attributes {
            assert!(!name.starts_with("on") && name != "style", "{path}: {tag:?}");
            if ["href", "src", "action"].contains(&name.as_str()) {
                let local = (value.starts_with('/') && !value.starts_with("//")) || value.starts_with('#');
                assert!(local, "{path} leads elsewhere: {tag:?}");
            }
        }
    }
    let count = |name: &str| tags.iter().filter(|tag| tag.name == name).count();
    assert_eq!((count("h1"), count("main"), count("title")), (1, 1, 1 + count("desc")), "{path}");
    let ids: Vec<&str> = tags.iter().filter_map(|tag| tag.attribute("id")).collect();
    assert_eq!(ids.len(), ids.iter().collect::<BTreeSet<_>>().len(), "{path}: an id occurs twice: {ids:?}");
    for tag in tags.iter().filter(|tag| ["input", "select", "textarea"].contains(&tag.name.as_str())) {
        let id = tag.attribute("id").unwrap();
        let labelled = tags.iter().any(|tag| tag.name == "label" && tag.attribute("for") == Some(id));
        assert!(labelled, "{path}: {tag:?} has no label");
    }
    for of in tags.iter().filter_map(|tag| tag.attribute("aria-labelledby")) {
        assert!(of.split(' ').all(|id| ids.contains(&id)), "{path}: nothing has the id {of}");
    }
}

#[tokio::test]
async fn every_link_leads_to_a_sound_page() {
    let log = sample();
    let pages = explorer(&log);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut waiting =
        VecDeque::from(["/".to_owned(), "/search".to_owned(), "/errors/entry-not-yet".to_owned()]);
    let mut html = 0;
    while let Some(address) = waiting.pop_front() {
        let path = address.split('#').next().unwrap().to_owned();
        // Those are the log's own.
        if path.is_empty()
            || ["/checkpoint", "/openapi.json"].contains(&path.as_str())
            || !seen.insert(path.clone())
        {
            continue;
        }
        let answer = ask(&pages, &path).await;
        assert_common_headers(&path, &answer);
        if answer.status == StatusCode::SEE_OTHER {
            waiting.push_back(answer.header(header::LOCATION).to_owned());
            continue;
        }
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        let etag = answer.header(header::ETAG);
        if !path.starts_with("/health") {
            let again = ask_with(&pages, &path, &[(header::IF_NONE_MATCH, etag)]).await;
            assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        }
        match answer.header(header::CONTENT_TYPE) {
            "application/json" => drop(answer.json()),
            "text/html; charset=utf-8" => {
                html += 1;
                let tags = tags(answer.text());
                assert_sound(&path, &tags);
                let links = tags.iter().filter_map(|tag| tag.attribute("href"));
                waiting.extend(links.map(str::to_owned));
                let twin = tags.iter().find(|tag| {
                    tag.attribute("rel") == Some("alternate")
                        && tag.attribute("type") == Some("application/json")
                });
                let twin = twin.unwrap_or_else(|| panic!("{path} has no twin")).attribute("href").unwrap();
                let by_suffix = ask(&pages, twin).await;
                let by_accept = ask_with(&pages, &path, &[(header::ACCEPT, "application/json")]).await;
                assert_eq!(by_suffix.json(), by_accept.json(), "{path}");
                assert!(by_accept.header(header::VARY).contains("accept"), "{path}");
            }
            _ => {}
        }
    }
    assert!(html > 80, "only {html} pages were found");
}

#[tokio::test]
async fn what_is_there_for_machines_is_refused_for_machines() {
    let pages = explorer(&sample());
    for path in ["/entries/99999.json", "/entries/99999.cose", "/entries/99999.tlog-proof"] {
        let refused = ask(&pages, path).await;
        assert_eq!(refused.header(header::CONTENT_TYPE), "application/problem+json", "{path}");
        assert_eq!(refused.json()["type"], "/errors/entry-not-yet", "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_shown_is_said_twice() {
    let log = sample();
    let pages = explorer(&log);
    let unknown_id = "0".repeat(64);
    for (path, status, code, said) in [
        ("/entries/99999".to_owned(), 404, "entry-not-yet", "number 99,999 does not exist yet"),
        ("/entries/01".to_owned(), 400, "index-malformed", "expected a number"),
        ("/entries/-1".to_owned(), 400, "index-malformed", "Found -1"),
        ("/entries/1e3".to_owned(), 400, "index-malformed", "Found 1e3"),
        ("/entries/18446744073709551616".to_owned(), 400, "index-malformed", "expected a number"),
        ("/entries/9223372036854775807".to_owned(), 400, "index-malformed", "expected a number"),
        ("/entries/5/proof?size=5".to_owned(), 400, "size-malformed", "expected a size from 6 to"),
        ("/entries/5/proof?size=x".to_owned(), 400, "size-malformed", "Found x"),
        ("/entries/5/proof?size=99999".to_owned(), 404, "entry-not-yet", "Found 99999"),
        ("/entries/5/nothing".to_owned(), 404, "page-unknown", "/entries/5/nothing"),
        (format!("/leaf/{unknown_id}"), 404, "entry-id-unknown", "not among the"),
        ("/leaf/abc".to_owned(), 400, "entry-id-malformed", "expected 64"),
        (format!("/leaf/{}", "A".repeat(64)), 400, "entry-id-malformed", "expected 64"),
        ("/executions/none/such".to_owned(), 404, "execution-unknown", "none/such"),
        ("/executions/%FF%00".to_owned(), 404, "execution-unknown", "names the execution"),
        ("/nothing/here".to_owned(), 404, "page-unknown", "Nothing is at /nothing/here"),
        ("/assets/style.css".to_owned(), 404, "page-unknown", "Nothing is at"),
        ("/errors/nothing".to_owned(), 404, "page-unknown", "Nothing is at"),
    ] {
        let page = ask(&pages, &path).await;
        assert_eq!(page.status.as_u16(), status, "{path}");
        assert_common_headers(&path, &page);
        let tags = tags(page.text());
        assert_sound(&path, &tags);
        assert!(page.text().contains(&format!("/errors/{code}")), "{path}");
        let plain = page.text().replace("<b><bdi>", "").replace("</bdi></b>", "");
        assert!(plain.contains(said), "{path}: {}", page.text());
        let problem = ask_with(&pages, &path, &[(header::ACCEPT, "application/json")]).await;
        assert_eq!(problem.header(header::CONTENT_TYPE), "application/problem+json", "{path}");
        assert_eq!(problem.status.as_u16(), status);
        let document = problem.json();
        assert_eq!(
            (document["type"].as_str(), document["status"].as_u64()),
            (Some(&*format!("/errors/{code}")), Some(status.into()))
        );
        assert!(document["detail"].as_str().unwrap().contains(said), "{path}: {document}");
        let explanation = ask(&pages, &format!("/errors/{code}")).await;
        assert_eq!(explanation.status, StatusCode::OK, "{code} is not explained");
    }
}

#[tokio::test]
async fn other_methods_are_refused() {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;
    let pages = explorer(&sample());
    for path in ["/", "/entries", "/entries/0", "/health"] {
        let request =
            Request::post(path).header(header::ACCEPT, "application/json").body(Body::empty()).unwrap();
        let response = pages.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json", "{path}");
        assert_eq!(response.headers()[header::ALLOW], "GET,HEAD", "{path}");
    }
    let request = Request::head("/entries/0").body(Body::empty()).unwrap();
    assert_eq!(pages.oneshot(request).await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn hostile_texts_stay_texts() {
    let log = sample();
    let pages = explorer(&log);
    let list = ask(&pages, "/executions/hostile/1.json").await.json();
    let intent = list["steps"][0]["entry"]["index"].as_u64().unwrap();
    let mut paths = vec![
        "/".to_owned(),
        "/entries".to_owned(),
        "/executions/hostile/1".to_owned(),
        "/entries?issuer=%3Cscript%3Ealert(2)%3C/script%3E&q=%22%3E%3Cscript%3E".to_owned(),
        "/executions?q=%22%3E%3Cscript%3E%E2%80%AE".to_owned(),
        "/search?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%E2%80%AE".to_owned(),
        "/entries/%3Cscript%3E".to_owned(),
        "/executions/%3Cscript%3E%E2%80%AE".to_owned(),
        "/%3Cscript%3E".to_owned(),
    ];
    paths.extend((intent..intent + 3).map(|index| format!("/entries/{index}")));
    for path in paths {
        let answer = ask(&pages, &path).await;
        let text = answer.text();
        assert_sound(&path, &tags(text));
        // The page has a script of its own, in one form.
        let text = &text.replacen("<script type=\"module\" src=\"/assets/", "", 1);
        for inert in ["<script", "<img"] {
            assert!(!text.contains(inert), "{path} lets {inert:?} through");
        }
        // A field keeps what the reader typed, and a browser keeps the order of characters inside of it.
        let written: String =
            text.split("value=\"").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest)).collect();
        for unseen in ["\u{202e}", "\u{200b}", "\u{0}"] {
            assert!(!written.contains(unseen), "{path} lets {unseen:?} through");
        }
    }
    // It is shown, and it is shown as what it is.
    let page = ask(&pages, &format!("/entries/{intent}")).await;
    assert!(page.text().contains("[U+202E][U+0000][U+200B][U+000A]"));
    assert!(page.text().contains("{{7*7}} &#38;lt;"));
    // Programs get it as it is.
    let json = ask(&pages, &format!("/entries/{intent}.json")).await.json();
    assert_eq!(json["payload"]["action"]["name"], HOSTILE);
    assert_eq!(json["issuer"], "<script>alert(2)</script>");
}

#[tokio::test]
async fn an_entry_comes_with_its_bytes_and_a_proof_that_verifies() {
    let log = TestLog::of(300);
    crate::sample::fill(&log);
    log.publish();
    let pages = explorer(&log);
    let size = ask(&pages, "/index.json").await.json()["entries"].as_u64().unwrap();
    for index in [0, 1, 255, 256, 299, 300, 310, size - 1] {
        let bytes = ask(&pages, &format!("/entries/{index}.cose")).await;
        assert_eq!(bytes.header(header::CONTENT_TYPE), "application/cose");
        assert_eq!(
            bytes.header(header::CONTENT_DISPOSITION),
            format!("attachment; filename=\"{index}.cose\"")
        );
        let proof = ask(&pages, &format!("/entries/{index}.tlog-proof")).await;
        let proof = TlogProof::parse(&proof.bytes).unwrap();
        let leaf = LeafHash::of(&bytes.bytes);
        let verified = proof.verify(leaf, &policy()).unwrap();
        assert_eq!((verified.index().get(), verified.head().checkpoint().size.get()), (index, size));
        assert!(proof.verify(LeafHash::of(b"another"), &policy()).is_err());

        let found = ask(&pages, &format!("/leaf/{leaf}")).await;
        assert_eq!(
            (found.status, found.header(header::LOCATION)),
            (StatusCode::SEE_OTHER, &*format!("/entries/{index}"))
        );
        let json = ask(&pages, &format!("/entries/{index}.json")).await.json();
        assert_eq!((json["id"].as_str(), json["index"].as_u64()), (Some(&*leaf.to_string()), Some(index)));

        // The drawn proof ends in the root, at this size and at every earlier one.
        for size in [size, index + 1, 305.max(index + 1), 256.max(index + 1)] {
            let json = ask(&pages, &format!("/entries/{index}/proof.json?size={size}")).await.json();
            let root = log.root(usize::try_from(size).unwrap()).to_string();
            let top = json["path"].as_array().unwrap().last().map_or(&json["id"], |rung| &rung["parent"]);
            assert_eq!(
                (json["root"].as_str(), top.as_str()),
                (Some(&*root), Some(&*root)),
                "{index} in {size}"
            );
        }
    }
}

#[tokio::test]
async fn lists_are_walked_by_stable_addresses() {
    let log = TestLog::of(120);
    let pages = explorer(&log);
    let mut address = "/entries.json".to_owned();
    let mut seen = Vec::new();
    loop {
        let list = ask(&pages, &address).await.json();
        seen.extend(list["entries"].as_array().unwrap().iter().map(|entry| entry["index"].as_u64().unwrap()));
        match list["next"].as_str() {
            Some(next) => next.clone_into(&mut address),
            None => break,
        }
    }
    assert_eq!(seen, (0..120).rev().collect::<Vec<_>>());
    // A page that was handed on shows the same when the log has grown.
    let before = ask(&pages, "/entries.json?before=70").await.json();
    log.grow(500);
    log.publish();
    let after = ask(&pages, "/entries.json?before=70").await.json();
    assert_eq!(before["entries"], after["entries"]);
}

#[tokio::test]
async fn lists_are_narrowed_and_say_when_nothing_is_left() {
    let pages = explorer(&sample());
    let entries = async |query: &str| -> Vec<(String, String)> {
        let list = ask(&pages, &format!("/entries.json?{query}")).await.json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        list["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| (text(&entry["kind"]), text(&entry["issuer"])))
            .collect()
    };
    let decisions = entries("kind=decision").await;
    assert_eq!((decisions.len(), decisions.iter().all(|(kind, _)| kind == "decision")), (4, true));
    let by_gate = entries("issuer=gate-1").await;
    assert!(!by_gate.is_empty() && by_gate.iter().all(|(_, issuer)| issuer == "gate-1"));
    assert_eq!(entries("issuer=gate").await, []);
    assert_eq!(entries("q=GIT-LOG").await.len(), 6);
    assert_eq!(entries("q=git-log&kind=close").await.len(), 1);
    // What is unknown is ignored; what is empty counts as absent.
    assert_eq!(entries("kind=nonsense&utm_source=x&before=&issuer=&q=").await, entries("").await);
    let empty = ask(&pages, "/entries?kind=close&q=nobody").await;
    assert!(empty.text().contains(
        "No entries match <i>kind = close</i> <i>name or execution contains <bdi>nobody</bdi></i>"
    ));
}

#[tokio::test]
async fn search_finds_what_a_reader_may_have_in_hand() {
    let log = sample();
    let pages = explorer(&log);
    let id = ask(&pages, "/entries/3.json").await.json()["id"].as_str().unwrap().to_owned();
    let upper = id.to_uppercase();
    for (query, location) in [
        ("3", "/entries/3"),
        ("+3+", "/entries/3"),
        (&*id, "/entries/3"),
        (&*upper, "/entries/3"),
        ("run:2026-11-23/git-log", "/executions/run:2026-11-23/git-log"),
    ] {
        let answer = ask(&pages, &format!("/search?q={query}")).await;
        assert_eq!(
            (answer.status, answer.header(header::LOCATION)),
            (StatusCode::SEE_OTHER, location),
            "{query}"
        );
        let json = ask(&pages, &format!("/search.json?q={query}")).await;
        assert_eq!(json.header(header::LOCATION), format!("{location}.json"));
    }
    let root = log
        .root(usize::try_from(ask(&pages, "/index.json").await.json()["entries"].as_u64().unwrap()).unwrap());
    assert_eq!(ask(&pages, &format!("/search?q={root}")).await.header(header::LOCATION), "/health");
    let some = ask(&pages, "/search.json?q=2026-11-23").await.json();
    assert_eq!(some["executions"].as_array().unwrap().len(), 4);
    assert_eq!(ask(&pages, "/search.json?q=pdp-1").await.json()["issuer"], "pdp-1");
    assert!(ask(&pages, "/search?q=nobody").await.text().contains("does not prove that there is none"));
    assert_eq!(ask(&pages, "/search?q=").await.status, StatusCode::OK);
}
