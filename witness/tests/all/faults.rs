//! Disks that fail while the witness serves.

use tempfile::tempdir;

use super::support::{Log, Process, output};

fn init(folder: &std::path::Path, log: &Log) {
    let data = folder.to_str().unwrap();
    assert!(output(&["init", "--data", data, "--name", "w.example"]).status.success());
    assert!(output(&["add-log", "--data", data, "--vkey", &log.key().to_string()]).status.success());
}

#[tokio::test]
async fn after_a_write_that_failed_nothing_is_signed_until_the_next_start() {
    let folder = tempdir().unwrap();
    let log = Log::new("log.example/a", 1, 2_000);
    init(folder.path(), &log);
    // 32 KiB a file: enough to start, and for some heads.
    let witness = Process::serve_with_small_files(folder.path(), 64);
    let mut size = 0;
    let stopped = loop {
        let answer = witness.client.add(log.request(size, size + 1)).await;
        if answer.status != 200 {
            break answer;
        }
        size += 1;
        assert!(size < 1_999, "the limit was never reached");
    };
    assert!(size > 0, "{}", stopped.body);
    assert_eq!((stopped.status, stopped.problem().as_str()), (503, "signing-stopped"));
    for request in [log.request(size, size + 1), log.request(size, size)] {
        assert_eq!(witness.client.add(request).await.problem(), "signing-stopped");
    }
    let ready = witness.client.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("signing-stopped") && ready.body.contains("start the witness again"));
    assert_eq!(witness.client.get("/healthz").await.status, 200);
    let shown = witness.client.monitor(log.origin()).await;
    assert!(shown.body.starts_with(&log.head(size)), "what was cosigned is still shown");
    assert!(witness.terminate().success());

    // What was answered is there. What was not may be there or not, but nothing else is.
    let witness = Process::serve(folder.path());
    assert_eq!(witness.client.get("/readyz").await.status, 200);
    let told: u64 = witness.client.add(log.request(0, 1_999)).await.body.trim_end().parse().unwrap();
    assert!(told == size || told == size + 1, "{told} after {size}");
    assert_eq!(witness.client.add(log.request(told, told + 1)).await.status, 200);
}

#[tokio::test]
async fn a_mark_that_somebody_touches_stops_the_signing() {
    let folder = tempdir().unwrap();
    let log = Log::new("log.example/a", 1, 8);
    init(folder.path(), &log);
    let mark = folder.path().join("high-water");
    let witness = Process::serve(folder.path());
    let before = std::fs::read(&mark).unwrap();
    assert_eq!(witness.client.add(log.request(0, 3)).await.status, 200);
    std::fs::write(&mark, before).unwrap();
    let answer = witness.client.add(log.request(3, 5)).await;
    assert_eq!(answer.problem(), "signing-stopped");
    assert!(answer.body.contains("was changed by somebody else"), "{}", answer.body);
    assert_eq!(witness.client.get("/readyz").await.status, 503);
}

#[tokio::test]
async fn a_list_of_logs_that_is_lost_is_told_and_the_logs_are_watched_on() {
    let folder = tempdir().unwrap();
    let log = Log::new("log.example/a", 1, 8);
    init(folder.path(), &log);
    let witness = Process::serve(folder.path());
    assert_eq!(witness.client.add(log.request(0, 3)).await.status, 200);
    std::fs::remove_file(folder.path().join("logs")).unwrap();
    assert_eq!(witness.client.add(log.request(3, 5)).await.status, 200);
    let ready = witness.client.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("logs-unreadable"));
}
