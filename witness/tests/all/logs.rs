//! Adding logs, while the witness serves.

use std::path::Path;

use axum::Router;
use axum::routing::get;
use tempfile::tempdir;

use super::support::{Log, Process, output};

fn init(data: &Path) -> String {
    let data = data.to_str().unwrap().to_owned();
    assert!(output(&["init", "--data", &data, "--name", "w.example"]).status.success());
    data
}

fn add(data: &str, args: &[&str]) -> serde_json::Value {
    let added = output(&[&["add-log", "--data", data, "--json"], args].concat());
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    serde_json::from_slice(&added.stdout).unwrap()
}

#[tokio::test]
async fn a_log_is_watched_as_soon_as_it_is_added_and_so_is_a_new_key() {
    let folder = tempdir().unwrap();
    let data = init(folder.path());
    let witness = Process::serve(folder.path());
    let log = Log::new("log.example/a", 1, 8);
    assert_eq!(witness.client.add(log.request(0, 3)).await.problem(), "unknown-log");
    let added = add(&data, &["--vkey", &log.key().to_string()]);
    assert_eq!(added["added"][0]["origin"], "log.example/a");
    assert_eq!(witness.client.add(log.request(0, 3)).await.status, 200);
    assert_eq!(add(&data, &["--vkey", &log.key().to_string()])["known"], 1);

    let rotated = Log::new("log.example/a", 5, 8);
    assert_eq!(witness.client.add(rotated.request(3, 5)).await.problem(), "untrusted-checkpoint");
    let added = add(&data, &["--vkey", &rotated.key().to_string()]);
    assert_eq!(added["keys_added"][0]["vkey"], rotated.key().to_string());
    assert_eq!(witness.client.add(rotated.request(3, 5)).await.status, 200);
}

#[tokio::test]
async fn an_origin_may_be_another_than_the_name_of_the_key() {
    let folder = tempdir().unwrap();
    let data = init(folder.path());
    let witness = Process::serve(folder.path());
    let key = Log::new("key.example", 1, 0);
    add(&data, &["--vkey", &key.key().to_string(), "--origin", "go.sum database tree"]);
    let text = format!("go.sum database tree\n0\n{}\n", key.root(0).to_base64());
    let answer = witness.client.add(format!("old 0\n\n{}", key.sign(&text))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn a_list_adds_what_is_new_and_its_number_a_day_is_enforced() {
    let folder = tempdir().unwrap();
    let data = init(folder.path());
    let (a, b) = (Log::new("log.example/a", 1, 8), Log::new("log.example/b", 3, 8));
    add(&data, &["--vkey", &a.key().to_string()]);
    let other_a = Log::new("log.example/a", 7, 8);
    let list = format!(
        "logs/v0\n\nvkey {}\nqpd 1\ncontact a\n\nvkey {}\nqpd 2\ncontact b\n",
        other_a.key(),
        b.key()
    );
    let path = folder.path().join("list");
    std::fs::write(&path, &list).unwrap();
    let added = add(&data, &["--list", path.to_str().unwrap()]);
    assert_eq!((added["added"].as_array().unwrap().len(), &added["known"]), (1, &1.into()));

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/list", listener.local_addr().unwrap());
    let router = Router::new().route("/list", get(move || async move { list }));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let fetched = tokio::task::spawn_blocking({
        let (data, url) = (data.clone(), url.clone());
        move || add(&data, &["--list", &url])
    });
    assert_eq!(fetched.await.unwrap()["known"], 2, "a list that is read again adds nothing");
    serving.abort();

    let witness = Process::serve(folder.path());
    assert_eq!(witness.client.add(other_a.request(0, 3)).await.problem(), "untrusted-checkpoint");
    assert_eq!(witness.client.add(b.request(0, 1)).await.status, 200);
    assert_eq!(witness.client.add(b.request(1, 2)).await.status, 200);
    let refused = witness.client.add(b.request(2, 3)).await;
    assert_eq!((refused.status, refused.problem().as_str()), (429, "too-many-requests"));
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 40_000);
    for size in 0..7 {
        assert_eq!(witness.client.add(a.request(size, size + 1)).await.status, 200, "no number, no limit");
    }
}

#[test]
fn what_cannot_be_added_is_told_and_changes_nothing() {
    let folder = tempdir().unwrap();
    let data = init(folder.path());
    let before = std::fs::read_to_string(folder.path().join("logs")).unwrap();
    let bad_list = folder.path().join("bad");
    std::fs::write(&bad_list, "logs/v0\nvkey nonsense\n").unwrap();
    let log = Log::new("log.example/a", 1, 0).key().to_string();
    let own = output(&["status", "--data", &data, "--json"]);
    let own: serde_json::Value = serde_json::from_slice(&own.stdout).unwrap();
    for (args, code) in [
        (vec!["--list", bad_list.to_str().unwrap()], 2),
        (vec!["--list", "/nowhere"], 2),
        (vec!["--list", "http://example.org/list"], 1),
        (vec!["--vkey", "nonsense"], 1),
        (vec!["--vkey", own["vkey"].as_str().unwrap()], 2),
        (vec!["--vkey", &log, "--list", "x"], 1),
        (vec!["--list", "x", "--origin", "y"], 1),
        (vec![], 1),
    ] {
        let refused = output(&[&["add-log", "--data", &data], args.as_slice()].concat());
        let told = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{args:?}: {told}");
        assert!(told.contains("error"), "{told}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("logs")).unwrap(), before);
}
