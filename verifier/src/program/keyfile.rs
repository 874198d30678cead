//! Keys in files. A secret is created for its owner alone, and one that others can read is refused.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::{
    DecodePrivateKey as _, DecodePublicKey as _, EncodePrivateKey as _, EncodePublicKey as _,
};
use zeroize::Zeroizing;

use super::{Exit, Failed, durable};
use crate::ed25519::{PublicKey, PublicKeyError};
use crate::note::{KeyError, NoteSigner};

/// No key file has more bytes than this.
const MAX_BYTES: u64 = 64 * 1024;

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// A file is already there, and keys are never overwritten.
    #[error("{} is already there, and a key is never overwritten", .0.display())]
    Exists(PathBuf),
    /// Others than the owner can read the secret.
    #[error("{} can be read by others (mode {mode:03o}): run chmod 600 {}", .path.display(), .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others than the owner can put another file in its place.
    #[error("in {} everybody can replace a key (mode {mode:04o}): run chmod o-w {}", .folder.display(), .folder.display())]
    OpenFolder {
        /// The folder.
        folder: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file is too long for a key.
    #[error("{} has {length} bytes, expected a key of at most {MAX_BYTES}", .path.display())]
    Long {
        /// The file.
        path: PathBuf,
        /// How many bytes it has.
        length: u64,
    },
    /// The file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a note key.
    #[error("{} holds no note key: {source}", .path.display())]
    NoteKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
    /// Not an Ed25519 key in PKCS#8 PEM.
    #[error("{} holds no Ed25519 private key in PEM, such as openssl genpkey -algorithm ed25519 writes", .0.display())]
    PrivatePem(PathBuf),
    /// Not an Ed25519 key in SPKI PEM.
    #[error("{} holds no Ed25519 public key in PEM, such as openssl pkey -pubout writes", .0.display())]
    PublicPem(PathBuf),
    /// A public key that nothing can be verified by.
    #[error("{}: {source}", .path.display())]
    PublicKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PublicKeyError,
    },
}

impl From<KeyFileError> for Failed {
    fn from(error: KeyFileError) -> Self {
        Self::new(Exit::CouldNotCheck, "a key cannot be used").because(error)
    }
}

/// Creates a file with mode 0600 and makes it durable. The file must not exist.
pub fn write_secret(path: &Path, secret: &str) -> Result<(), KeyFileError> {
    write_new(path, 0o600, secret)
}

/// Reads a file that nobody but its owner can read.
pub fn read_secret(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Open { path: path.to_owned(), mode });
    }
    check_folder_of(path)?;
    // A pipe does not say how much is in it.
    let length = if metadata.is_file() { metadata.len() } else { MAX_BYTES };
    if length > MAX_BYTES {
        return Err(KeyFileError::Long { path: path.to_owned(), length });
    }
    // With room for all of it, so that no copy is left behind in memory when it grows.
    let room = usize::try_from(length).unwrap_or_default();
    let mut secret = Zeroizing::new(String::with_capacity(room));
    file.take(length).read_to_string(&mut secret).map_err(io)?;
    Ok(secret)
}

/// Refuses a folder in which everybody may put another file in the place of a key. In a folder such as /tmp, whose
/// sticky bit is set, only the owner of a file may.
fn check_folder_of(path: &Path) -> Result<(), KeyFileError> {
    let folder = durable::folder_of(path);
    let metadata =
        folder.metadata().map_err(|source| KeyFileError::Io { path: folder.to_owned(), source })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        return Err(KeyFileError::OpenFolder { folder: folder.to_owned(), mode });
    }
    Ok(())
}

/// Writes the key of a log or a witness as a note key.
pub fn write_note_signer(path: &Path, signer: &NoteSigner) -> Result<(), KeyFileError> {
    let secret = signer.to_secret_text();
    let mut line = Zeroizing::new(String::with_capacity(secret.len().saturating_add(1)));
    line.push_str(&secret);
    line.push('\n');
    write_secret(path, &line)
}

/// Reads the key of a log or a witness.
pub fn read_note_signer(path: &Path) -> Result<NoteSigner, KeyFileError> {
    let secret = read_secret(path)?;
    NoteSigner::parse(secret.trim_end())
        .map_err(|source| KeyFileError::NoteKey { path: path.to_owned(), source })
}

/// Writes an issuer's key as PKCS#8 PEM, in the form that `openssl genpkey -algorithm ed25519` writes.
pub fn write_signing_key(path: &Path, key: &SigningKey) -> Result<(), KeyFileError> {
    // Version 1 of PKCS#8, without the public key, is what every tool reads.
    let pair = ed25519_dalek::pkcs8::KeypairBytes { secret_key: key.to_bytes(), public_key: None };
    let pem = pair
        .to_pkcs8_pem(ed25519_dalek::pkcs8::spki::der::pem::LineEnding::LF)
        .map_err(|_| KeyFileError::PrivatePem(path.to_owned()))?;
    write_secret(path, &pem)
}

/// Reads an issuer's key.
pub fn read_signing_key(path: &Path) -> Result<SigningKey, KeyFileError> {
    SigningKey::from_pkcs8_pem(&read_secret(path)?).map_err(|_| KeyFileError::PrivatePem(path.to_owned()))
}

/// Writes a public key as SPKI PEM, readable by all.
pub fn write_public_key(path: &Path, key: &SigningKey) -> Result<(), KeyFileError> {
    let pem = key
        .verifying_key()
        .to_public_key_pem(ed25519_dalek::pkcs8::spki::der::pem::LineEnding::LF)
        .map_err(|_| KeyFileError::PublicPem(path.to_owned()))?;
    write_new(path, 0o644, &pem)
}

/// Reads a public key.
pub fn read_public_key(path: &Path) -> Result<PublicKey, KeyFileError> {
    let io = |source| KeyFileError::Io { path: path.to_owned(), source };
    let mut pem = String::new();
    File::open(path).map_err(io)?.take(MAX_BYTES).read_to_string(&mut pem).map_err(io)?;
    let key = ed25519_dalek::VerifyingKey::from_public_key_pem(&pem)
        .map_err(|_| KeyFileError::PublicPem(path.to_owned()))?;
    PublicKey::from_bytes(key.as_bytes())
        .map_err(|source| KeyFileError::PublicKey { path: path.to_owned(), source })
}

fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), KeyFileError> {
    durable::create(path, mode, text.as_bytes()).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
        _ => KeyFileError::Io { path: path.to_owned(), source },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::KeyName;
    use crate::program::testing::folder;

    #[test]
    fn keys_are_the_owners_alone_and_never_overwritten() {
        let folder = folder("keys");
        let path = folder.join("log.key");
        let signer = NoteSigner::from_seed(KeyName::new("log.example/a").unwrap(), false, &[3; 32]);
        write_note_signer(&path, &signer).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(read_note_signer(&path).unwrap().verifier(), signer.verifier());
        assert!(matches!(write_note_signer(&path, &signer), Err(KeyFileError::Exists(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_note_signer(&path), Err(KeyFileError::Open { mode: 0o640, .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(read_note_signer(&path), Err(KeyFileError::OpenFolder { mode: 0o777, .. })));
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(read_note_signer(&path).is_ok(), "nobody else can replace a file here");
        let long = folder.join("long.key");
        write_secret(&long, &"x".repeat(70_000)).unwrap();
        assert!(matches!(read_secret(&long), Err(KeyFileError::Long { length: 70_000, .. })));
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_secret_is_read_into_one_piece_of_memory() {
        let folder = folder("piece");
        let path = folder.join("log.key");
        write_secret(&path, &"k".repeat(5000)).unwrap();
        assert_eq!(read_secret(&path).unwrap().capacity(), 5000, "it never grew, so no copy was left behind");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn pem_files_are_read_back_and_say_what_they_are_not() {
        let folder = folder("pem");
        let key = SigningKey::from_bytes(&[5; 32]);
        let (private, public) = (folder.join("a.pem"), folder.join("a.pub"));
        write_signing_key(&private, &key).unwrap();
        write_public_key(&public, &key).unwrap();
        assert_eq!(read_signing_key(&private).unwrap().to_bytes(), key.to_bytes());
        assert_eq!(read_public_key(&public).unwrap(), PublicKey::from(&key));
        assert!(matches!(read_public_key(&private), Err(KeyFileError::PublicPem(_))));
        write_secret(&folder.join("b.pem"), "nonsense").unwrap();
        assert!(matches!(read_signing_key(&folder.join("b.pem")), Err(KeyFileError::PrivatePem(_))));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
