//! Over real sockets: a log on another port, and the program.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use countersign_web::Source;
use tokio::net::TcpListener;
use url::Url;

use crate::ask::{ask, explorer_of, health};
use crate::log::{TestLog, head, policy_text};

/// Serves a router on a free port.
async fn serve(router: Router) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Url::parse(&format!("http://{address}/")).unwrap()
}

#[tokio::test]
async fn a_log_is_read_over_http() {
    let log = TestLog::of(700);
    // Compressed, and below a path.
    let url =
        serve(Router::new().nest("/some/log", log.compressing_router())).await.join("some/log").unwrap();
    let pages = explorer_of(Source::http(url.clone()).unwrap());
    assert_eq!(health(&pages).await["read_up_to"], 700);
    assert!(ask(&pages, "/health").await.text().contains(&format!("href=\"{url}/checkpoint\"")));
    // A remote log is asked at most once a second.
    log.grow(5);
    log.publish();
    assert_eq!(health(&pages).await["read_up_to"], 700);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(health(&pages).await["read_up_to"], 705);
    // A fork over HTTP is a fork.
    log.serve(head(705, log.root(700), 3));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let health = health(&pages).await;
    assert_eq!((health["state"].as_str(), health["read_up_to"].as_u64()), (Some("contradiction"), Some(705)));
}

#[tokio::test]
async fn a_log_out_of_reach_is_said_to_be() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let pages = explorer_of(Source::http(url).unwrap());
    let health = health(&pages).await;
    assert_eq!(health["state"], "unreadable");
    let entry = ask(&pages, "/entries/0.json").await;
    assert_eq!((entry.status.as_u16(), entry.json()["type"].as_str()), (502, Some("/errors/log-unreadable")));
    assert_eq!(ask(&pages, "/").await.status.as_u16(), 200);
    for url in ["ftp://log.example/", "http://log.example/?a=b", "http://log.example/#c"] {
        assert!(Source::http(Url::parse(url).unwrap()).is_err(), "{url}");
    }
}

const PROGRAM: &str = env!("CARGO_BIN_EXE_countersign-explorer");

#[tokio::test(flavor = "multi_thread")]
async fn the_program_serves_the_pages_of_a_log_elsewhere() {
    let log = TestLog::of(20);
    let url = serve(log.router()).await;
    let policy = std::env::temp_dir().join(format!("countersign-explorer-{}.policy", std::process::id()));
    std::fs::write(&policy, policy_text()).unwrap();
    let mut program = Command::new(PROGRAM)
        .args(["--log", url.as_str(), "--listen", "127.0.0.1:0", "--policy"])
        .arg(&policy)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let pages = Url::parse(line.trim()).unwrap();
    let json = reqwest::get(pages.join("health.json").unwrap()).await.unwrap().text().await.unwrap();
    let health: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((health["state"].as_str(), health["read_up_to"].as_u64()), (Some("following"), Some(20)));
    // It stops when it is told to.
    let stop = Command::new("kill").arg(program.id().to_string()).status().unwrap();
    assert!(stop.success());
    assert_eq!(program.wait().unwrap().code(), Some(0));
    std::fs::remove_file(policy).unwrap();
}

#[test]
fn the_program_says_what_is_wrong_with_its_flags() {
    let run = |args: &[&str]| {
        let output = Command::new(PROGRAM).args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, error) = run(&["--log", "http://127.0.0.1:1/", "--policy", "/nowhere/trust.policy"]);
    assert_eq!((code, error.contains("/nowhere/trust.policy cannot be read")), (Some(2), true), "{error}");
    let (code, error) = run(&["--log", "http://127.0.0.1:1/", "--policy", "/dev/null"]);
    assert_eq!((code, error.contains("no trust policy")), (Some(1), true), "{error}");
    assert_eq!(run(&["--log", "nonsense", "--policy", "/dev/null"]).0, Some(1));
    assert_eq!(run(&[]).0, Some(1));
}
