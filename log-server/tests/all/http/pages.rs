//! The pages behind problem types, the figures, and the description of the interface.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::get;
use countersign_log::http::catalog;

use super::served::{Ground, Served, Setting};

async fn served() -> Served {
    Served::with(Ground::found(), Setting::default()).await
}

/// Text as it stands in a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&#38;")
        .replace('<', "&#60;")
        .replace('>', "&#62;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_problem_has_a_page_and_its_json_twin() {
    let served = served().await;
    let list = served.get_as("/errors", "text/html").await;
    assert_eq!(list.status, StatusCode::OK);
    let mut problems = 0;
    for problem in catalog::all() {
        let path = catalog::type_uri(problem.code);
        let page = served.get_as(&path, "text/html,application/xhtml+xml,*/*;q=0.8").await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (StatusCode::OK, "text/html; charset=utf-8"),
            "{path}"
        );
        for text in [problem.title, problem.explanation, problem.remedy] {
            assert!(page.text().contains(&escaped(text)), "{path} lacks {text:?}: {}", page.text());
        }
        assert!(list.text().contains(&format!("href=\"{path}\"")), "the list lacks {path}");
        for twin in
            [served.get(&format!("{path}.json")).await, served.get_as(&path, "application/json").await]
        {
            assert_eq!(
                (twin.status, twin.header("content-type")),
                (StatusCode::OK, "application/json"),
                "{path}"
            );
            let twin = twin.json();
            assert_eq!(twin["type"], path);
            assert_eq!((&twin["title"], &twin["remedy"]), (&problem.title.into(), &problem.remedy.into()));
        }
        problems += 1;
    }
    assert!(problems > 60);
    assert_eq!(served.get_as("/errors", "application/json").await.json().as_array().unwrap().len(), problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_run_nothing_load_nothing_and_echo_nothing() {
    let served = served().await;
    let page = served.get("/errors/clock-skew").await;
    let policy = page.header("content-security-policy");
    for directive in ["default-src 'none'", "form-action 'none'", "frame-ancestors 'none'", "base-uri 'none'"]
    {
        assert!(policy.contains(directive), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    // The style is allowed by its hash, so it must be the one that is in the page.
    let style = page.text().split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let hash = sha256_base64(style);
    assert!(policy.contains(&format!("style-src 'sha256-{hash}'")), "{policy}");
    for path in ["/errors/%3Cscript%3E", "/errors/nothing", "/%3Cscript%3Ealert(1)%3C/script%3E"] {
        let answer = served.get_as(path, "text/html").await;
        assert_eq!(answer.problem(), "not-found", "{path}");
    }
    assert_eq!(served.get_as("/errors/clock-skew", "image/png").await.problem(), "not-acceptable");
}

fn sha256_base64(text: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text))
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_described_is_there() {
    let served = served().await;
    served.published().await;
    let document = served.get("/openapi.json").await;
    assert_eq!((document.status, document.header("content-type")), (StatusCode::OK, "application/json"));
    let document = document.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        // The explorer's, which this log is served without.
        let of_the_explorer = path == "/executions/{id}.bundle";
        for method in item.as_object().unwrap().keys() {
            let filled = path
                .replace("{level}", "0")
                .replace("{index}", "000.p/1")
                .replace("{name}", "operator")
                .replace("{code}", "not-found");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = Request::builder().method(method.clone()).uri(&filled).body(Body::empty()).unwrap();
            let answer = served.send(request).await;
            let missing = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&answer.status);
            assert_eq!(missing, of_the_explorer, "{method} {path}: {answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_is_explained() {
    let served = served().await;
    served.register(&served.desk, &["requester"]).await;
    served.cose(served.desk.intent("counted"), "").await;
    served.cose(b"nonsense".to_vec(), "").await;
    served.get("/checkpoint").await;
    let answer = served.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text();
    for expected in [
        "countersign_statements_total{result=\"new\"}",
        "countersign_refusals_total{code=\"cose-malformed\"}",
        "countersign_http_requests_total{route=\"/entries\",method=\"POST\",status=\"201\"}",
        "countersign_stage_seconds_bucket{stage=\"verified\",",
        "countersign_stage_seconds_bucket{stage=\"queued\",",
        "countersign_stage_seconds_bucket{stage=\"sequenced\",",
        "countersign_stage_seconds_bucket{stage=\"synced\",",
        "countersign_stage_seconds_count{stage=\"cosigned\"}",
        "countersign_stage_seconds_count{stage=\"published\"}",
        "countersign_http_request_seconds_sum{route=\"/checkpoint\"}",
        "countersign_tree_size{head=\"sequenced\"}",
        "countersign_tree_size{head=\"published\"}",
        "countersign_queued_statements ",
        "countersign_ready 1",
        "countersign_store_wal_bytes ",
        "countersign_issuer_keys ",
        "countersign_stopped 0",
        "countersign_not_ready{reason=\"quorum-missing\"} 0",
        "countersign_build_info{program=\"countersign-log\"",
    ] {
        assert!(text.contains(expected), "no {expected} in {text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        let base =
            ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        let explained = |name: &str| text.contains(&format!("# HELP {name} "));
        assert!(explained(base) || explained(name), "{name} is not explained");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_get_what_is_left_and_their_faults_stay_their_own() {
    let mut served = served().await;
    let pages = Router::new()
        .route("/entries", get(|| async { "a list" }))
        .route("/fault", get(fault))
        .fallback(|| async { (StatusCode::NOT_FOUND, "no such page") });
    served.router = served.front.router_with(pages);
    assert_eq!(served.get("/entries").await.text(), "a list");
    assert_eq!(served.get("/anything").await.text(), "no such page");
    served.register(&served.desk, &["requester"]).await;
    assert_eq!(served.cose(served.desk.intent("beside"), "").await.status, StatusCode::CREATED);
    let put = Request::builder().method(Method::PUT).uri("/entries").body(Body::empty()).unwrap();
    let put = served.send(put).await;
    assert_eq!((put.problem().as_str(), put.header("allow")), ("method-not-allowed", "POST,GET,HEAD"));
    let fault = served.get("/fault").await;
    assert_eq!((fault.problem().as_str(), fault.status.as_u16()), ("internal-error", 500));
    assert!(!fault.text().contains("on purpose") && !fault.header("x-request-id").is_empty(), "{fault:?}");
    assert_eq!(served.get("/healthz").await.status, StatusCode::OK);
}

async fn fault() -> &'static str {
    panic!("on purpose")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_in_the_process_sees_what_a_reader_elsewhere_sees() {
    let mut served = served().await;
    served.published().await;
    let mut elsewhere = Vec::new();
    for path in ["/checkpoint", "/tile/0/000.p/1", "/tile/entries/000.p/1"] {
        elsewhere.push((path, served.get(path).await));
    }
    served.router = served.front.reader();
    for (path, seen) in elsewhere {
        let here = served.get(path).await;
        assert_eq!((here.status, &here.body), (StatusCode::OK, &seen.body), "{path}");
    }
    assert_eq!(served.get("/metrics").await.status, StatusCode::NOT_FOUND);
}
