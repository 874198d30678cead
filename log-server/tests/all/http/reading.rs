//! `/checkpoint`, `/tile/...`, `/proof/...`, `/issuers/...`.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use countersign_verifier::merkle::{LeafHash, NodeHash, RootHash, TreeSize, verify_consistency};
use countersign_verifier::note::SignedNote;
use countersign_verifier::quorum::Policy;
use countersign_verifier::tiles::{EntryBundle, TileWidth};
use serde_json::{Value, json};

use super::served::Served;
use super::statements::Signer;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

async fn with_entries(count: usize) -> Served {
    let served = Served::start().await;
    let statements: Vec<Vec<u8>> =
        (served.size()..count as u64).map(|number| served.desk.intent(&format!("r:{number}"))).collect();
    for chunk in statements.chunks(1024) {
        assert_eq!(served.batch(chunk, "").await.status, StatusCode::OK);
    }
    assert_eq!(served.size(), count as u64);
    served
}

fn root_of(checkpoint: &[u8]) -> RootHash {
    let note = SignedNote::parse(checkpoint).unwrap();
    RootHash::from_base64(note.text().lines().nth(2).unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkpoint_is_a_signed_note_that_nobody_keeps() {
    let served = with_entries(3).await;
    let answer = served.get("/checkpoint").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(!answer.header("x-request-id").is_empty());
    let policy = Policy::parse(b"quorum none\n").unwrap().for_log(served.ground.key.clone());
    let head = policy.verify(&SignedNote::parse(&answer.body).unwrap()).unwrap();
    assert_eq!(head.checkpoint().size.get(), 3);
    let head = Request::builder().method(Method::HEAD).uri("/checkpoint").body(Body::empty()).unwrap();
    let head = served.send(head).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_are_served_in_the_widths_that_the_head_implies() {
    let served = with_entries(300).await;
    for (path, length) in [
        ("/tile/0/000", 8192),
        ("/tile/0/000.p/255", 255 * 32),
        ("/tile/0/001.p/44", 44 * 32),
        ("/tile/0/001.p/1", 32),
        ("/tile/1/000.p/1", 32),
    ] {
        let answer = served.get(path).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, length), "{path}");
        assert_eq!(answer.header("content-type"), "application/octet-stream", "{path}");
        assert_eq!(answer.header("cache-control"), IMMUTABLE, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    for path in [
        "/tile/0/001",
        "/tile/0/001.p/45",
        "/tile/0/002.p/1",
        "/tile/1/000",
        "/tile/1/000.p/2",
        "/tile/2/000.p/1",
        "/tile/entries/001.p/45",
        "/tile/entries/002",
    ] {
        let answer = served.get(path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::NOT_FOUND, "tile-not-published"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "nobody keeps a refusal: {path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
    for path in [
        "/tile/0/0",
        "/tile/0/x000/000",
        "/tile/00/000",
        "/tile/64/000",
        "/tile/0/000.p/0",
        "/tile/0/000.p/256",
        "/tile/0/000.p/044",
        "/tile/0/001.p/%344",
        "/tile/0//000",
        "/tile/entries/0",
        "/tile/data/000",
        "/tile/0/000/",
        "//tile/0/000",
    ] {
        let answer = served.get(path).await;
        let code = if path.starts_with("//") { "not-found" } else { "tile-path-invalid" };
        assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::NOT_FOUND, code), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_hold_the_entries_of_the_hash_tiles_also_compressed() {
    let served = with_entries(300).await;
    for (bundle, tile, width) in
        [("/tile/entries/000", "/tile/0/000", 256), ("/tile/entries/001.p/44", "/tile/0/001.p/44", 44)]
    {
        let (bytes, hashes) = (served.get(bundle).await.body, served.get(tile).await.body);
        let entries = EntryBundle::parse(TileWidth::new(width).unwrap(), &bytes).unwrap();
        let computed: Vec<u8> =
            entries.entries().iter().flat_map(|entry| *LeafHash::of(entry).as_bytes()).collect();
        assert_eq!(computed, hashes);
        let request = Request::get(bundle).header("accept-encoding", "gzip").body(Body::empty()).unwrap();
        let compressed = served.send(request).await;
        assert_eq!(compressed.header("content-encoding"), "gzip");
        assert_eq!(compressed.header("cache-control"), IMMUTABLE);
        assert!(compressed.header("vary").contains("accept-encoding"));
        assert!(compressed.body.len() < bytes.len() / 2);
    }
}

fn hashes(proof: &Value) -> Vec<NodeHash> {
    let hashes = proof["hashes"].as_array().unwrap();
    hashes.iter().map(|hash| NodeHash::from_base64(hash.as_str().unwrap()).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn consistency_holds_between_all_heads_that_were_seen() {
    let served = Served::start().await;
    let mut heads = Vec::new();
    for number in 0..12 {
        served.cose(served.desk.intent(&format!("h:{number}")), "").await;
        heads.push((served.size(), root_of(&served.get("/checkpoint").await.body)));
    }
    for (from, from_root) in &heads {
        for (to, to_root) in heads.iter().filter(|(to, _)| to >= from) {
            let answer = served.get(&format!("/proof/consistency?from={from}&to={to}")).await;
            assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, IMMUTABLE));
            let proof = answer.json();
            assert_eq!((&proof["from"], &proof["to"]), (&json!(from), &json!(to)));
            let (from, to) = (TreeSize::new(*from).unwrap(), TreeSize::new(*to).unwrap());
            verify_consistency(from, *from_root, to, *to_root, &hashes(&proof)).unwrap();
        }
    }
    let empty = served.get("/proof/consistency?from=0&to=5").await;
    assert_eq!(empty.json(), json!({"from": 0, "to": 5, "hashes": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_are_given_within_the_published_tree_only() {
    let served = with_entries(5).await;
    for (path, code) in [
        ("/proof/inclusion?index=5&size=5", "index-not-in-tree"),
        ("/proof/inclusion?index=0&size=0", "index-not-in-tree"),
        ("/proof/inclusion?index=0&size=6", "size-not-published"),
        ("/proof/inclusion?index=0", "query-parameter-invalid"),
        ("/proof/inclusion?size=5", "query-parameter-invalid"),
        ("/proof/inclusion?index=00&size=5", "query-parameter-invalid"),
        ("/proof/inclusion?index=-1&size=5", "query-parameter-invalid"),
        ("/proof/inclusion?index=0&size=99999999999999999999", "query-parameter-invalid"),
        ("/proof/inclusion?index=0&size=5&extra=1", "query-parameter-unknown"),
        ("/proof/inclusion?index=0&index=1&size=5", "query-parameter-unknown"),
        ("/proof/consistency?from=3&to=2", "query-parameter-invalid"),
        ("/proof/consistency?from=3&to=6", "size-not-published"),
        ("/proof/consistency?from=3", "query-parameter-invalid"),
    ] {
        let answer = served.get(path).await;
        assert_eq!(answer.problem(), code, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_may_ask_whether_they_may_read() {
    let served = Served::start().await;
    for path in ["/checkpoint", "/tile/0/000", "/tile/entries/000", "/proof/inclusion"] {
        let preflight = Request::options(path)
            .header("origin", "https://auditor.example")
            .header("access-control-request-method", "GET");
        let answer = served.send(preflight.body(Body::empty()).unwrap()).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        let posted = served.post(path, "text/plain", "").await;
        assert_eq!(
            (posted.problem().as_str(), posted.header("access-control-allow-origin")),
            ("method-not-allowed", "*")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn issuers_are_listed_with_all_their_keys() {
    let served = Served::start().await;
    let replaced = Signer::new("a/b?c", 2);
    assert_eq!(served.get("/issuers/a%2Fb%3Fc.json").await.problem(), "issuer-not-found");
    served.register(&replaced, &["requester"]).await;
    served.register(&Signer::new("a/b?c", 3), &["requester", "enforcer"]).await;
    served.enter(served.operator.registration(&replaced, &[], "revoked")).await;
    let answer = served.get("/issuers/a%2Fb%3Fc.json").await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    let issuer = answer.json();
    assert_eq!(issuer["name"], "a/b?c");
    let key = |public_key: String| {
        issuer["keys"]
            .as_array()
            .unwrap()
            .iter()
            .find(|key| key["public_key"] == *public_key)
            .unwrap()
            .clone()
    };
    let revoked = key(replaced.public_key());
    assert_eq!(
        (&revoked["status"], &revoked["roles"], &revoked["index"]),
        (&json!("revoked"), &json!([]), &json!(4))
    );
    assert_eq!(revoked["kid"], replaced.kid().to_string());
    let active = key(Signer::new("", 3).public_key());
    assert_eq!((&active["status"], &active["index"]), (&json!("active"), &json!(3)));
    assert_eq!(active["roles"], json!(["requester", "enforcer"]));
    for path in ["/issuers/desk", "/issuers/nobody.json", "/issuers/.json", "/issuers/a%20b.json"] {
        assert_eq!(served.get(path).await.problem(), "issuer-not-found", "{path}");
    }
}
