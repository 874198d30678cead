//! TLS, and certificates that are renewed under a running server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use countersign_serving::{Tls, TlsError};
use rcgen::{CertifiedKey, KeyPair};
use reqwest::{Certificate, Client};
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;

use super::support::{Server, bounds, door, read_to_end, router};

struct Files {
    _folder: TempDir,
    cert: PathBuf,
    key: PathBuf,
}

fn certified() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap()
}

/// Puts a file in the place of another, as those do who renew certificates.
fn replace(path: &Path, text: &str, mode: u32) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::rename(&beside, path).unwrap();
}

impl Files {
    fn new(pair: &CertifiedKey<KeyPair>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let files = Self { _folder: folder, cert, key };
        files.put(pair);
        files
    }

    fn put(&self, pair: &CertifiedKey<KeyPair>) {
        replace(&self.key, &pair.signing_key.serialize_pem(), 0o600);
        replace(&self.cert, &pair.cert.pem(), 0o644);
    }

    fn load(&self) -> Result<Tls, TlsError> {
        Tls::load(&self.cert, &self.key)
    }
}

/// A client that trusts this certificate and no other.
fn client(pair: &CertifiedKey<KeyPair>) -> Client {
    let root = Certificate::from_der(pair.cert.der()).unwrap();
    Client::builder().tls_certs_only([root]).timeout(Duration::from_secs(10)).build().unwrap()
}

async fn well(client: &Client, url: &str) -> bool {
    match client.get(url).send().await {
        Ok(answer) => answer.text().await.unwrap() == "well",
        Err(_) => false,
    }
}

/// Waits until a new connection of `client` is accepted by both.
async fn until_well(pair: &CertifiedKey<KeyPair>, url: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !well(&client(pair), url).await {
        assert!(Instant::now() < deadline, "the certificate is not taken into use");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_up_without_dropping_a_connection() {
    let (old, new, last) = (certified(), certified(), certified());
    let files = Files::new(&old);
    let tls = files.load().unwrap().looking_every(Duration::from_millis(20));
    let server = Server::start(door(bounds_that_last()).await.with_tls(tls), router());
    assert!(server.url.starts_with("https://127.0.0.1:"), "{}", server.url);
    let before = client(&old);
    assert!(well(&before, &server.url).await);
    assert!(!well(&client(&new), &server.url).await, "a client does trust one certificate only");

    files.put(&new);
    until_well(&new, &server.url).await;
    // The old client would not trust a new connection: its old one is still there.
    assert!(well(&before, &server.url).await, "the open connection goes on");
    assert!(!well(&client(&old), &server.url).await, "new connections get the new certificate");

    // What cannot be used is left aside, and the one in use stays.
    let other = certified();
    for (cert, key, mode) in [
        ("nonsense".to_owned(), new.signing_key.serialize_pem(), 0o600),
        (new.cert.pem(), "nonsense".to_owned(), 0o600),
        (new.cert.pem(), other.signing_key.serialize_pem(), 0o600),
        (other.cert.pem(), other.signing_key.serialize_pem(), 0o644),
    ] {
        replace(&files.cert, &cert, 0o644);
        replace(&files.key, &key, mode);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(well(&client(&new), &server.url).await);
        assert!(well(&before, &server.url).await);
    }

    // And what can be used after that is.
    files.put(&last);
    until_well(&last, &server.url).await;
    assert!(well(&before, &server.url).await);
    server.stop().await;
}

fn bounds_that_last() -> countersign_serving::Bounds {
    let long = Duration::from_mins(2);
    countersign_serving::Bounds { header: long, handshake: long, ..bounds() }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_refused_by_name() {
    let pair = certified();
    let files = Files::new(&pair);
    assert!(files.load().is_ok());
    replace(&files.key, &pair.signing_key.serialize_pem(), 0o640);
    let open = files.load().unwrap_err().to_string();
    assert!(open.contains("key.pem can be read by others (mode 640): run chmod 600"), "{open}");
    replace(&files.key, &certified().signing_key.serialize_pem(), 0o600);
    assert!(matches!(files.load(), Err(TlsError::NoPair { .. })));
    replace(&files.key, &pair.cert.pem(), 0o600);
    assert!(matches!(files.load(), Err(TlsError::NoKey(_))));
    files.put(&pair);
    replace(&files.cert, "", 0o644);
    assert!(matches!(files.load(), Err(TlsError::NoCertificates(_))));
    std::fs::remove_file(&files.cert).unwrap();
    assert!(matches!(files.load(), Err(TlsError::Unreadable { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_does_not_come_or_is_none_ends_the_connection_and_nothing_else() {
    let pair = certified();
    let tls = Files::new(&pair).load().unwrap();
    let server = Server::start(door(bounds()).await.with_tls(tls), router());
    let mut silent = server.connect().await;
    let plain = server.ask("").await;
    assert!(!plain.contains("well"), "{plain}");
    assert_eq!(read_to_end(&mut silent).await, "", "a client that says nothing is not waited for");
    assert!(well(&client(&pair), &server.url).await);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn under_tls_a_connection_without_a_place_is_closed_without_a_word() {
    let pair = certified();
    let tls = Files::new(&pair).load().unwrap();
    let none = countersign_serving::Bounds { connections: 0, ..bounds() };
    let server = Server::start(door(none).await.with_tls(tls), router());
    let mut stream = server.connect().await;
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)));
    server.stop().await;
}
