//! TLS by rustls, with certificates that are renewed while the server runs.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use countersign_verifier::causes::with_causes;
use countersign_verifier::program::keyfile::{self, KeyFileError};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::figures::{CERTIFICATES_LOADED, CERTIFICATES_REFUSED};

/// How often the files are looked at.
const LOOKS: Duration = Duration::from_secs(10);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificates cannot be read.
    #[error("{} cannot be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file has no certificates, or something that is none.
    #[error("{} holds no certificates in PEM, the server's own first", .0.display())]
    NoCertificates(PathBuf),
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The file has no private key.
    #[error("{} holds no private key in PEM", .0.display())]
    NoKey(PathBuf),
    /// Certificate and key do not belong together, or are of a sort that is not known.
    #[error("{} and {} cannot be used together", .cert.display(), .key.display())]
    NoPair {
        /// The file with the certificates.
        cert: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The library cannot be set up.
    #[error("TLS cannot be set up")]
    Setup(#[source] rustls::Error),
}

/// TLS with the certificates of two files.
///
/// They are read again on SIGHUP and when they change. Connections that are open go on with what they began with; new
/// ones get the new certificate. What cannot be used is told and left aside: then the old one stays.
pub struct Tls {
    files: Files,
    current: Arc<Current>,
    acceptor: TlsAcceptor,
    looks: Duration,
}

#[derive(Debug)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
}

/// The certificate that new connections get.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Tls {
    /// Reads certificates and key, in PEM. A key file that others can read is refused.
    pub fn load(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Result<Self, TlsError> {
        let files = Files { cert: cert.into(), key: key.into() };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let current = Arc::new(Current(RwLock::new(Arc::new(files.read(&provider)?))));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Setup)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        metrics::counter!(CERTIFICATES_LOADED).increment(1);
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { files, current, acceptor, looks: LOOKS })
    }

    /// Looks at the files as often as this, instead of every ten seconds.
    #[must_use]
    pub fn looking_every(mut self, looks: Duration) -> Self {
        self.looks = looks;
        self
    }

    pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        self.acceptor.accept(stream).await
    }

    /// Reads the files again whenever they change, and when the process is told to. Never ends.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        let mut hangup = match signal(SignalKind::hangup()) {
            Ok(hangup) => hangup,
            Err(error) => {
                tracing::warn!(%error, "SIGHUP cannot be listened for: certificates are read again when they change");
                return self.on_change().await;
            }
        };
        let on_change = self.on_change();
        let on_hangup = async {
            while hangup.recv().await.is_some() {
                self.read_again();
            }
        };
        tokio::join!(on_change, on_hangup);
    }

    async fn on_change(&self) {
        let mut known = self.files.stamp();
        let mut interval = tokio::time::interval(self.looks);
        loop {
            interval.tick().await;
            let stamp = self.files.stamp();
            if stamp != known {
                // Both files are hardly replaced in the same instant: what does not fit yet may at the next look.
                known = stamp;
                self.read_again();
            }
        }
    }

    fn read_again(&self) {
        match self.files.read(self.acceptor.config().crypto_provider()) {
            Ok(pair) => {
                *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
                metrics::counter!(CERTIFICATES_LOADED).increment(1);
                tracing::info!(cert = %self.files.cert.display(), "new connections get the certificate just read");
            }
            Err(error) => {
                metrics::counter!(CERTIFICATES_REFUSED).increment(1);
                tracing::warn!(
                    "the certificate in use stays, the one on disk cannot be used: {}",
                    with_causes(&error)
                );
            }
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).field("looks", &self.looks).finish_non_exhaustive()
    }
}

/// By what a changed file is known: when it was written, its number and its length.
type Stamp = [Option<(i64, i64, u64, u64)>; 2];

impl Files {
    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
        let pem = std::fs::read(&self.cert)
            .map_err(|source| TlsError::Unreadable { path: self.cert.clone(), source })?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let certificates = certificates
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| TlsError::NoCertificates(self.cert.clone()))?;
        let secret = keyfile::read_secret(&self.key)?;
        let key = PrivateKeyDer::from_pem_slice(secret.as_bytes())
            .map_err(|_| TlsError::NoKey(self.key.clone()))?;
        CertifiedKey::from_der(certificates, key, provider).map_err(|source| TlsError::NoPair {
            cert: self.cert.clone(),
            key: self.key.clone(),
            source,
        })
    }

    fn stamp(&self) -> Stamp {
        [stamp(&self.cert), stamp(&self.key)]
    }
}

fn stamp(path: &Path) -> Option<(i64, i64, u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.mtime(), metadata.mtime_nsec(), metadata.ino(), metadata.len()))
}
