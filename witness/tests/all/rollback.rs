//! A database that is replaced by an older copy, or lost, and how it is mended.

use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use super::support::{Log, Process, output};

struct Fixture {
    folder: tempfile::TempDir,
    log: Log,
    other: Log,
}

impl Fixture {
    /// A witness that watches two logs and has cosigned size 3 of the one, size 4 of the other.
    async fn new() -> Self {
        let fixture = Self {
            folder: tempdir().unwrap(),
            log: Log::new("log.example/a", 1, 16),
            other: Log::new("log.example/b", 3, 16),
        };
        assert!(output(&["init", "--data", fixture.data(), "--name", "w.example"]).status.success());
        for log in [&fixture.log, &fixture.other] {
            assert!(
                output(&["add-log", "--data", fixture.data(), "--vkey", &log.key().to_string()])
                    .status
                    .success()
            );
        }
        let witness = fixture.serve();
        assert_eq!(witness.client.add(fixture.log.request(0, 3)).await.status, 200);
        assert_eq!(witness.client.add(fixture.other.request(0, 4)).await.status, 200);
        assert!(witness.terminate().success());
        fixture
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> &str {
        self.path().to_str().unwrap()
    }

    fn serve(&self) -> Process {
        Process::serve(self.path())
    }

    fn copy(&self, from: &str, to: &str) {
        let _ = std::fs::remove_dir_all(self.path().join(to));
        let copied =
            Command::new("cp").arg("-r").args([self.path().join(from), self.path().join(to)]).status();
        assert!(copied.unwrap().success());
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String) {
        let (command, more) = args.split_first().unwrap();
        let ended = output(&[&[*command, "--data", self.data()], more].concat());
        let told = [ended.stdout, ended.stderr].concat();
        (ended.status.code(), String::from_utf8(told).unwrap())
    }

    /// The program refuses to serve, with this exit code and these words.
    fn refuses(&self, code: i32, words: &[&str]) {
        let (exit, told) = self.run(&["serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(exit, Some(code), "{told}");
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }
}

#[tokio::test]
async fn a_restored_older_database_halts_its_log_until_it_is_mended() {
    let fixture = Fixture::new().await;
    fixture.copy("db", "backup");
    let witness = fixture.serve();
    assert_eq!(witness.client.add(fixture.log.request(3, 5)).await.status, 200);
    assert!(witness.terminate().success());
    fixture.copy("backup", "db");

    let (code, told) = fixture.run(&["status"]);
    assert_eq!(code, Some(4));
    assert!(told.contains("ROLLED BACK") && told.contains("recover"), "{told}");
    // What the older database would let pass is what forks are made of.
    let fork = Log::forked("log.example/a", 1, 16, 3);
    for _ in 0..2 {
        let witness = fixture.serve();
        for request in [fork.request(3, 5), fixture.log.request(3, 5), fixture.log.request(5, 8)] {
            let answer = witness.client.add(request).await;
            assert_eq!((answer.status, answer.problem().as_str()), (503, "rolled-back"));
            assert!(answer.body.contains("size 3") && answer.body.contains("size 5"), "{}", answer.body);
        }
        let ready = witness.client.get("/readyz").await;
        assert_eq!(ready.status, 503);
        let reasons: serde_json::Value = serde_json::from_str(&ready.body).unwrap();
        assert_eq!(reasons["reasons"][0]["code"], "rolled-back");
        assert!(reasons["reasons"][0]["remedy"].as_str().unwrap().contains("recover"));
        assert_eq!(witness.client.monitor(fixture.log.origin()).await.problem(), "rolled-back");
        assert!(witness.client.get("/").await.body.contains("rolled back"));
        // The other log has lost nothing.
        assert_eq!(witness.client.add(fixture.other.request(4, 4)).await.status, 200);
        assert!(witness.terminate().success());
    }

    let (code, told) = fixture.run(&["recover", "--from", "high-water"]);
    assert_eq!(code, Some(0));
    assert!(told.contains("goes on from size 5"), "{told}");
    assert_eq!(fixture.run(&["status"]).0, Some(0));
    let witness = fixture.serve();
    assert_eq!(witness.client.get("/readyz").await.status, 200);
    // That it shows nothing must not look as if it had cosigned nothing.
    let shown = witness.client.monitor(fixture.log.origin()).await;
    assert_eq!((shown.status, shown.problem().as_str()), (503, "log-line-lost"));
    assert!(shown.body.contains("size 5 with root"), "{}", shown.body);
    assert_eq!(witness.client.add(fork.request(5, 8)).await.problem(), "inconsistent");
    assert_eq!(witness.client.add(fixture.log.request(0, 8)).await.body, "5\n");
    assert_eq!(witness.client.add(fixture.log.request(5, 8)).await.status, 200);
    assert_eq!(witness.client.monitor(fixture.log.origin()).await.status, 200);
}

#[tokio::test]
async fn a_lost_database_is_made_anew_from_the_high_water_mark() {
    let fixture = Fixture::new().await;
    std::fs::rename(fixture.path().join("db"), fixture.path().join("lost")).unwrap();
    fixture.refuses(4, &["db is missing", "recover --data DIR --from high-water"]);
    assert!(!fixture.path().join("db").exists(), "and none is made without being told");
    assert_eq!(fixture.run(&["recover", "--from", "high-water"]).0, Some(0));
    let witness = fixture.serve();
    assert_eq!(witness.client.add(fixture.log.request(0, 8)).await.body, "3\n");
    assert_eq!(witness.client.add(fixture.log.request(3, 8)).await.status, 200);
}

#[tokio::test]
async fn a_lost_or_damaged_mark_is_written_anew_only_when_the_operator_says_so() {
    let fixture = Fixture::new().await;
    let mark = fixture.path().join("high-water");
    let text = std::fs::read_to_string(&mark).unwrap();
    std::fs::remove_file(&mark).unwrap();
    fixture.refuses(4, &["is missing", "--from database"]);
    assert!(!mark.exists());
    assert_eq!(fixture.run(&["recover", "--from", "high-water"]).0, Some(4));
    assert_eq!(fixture.run(&["recover", "--from", "database"]).0, Some(0));

    let damaged: String = std::fs::read_to_string(&mark).unwrap().replacen("3 ", "2 ", 1);
    for damaged in [damaged.as_str(), "junk\n", ""] {
        std::fs::write(&mark, damaged).unwrap();
        fixture.refuses(4, &["is damaged"]);
        assert_eq!(fixture.run(&["recover", "--from", "database"]).0, Some(0));
    }
    let (code, told) = fixture.run(&["recover", "--from", "database"]);
    assert_eq!(
        (code, told.as_str()),
        (Some(0), "nothing to mend\n"),
        "a mark that can be read is left alone"
    );
    let witness = fixture.serve();
    assert_eq!(witness.client.add(fixture.log.request(3, 8)).await.status, 200);
    assert!(text.starts_with("countersign-witness-high-water/v1 w.example+"));
}

#[tokio::test]
async fn the_data_of_another_witness_is_refused() {
    let fixture = Fixture::new().await;
    let other = Fixture::new().await;
    let exchange = |name: &str| {
        let _ = std::fs::rename(fixture.path().join(name), fixture.path().join("aside"));
        assert!(
            Command::new("cp")
                .arg("-r")
                .args([other.path().join(name), fixture.path().join(name)])
                .status()
                .unwrap()
                .success()
        );
    };
    let put_back = |name: &str| {
        let _ = std::fs::remove_dir_all(fixture.path().join(name));
        let _ = std::fs::remove_file(fixture.path().join(name));
        std::fs::rename(fixture.path().join("aside"), fixture.path().join(name)).unwrap();
    };
    exchange("db");
    fixture.refuses(4, &["does not belong to the witness"]);
    put_back("db");
    exchange("high-water");
    fixture.refuses(4, &["is not the high-water mark of"]);
    put_back("high-water");
    assert_eq!(fixture.serve().client.get("/readyz").await.status, 200);
}
