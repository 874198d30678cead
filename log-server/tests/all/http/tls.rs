//! The program with TLS.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, KeyPair};
use reqwest::{Certificate, Client};

use super::program::{Serving, init, run, stderr};

fn certified() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap()
}

fn put(folder: &Path, pair: &CertifiedKey<KeyPair>, mode: u32) {
    std::fs::write(folder.join("cert.pem"), pair.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(folder.join("key.pem"), std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Whether a client that trusts this certificate alone gets an answer on a new connection.
async fn alive(pair: &CertifiedKey<KeyPair>, url: &str) -> bool {
    let root = Certificate::from_der(pair.cert.der()).unwrap();
    let client = Client::builder().tls_certs_only([root]).timeout(Duration::from_secs(10)).build().unwrap();
    let answer = client.get(format!("{url}/healthz")).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_served_over_tls_and_renews_its_certificate_when_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let (data, witnesses) = (folder.path().join("data"), folder.path().join("witnesses"));
    std::fs::write(&witnesses, "quorum none\n").unwrap();
    init(&data);
    let (old, new) = (certified(), certified());
    let [cert, key] =
        ["cert.pem", "key.pem"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let flags = ["--no-explorer", "--tls-cert", &cert, "--tls-key", &key];

    put(folder.path(), &old, 0o644);
    let serve = ["serve", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--witnesses"];
    let refused = run(&[&serve[..], &[witnesses.to_str().unwrap()], &flags].concat());
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("chmod 600"), "{}", stderr(&refused));
    let half = run(&[&serve[..], &[witnesses.to_str().unwrap(), "--tls-cert", &cert]].concat());
    assert!(stderr(&half).contains("--tls-key"), "{}", stderr(&half));

    put(folder.path(), &old, 0o600);
    let serving = Serving::start(&data, &witnesses, &flags);
    assert!(serving.url.starts_with("https://127.0.0.1:"), "{}", serving.url);
    assert!(alive(&old, &serving.url).await && !alive(&new, &serving.url).await);
    put(folder.path(), &new, 0o600);
    let told = Command::new("kill").args(["-HUP", &serving.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let deadline = Instant::now() + Duration::from_secs(20);
    while !alive(&new, &serving.url).await {
        assert!(Instant::now() < deadline, "the new certificate is not taken up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!alive(&old, &serving.url).await);
    let (code, log) = serving.end("-TERM");
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("new connections get the certificate just read"), "{log}");
}
