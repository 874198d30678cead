//! A log that lies: the explorer refuses, says so, and goes on showing what it had verified.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use countersign_verifier::merkle::RootHash;
use countersign_verifier::note::{KeyName, NoteSigner};
use countersign_web::Source;
use serde_json::Value;

use crate::ask::{ask, explorer, explorer_of, health};
use crate::log::{TestLog, false_root, head, head_by};

async fn assert_state(pages: &Router, state: &str, size: u64, read_up_to: u64) -> Value {
    let health = health(pages).await;
    assert_eq!(
        (health["state"].as_str(), health["size"].as_u64(), health["read_up_to"].as_u64()),
        (Some(state), Some(size), Some(read_up_to)),
        "{health:#}"
    );
    health
}

/// What was verified is still shown, and no page keeps quiet about the rest.
async fn assert_serves_with_banner(pages: &Router, entry: u64, role: &str) {
    for path in ["/".to_owned(), "/entries".to_owned(), format!("/entries/{entry}"), "/health".to_owned()] {
        let answer = ask(pages, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.text().contains(&format!("role=\"{role}\"")), "{path} has no banner");
    }
    let beyond = ask(pages, &format!("/entries/{}", entry + 1)).await;
    assert_eq!(beyond.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_log_is_followed_as_it_grows() {
    let log = TestLog::of(3);
    let pages = explorer(&log);
    assert_state(&pages, "following", 3, 3).await;
    // Across bundles, one at a time and many at once, also past what is verified in one go.
    for step in [1, 252, 1, 256, 87, 400, 4_200] {
        log.grow(step);
        log.publish();
        let size = health(&pages).await["size"].as_u64().unwrap();
        assert_state(&pages, "following", size, size).await;
        let last = ask(&pages, &format!("/entries/{}.cose", size - 1)).await;
        assert_eq!(last.text(), format!("entry {}", size - 1));
    }
    // Nothing new: the same head, and the same with another cosignature.
    assert_state(&pages, "following", 5_200, 5_200).await;
    log.serve(head(5_200, log.root(5_200), 3));
    assert_eq!(health(&pages).await["cosigned"], 3);
}

#[tokio::test]
async fn before_the_first_head_there_is_nothing_to_show() {
    let log = TestLog::new();
    log.grow(2);
    let pages = explorer(&log);
    assert_eq!(health(&pages).await["state"], "waiting");
    assert_eq!(ask(&pages, "/").await.status, StatusCode::OK);
    assert_eq!(ask(&pages, "/health").await.status, StatusCode::OK);
    for path in
        ["/entries", "/entries/0", "/entries/0.json", "/executions", "/search?q=1", "/entries/0/proof"]
    {
        let answer = ask(&pages, path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(answer.header("retry-after"), "2");
    }
    assert_eq!(ask(&pages, "/entries/0.json").await.json()["type"], "/errors/no-head-yet");
    // A head without its quorum is no head.
    log.serve(head(2, log.root(2), 1));
    assert_eq!(health(&pages).await["state"], "unreadable");
    assert_eq!(ask(&pages, "/entries/0").await.status, StatusCode::BAD_GATEWAY);
    log.publish();
    assert_state(&pages, "following", 2, 2).await;
}

#[tokio::test]
async fn an_empty_log_is_a_log() {
    let log = TestLog::new();
    log.serve(head(0, RootHash::empty(), 2));
    let pages = explorer(&log);
    assert_state(&pages, "following", 0, 0).await;
    assert!(ask(&pages, "/").await.text().contains("nothing yet"));
    assert!(ask(&pages, "/entries").await.text().contains("No entries match among the 0 entries"));
    assert_eq!(ask(&pages, "/entries/0").await.status, StatusCode::NOT_FOUND);
    log.serve(head(0, false_root(), 2));
    assert_eq!(health(&pages).await["state"], "contradiction");
}

#[tokio::test]
async fn two_heads_of_one_size_are_a_fork_for_good() {
    let log = TestLog::of(300);
    let pages = explorer(&log);
    assert_state(&pages, "following", 300, 300).await;
    let fork = head(300, false_root(), 3);
    log.serve(fork.clone());
    let health = assert_state(&pages, "contradiction", 300, 300).await;
    let evidence = &health["contradictions"][0];
    assert_eq!(evidence["served"].as_str().unwrap().as_bytes(), fork);
    assert_eq!(evidence["known"].as_str().unwrap().as_bytes(), head(300, log.root(300), 2));
    assert_serves_with_banner(&pages, 299, "alert").await;
    // Nothing that such a log says afterwards is believed.
    log.grow(5);
    log.publish();
    let health = assert_state(&pages, "contradiction", 300, 300).await;
    assert_eq!(health["contradictions"].as_array().unwrap().len(), 1);
}

/// A log may choose which alarms come first, and must not get rid of the one that counts by that.
#[tokio::test]
async fn a_fork_is_kept_however_many_alarms_came_before() {
    let log = TestLog::of(10);
    let pages = explorer(&log);
    assert_state(&pages, "following", 10, 10).await;
    log.grow(40);
    for size in 20..50 {
        log.serve(head(size, false_root(), 2));
        assert_state(&pages, "contradiction", 10, 10).await;
    }
    let fork = head(10, false_root(), 3);
    log.serve(fork.clone());
    assert_state(&pages, "contradiction", 10, 10).await;
    log.publish();
    let health = assert_state(&pages, "contradiction", 10, 10).await;
    let kept = health["contradictions"].as_array().unwrap();
    assert_eq!(kept[0]["served"].as_str().unwrap().as_bytes(), fork);
    assert!(kept[0]["what"].as_str().unwrap().contains("two heads that contradict each other"), "{health:#}");
    assert_eq!(kept.len(), 17);
}

/// A log of ten entries that shows a head of twenty, with its quorum, which its entries do not lead to.
async fn lied_to() -> (TestLog, Router, Vec<u8>) {
    let log = TestLog::of(10);
    let pages = explorer(&log);
    assert_state(&pages, "following", 10, 10).await;
    log.grow(10);
    let lie = head(20, false_root(), 2);
    log.serve(lie.clone());
    (log, pages, lie)
}

#[tokio::test]
async fn a_head_that_was_an_alarm_already_can_still_be_a_fork() {
    let (log, pages, lie) = lied_to().await;
    assert_state(&pages, "contradiction", 10, 10).await;
    log.publish();
    // What does not lead to its head may be a fault; the log goes on, and is followed.
    assert_state(&pages, "contradiction", 20, 20).await;
    log.serve(lie);
    assert_state(&pages, "contradiction", 20, 20).await;
    log.grow(5);
    log.publish();
    assert_state(&pages, "contradiction", 20, 20).await;
}

#[tokio::test]
async fn a_smaller_head_with_another_root_is_a_fork() {
    let log = TestLog::of(700);
    let pages = explorer(&log);
    assert_state(&pages, "following", 700, 700).await;
    log.serve(head(600, false_root(), 2));
    assert_state(&pages, "contradiction", 700, 700).await;
    assert_serves_with_banner(&pages, 699, "alert").await;
}

#[tokio::test]
async fn the_mirror_never_goes_back() {
    let log = TestLog::of(700);
    let pages = explorer(&log);
    assert_state(&pages, "following", 700, 700).await;
    for size in [0, 1, 255, 256, 512, 699] {
        log.publish_first(size);
        let health = assert_state(&pages, "unreadable", 700, 700).await;
        assert_eq!(health["contradictions"], serde_json::json!([]));
    }
    assert_serves_with_banner(&pages, 699, "status").await;
    log.withdraw();
    assert_state(&pages, "unreadable", 700, 700).await;
    log.publish();
    assert_state(&pages, "following", 700, 700).await;
}

#[tokio::test]
async fn a_head_that_its_entries_do_not_lead_to_is_refused() {
    let (_log, pages, lie) = lied_to().await;
    let health = assert_state(&pages, "contradiction", 10, 10).await;
    assert_eq!(health["contradictions"][0]["served"].as_str().unwrap().as_bytes(), lie);
    assert_serves_with_banner(&pages, 9, "alert").await;
}

#[tokio::test]
async fn a_log_that_rewrote_its_past_is_refused() {
    let log = TestLog::of(10);
    let pages = explorer(&log);
    assert_state(&pages, "following", 10, 10).await;
    // Another history under the same key, longer and in itself sound.
    let other = TestLog::new();
    other.append(b"something else".to_vec());
    other.grow(30);
    log.serve(head(31, other.root(31), 3));
    log.grow(21);
    assert_state(&pages, "contradiction", 10, 10).await;
}

#[tokio::test]
async fn a_changed_entry_is_refused_until_the_true_one_is_served() {
    for (index, count) in [(12, 20), (700, 900)] {
        let log = TestLog::of(10);
        let pages = explorer(&log);
        assert_state(&pages, "following", 10, 10).await;
        log.grow(count);
        log.publish();
        log.change(index, b"forged");
        assert_state(&pages, "contradiction", 10, 10).await;
        assert_serves_with_banner(&pages, 9, "alert").await;
        log.repent();
        // The mirror goes on, and does not forget.
        let size = u64::try_from(count).unwrap() + 10;
        let health = assert_state(&pages, "contradiction", size, size).await;
        assert_eq!(health["contradictions"].as_array().unwrap().len(), 1);
        assert_eq!(ask(&pages, &format!("/entries/{index}.cose")).await.text(), format!("entry {index}"));
    }
}

#[tokio::test]
async fn what_is_proven_of_a_long_log_is_shown_and_the_rest_is_not() {
    let log = TestLog::of(9_000);
    log.change(8_999, b"forged");
    let pages = explorer(&log);
    // Two chunks are proven to be under the signed head before the third one turns out to be false.
    assert_state(&pages, "contradiction", 9_000, 8_192).await;
    assert_eq!(ask(&pages, "/entries/8191.cose").await.text(), "entry 8191");
    assert_eq!(ask(&pages, "/entries/8999.cose").await.status, StatusCode::NOT_FOUND);
    // Hash tiles that contradict the head prove nothing.
    let log = TestLog::of(9_000);
    log.flip_tiles();
    let pages = explorer(&log);
    let health = health(&pages).await;
    assert_eq!((health["state"].as_str(), health["read_up_to"].as_u64()), (Some("contradiction"), Some(0)));
    log.repent();
    assert_eq!(ask(&pages, "/entries/8999.cose").await.text(), "entry 8999");
}

#[tokio::test]
async fn a_head_without_quorum_changes_nothing() {
    let log = TestLog::of(10);
    let pages = explorer(&log);
    assert_state(&pages, "following", 10, 10).await;
    log.grow(1);
    for witnesses in [0, 1] {
        log.serve(head(11, log.root(11), witnesses));
        assert_state(&pages, "unreadable", 10, 10).await;
    }
    assert_serves_with_banner(&pages, 9, "status").await;
    log.publish();
    assert_state(&pages, "following", 11, 11).await;
}

#[tokio::test]
async fn heads_by_other_keys_are_refused() {
    let log = TestLog::of(10);
    let pages = explorer(&log);
    assert_state(&pages, "following", 10, 10).await;
    log.grow(1);
    for name in ["log.example/test", "log.example/other"] {
        let key = NoteSigner::from_seed(KeyName::new(name).unwrap(), false, &[99; 32]);
        log.serve(head_by(&key, 11, log.root(11), 3));
        assert_state(&pages, "unreadable", 10, 10).await;
    }
}

#[tokio::test]
async fn no_single_changed_byte_of_a_head_is_accepted() {
    let log = TestLog::of(5);
    let pages = explorer(&log);
    assert_state(&pages, "following", 5, 5).await;
    log.grow(1);
    let honest = head(6, log.root(6), 2);
    for at in 0..honest.len() {
        let mut note = honest.clone();
        note[at] ^= 1;
        log.serve(note);
        let health = health(&pages).await;
        assert_eq!(health["size"], 5, "byte {at}");
        assert_eq!(health["contradictions"], serde_json::json!([]), "byte {at}");
    }
    for length in [0, 1, honest.len() / 2, honest.len() - 1] {
        log.serve(&honest[..length]);
        assert_state(&pages, "unreadable", 5, 5).await;
    }
    log.serve(honest);
    assert_state(&pages, "following", 6, 6).await;
}

#[tokio::test]
async fn a_bundle_that_ends_too_early_is_refused() {
    let log = TestLog::of(10);
    let pages = explorer(&log);
    assert_state(&pages, "following", 10, 10).await;
    log.grow(300);
    log.publish();
    for cut in [1, 5, 100] {
        log.cut_bundles(cut);
        let health = assert_state(&pages, "unreadable", 10, 10).await;
        assert!(health["summary"].as_str().unwrap().contains("bundle"), "{health:#}");
    }
    log.repent();
    assert_state(&pages, "following", 310, 310).await;
}

#[tokio::test]
async fn an_entry_that_changes_after_it_was_read_is_not_shown() {
    let log = TestLog::of(300);
    let pages = explorer(&log);
    assert_state(&pages, "following", 300, 300).await;
    // In a full bundle and in the last one.
    for index in [7, 290] {
        log.change(index, b"<b>forged</b>");
        for path in
            [format!("/entries/{index}"), format!("/entries/{index}.cose"), format!("/entries/{index}/proof")]
        {
            let answer = ask(&pages, &path).await;
            assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{path}");
            assert!(!answer.text().contains("forged"));
        }
        let json = ask(&pages, &format!("/entries/{index}.json")).await;
        assert_eq!(json.json()["type"], "/errors/log-contradicts-head");
        log.repent();
        let answer = ask(&pages, &format!("/entries/{index}.cose")).await;
        assert_eq!(answer.text(), format!("entry {index}"));
    }
}

#[tokio::test]
async fn tiles_that_contradict_the_head_give_no_proof() {
    let log = TestLog::of(300);
    let pages = explorer(&log);
    assert_eq!(ask(&pages, "/entries/1.tlog-proof").await.status, StatusCode::OK);
    log.flip_tiles();
    for path in ["/entries/1.tlog-proof", "/entries/1/proof", "/entries/1/proof?size=200"] {
        assert_eq!(ask(&pages, path).await.status, StatusCode::BAD_GATEWAY, "{path}");
    }
    // The entry itself is known without them.
    assert_eq!(ask(&pages, "/entries/1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn partial_tiles_may_be_gone_once_full_ones_are_there() {
    let log = TestLog::new();
    log.grow(600);
    log.drop_partial_tiles();
    log.publish_first(300);
    let pages = explorer(&log);
    assert_state(&pages, "following", 300, 300).await;
    for index in [0, 255, 256, 299] {
        assert_eq!(ask(&pages, &format!("/entries/{index}.cose")).await.text(), format!("entry {index}"));
        assert_eq!(ask(&pages, &format!("/entries/{index}.tlog-proof")).await.status, StatusCode::OK);
    }
    assert_eq!(ask(&pages, "/entries/300.cose").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn compressed_answers_are_read_although_nobody_asked_for_them() {
    let log = TestLog::of(600);
    let pages = explorer_of(Source::memory(log.compressing_router()));
    assert_state(&pages, "following", 600, 600).await;
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    // 64 MiB of zeros, a few KiB when compressed.
    let bomb = get(async || vec![0_u8; 64 << 20]);
    let log =
        Router::new().route("/checkpoint", bomb).layer(tower_http::compression::CompressionLayer::new());
    let log = log.layer(axum::middleware::from_fn(
        async |mut request: axum::extract::Request, next: axum::middleware::Next| {
            request.headers_mut().insert("accept-encoding", axum::http::HeaderValue::from_static("gzip"));
            next.run(request).await
        },
    ));
    let health = health(&explorer_of(Source::memory(log))).await;
    assert_eq!(health["state"], "unreadable");
    assert!(health["summary"].as_str().unwrap().contains("longer than the 131072 bytes"), "{health:#}");
}
