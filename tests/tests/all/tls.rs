//! Every server over TLS, and its certificate renewed while it serves.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use countersign_tests::harness::{Process, Program, Witness, run};
use rcgen::{CertifiedKey, KeyPair};
use reqwest::{Certificate, Client};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

fn certified() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap()
}

fn put(folder: &Path, pair: &CertifiedKey<KeyPair>, mode: u32) {
    std::fs::write(folder.join("cert.pem"), pair.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(folder.join("key.pem"), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// What a client that trusts this certificate alone gets on a new connection.
fn get(runtime: &Runtime, pair: &CertifiedKey<KeyPair>, url: &str) -> Option<String> {
    let root = Certificate::from_der(pair.cert.der()).unwrap();
    let client = Client::builder().tls_certs_only([root]).timeout(Duration::from_secs(10)).build().unwrap();
    runtime.block_on(async {
        let answer = client.get(url).send().await.ok()?;
        answer.text().await.ok()
    })
}

/// What those say that need a log.
const LOG_IS_AWAY: [&str; 2] = ["the log cannot be followed", "everything is denied"];

/// Serves `program` over TLS with `args`, and looks for `expected` in what it answers to `GET /metrics`.
fn serves_and_renews(program: Program, folder: &TempDir, args: &[&str], expected: &str) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (old, new) = (certified(), certified());
    let [cert, key] =
        ["cert.pem", "key.pem"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let flags = ["--listen", "127.0.0.1:0", "--tls-cert", &cert, "--tls-key", &key];
    let args = [args, &flags].concat();

    put(folder.path(), &old, 0o644);
    let open = run(program, &args);
    assert!(open.fails(2).contains("chmod 600"), "{open:?}");
    let half = run(program, &args[..args.len() - 2]);
    assert!(half.fails(1).contains("--tls-key"), "{half:?}");

    put(folder.path(), &old, 0o600);
    let mut process = Process::start(program, &args, program.name(), &LOG_IS_AWAY.map(str::to_owned));
    let url = process.url().unwrap();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let metrics = format!("{url}/metrics");
    let answer = get(&runtime, &old, &metrics).unwrap();
    assert!(answer.contains(expected), "{answer}");
    assert_eq!(get(&runtime, &new, &metrics), None, "a client trusts one certificate alone");
    assert_eq!(get(&runtime, &old, &metrics.replace("https", "http")), None, "nothing is served without TLS");

    put(folder.path(), &new, 0o600);
    process.hang_up();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        // It is in use a moment before it is counted.
        match get(&runtime, &new, &metrics) {
            Some(answer) if answer.contains("countersign_tls_certificates_loaded_total 2") => break,
            answer => assert!(Instant::now() < deadline, "the new certificate is not taken up: {answer:?}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(get(&runtime, &old, &metrics), None);
    while !process.output().contains("new connections get the certificate just read") {
        assert!(Instant::now() < deadline, "the line about it does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(process.terminate().code(), Some(0));
}

#[test]
fn a_log_is_served_over_tls_and_renews_its_certificate_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let [data, witnesses] =
        ["log", "witnesses"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    std::fs::write(&witnesses, "quorum none\n").unwrap();
    run(Program::Log, ["init", "--data", &data, "--origin", "log.example/tls"]).holds();
    let args = ["serve", "--data", &data, "--witnesses", &witnesses];
    serves_and_renews(Program::Log, &folder, &args, "countersign_stopped 0");
}

#[test]
fn a_witness_is_served_over_tls_and_renews_its_certificate_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("witness");
    Witness::init("w.example", data.clone());
    let args = ["serve", "--data", data.to_str().unwrap()];
    serves_and_renews(Program::Witness, &folder, &args, "countersign_watched_logs 0");
}

#[test]
fn an_explorer_is_served_over_tls_and_renews_its_certificate_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("log");
    let made = run(Program::Log, ["init", "--data", data.to_str().unwrap(), "--origin", "log.example/tls"]);
    let policy = folder.path().join("policy");
    std::fs::write(&policy, format!("log {}\nquorum none\n", made.holds())).unwrap();
    // The log itself is away: an explorer serves what it has, and says so.
    let args = ["--log", "http://127.0.0.1:9", "--policy", policy.to_str().unwrap()];
    serves_and_renews(Program::Explorer, &folder, &args, "program=\"countersign-explorer\"");
}

#[test]
fn a_decision_point_is_served_over_tls_and_renews_its_certificate_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = run(Program::Log, ["init", "--data", &file("log"), "--origin", "log.example/tls"]);
    std::fs::write(file("policy"), format!("log {}\nquorum none\n", made.holds())).unwrap();
    for party in ["requester", "authority"] {
        run(Program::Countersign, ["keygen", "--out", &file(&format!("{party}.pem"))]).holds();
    }
    std::fs::write(file("all.cedar"), "permit (principal, action, resource);").unwrap();
    // The log itself is away: everything is denied until it comes.
    let text = "log = \"http://127.0.0.1:9\"\npolicy = \"policy\"\nstate = \"state\"\naudience = \"enforcer\"\n\
                [requester]\nname = \"requester\"\nkey = \"requester.pem\"\n\
                [authority]\nname = \"authority\"\nkey = \"authority.pem\"\n[decide]\npolicies = [\"all.cedar\"]\n";
    std::fs::write(file("decide.toml"), text).unwrap();
    let args = ["decide", "--config", &file("decide.toml")];
    serves_and_renews(Program::Countersign, &folder, &args, "program=\"countersign-decide\"");
}
