//! `countersign keygen`.

use std::path::{Path, PathBuf};

use countersign_gate::issuer::generate_key;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::program::keyfile::{self, KeyFileError};
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_verifier::statement::KeyThumbprint;

/// Prints the kid of the key: the RFC 9679 thumbprint by which statements name it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the private key goes, as PKCS#8 PEM; the public key goes beside it, with the ending .pub.
    #[arg(long, value_name = "NAME.pem")]
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let public = public_path(&args.out);
    for path in [&args.out, &public] {
        if path.symlink_metadata().is_ok() {
            return Err(KeyFileError::Exists(path.clone()).into());
        }
    }
    let key =
        generate_key().map_err(|error| Failed::new(Exit::CouldNotCheck, "no key was made").because(error))?;
    keyfile::write_signing_key(&args.out, &key)?;
    keyfile::write_public_key(&public, &key)?;
    print_line(KeyThumbprint::of(&PublicKey::from(&key)))?;
    Ok(Exit::Holds)
}

fn public_path(private: &Path) -> PathBuf {
    if private.extension().is_some_and(|extension| extension == "pem") {
        return private.with_extension("pub");
    }
    let mut name = private.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}
