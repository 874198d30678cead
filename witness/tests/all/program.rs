//! The program as scripts use it.

use std::os::unix::fs::PermissionsExt as _;

use countersign_verifier::note::{KeyKind, VerifierKey};
use tempfile::tempdir;

use super::support::{Log, Process, output};

#[test]
fn init_prints_the_vkey_alone_and_never_overwrites_a_key() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("new/witness");
    let args = ["init", "--data", data.to_str().unwrap(), "--name", "w.example/1"];
    let made = output(&args);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let line = String::from_utf8(made.stdout).unwrap();
    let key: VerifierKey = line.strip_suffix('\n').unwrap().parse().unwrap();
    assert_eq!((key.name().as_str(), key.kind()), ("w.example/1", KeyKind::CosignatureV1));
    let path = data.join("witness.key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = std::fs::read_to_string(&path).unwrap();
    assert!(secret.starts_with("PRIVATE+KEY+w.example/1+"));

    let again = output(&args);
    assert_eq!((again.status.code(), again.stdout.as_slice()), (Some(1), b"".as_slice()));
    assert!(String::from_utf8_lossy(&again.stderr).contains("never overwritten"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), secret);

    let bad = output(&["init", "--data", "/nowhere", "--name", "white space"]);
    assert_eq!(bad.status.code(), Some(1));
}

#[test]
fn a_key_that_others_can_read_and_a_folder_without_one_are_refused() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("w");
    let data_arg = data.to_str().unwrap();
    let serve = ["serve", "--data", data_arg, "--listen", "127.0.0.1:0"];
    let none = output(&serve);
    assert_eq!(none.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&none.stderr).contains("init --data"));
    assert!(output(&["init", "--data", data_arg, "--name", "w.example"]).status.success());
    let key = data.join("witness.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = output(&serve);
    assert_eq!(open.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&open.stderr).contains("chmod 600"));
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("w");
    let data_arg = data.to_str().unwrap();
    assert!(output(&["init", "--data", data_arg, "--name", "w.example"]).status.success());
    let first = Process::serve(&data);
    let second = output(&["serve", "--data", data_arg, "--listen", "127.0.0.1:0"]);
    assert_eq!((second.status.code(), second.stdout.as_slice()), (Some(2), b"".as_slice()));
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(told.contains("another process is using the data folder"), "{told}");
    let recover = output(&["recover", "--data", data_arg, "--from", "high-water"]);
    assert_eq!(recover.status.code(), Some(2));
    assert_eq!(first.client.get("/readyz").await.status, 200);

    // A copy of the data folder that shares the high-water mark is a second witness with the same key.
    let copy = folder.path().join("copy");
    let copied = std::process::Command::new("cp").arg("-r").args([&data, &copy]).status().unwrap();
    assert!(copied.success());
    let mark = data.join("high-water");
    let sharing = ["--high-water", mark.to_str().unwrap()];
    let third = output(
        &[&["serve", "--data", copy.to_str().unwrap(), "--listen", "127.0.0.1:0"], &sharing[..]].concat(),
    );
    assert_eq!(third.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&third.stderr).contains("another process uses the high-water mark"));
}

#[tokio::test]
async fn a_signal_ends_the_witness_in_good_order() {
    let folder = tempdir().unwrap();
    let data = folder.path().join("w");
    let data_arg = data.to_str().unwrap();
    let log = Log::new("log.example/a", 1, 8);
    assert!(output(&["init", "--data", data_arg, "--name", "w.example"]).status.success());
    let witness = Process::serve(&data);
    assert!(output(&["add-log", "--data", data_arg, "--vkey", &log.key().to_string()]).status.success());
    assert_eq!(witness.client.add(log.request(0, 3)).await.status, 200);
    assert_eq!(witness.terminate().code(), Some(0));

    let status = output(&["status", "--data", data_arg, "--json"]);
    assert!(status.status.success());
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    assert_eq!(status["name"], "w.example");
    assert_eq!(status["logs"][0]["origin"], "log.example/a");
    assert_eq!(status["logs"][0]["cosigned"]["size"], 3);
    assert_eq!(status["logs"][0]["cosigned"]["root"], log.root(3).to_base64());
    let again = Process::serve(&data);
    assert_eq!(again.client.add(log.request(3, 5)).await.status, 200);
    let told = String::from_utf8(output(&["status", "--data", data_arg]).stdout).unwrap();
    assert!(told.contains("log.example/a: size 5 root"), "while it is served: {told}");
}

#[tokio::test]
async fn the_high_water_mark_may_lie_elsewhere() {
    let folder = tempdir().unwrap();
    let (data, mark) = (folder.path().join("w"), folder.path().join("elsewhere"));
    let (data_arg, mark_arg) = (data.to_str().unwrap(), mark.to_str().unwrap());
    let init = output(&["init", "--data", data_arg, "--name", "w.example", "--high-water", mark_arg]);
    assert!(init.status.success());
    assert!(mark.exists() && !data.join("high-water").exists());
    let forgotten = output(&["serve", "--data", data_arg, "--listen", "127.0.0.1:0"]);
    assert_eq!(forgotten.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&forgotten.stderr).contains("--high-water"));
    let witness = Process::serve_with(&data, &["--high-water", mark_arg]);
    assert_eq!(witness.client.get("/readyz").await.status, 200);
}
