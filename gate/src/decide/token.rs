//! The bearer token (RFC 6750) by which callers are known, where there is one.

use std::path::{Path, PathBuf};

use countersign_verifier::program::keyfile::{self, KeyFileError};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// A token is no shorter than this.
const SHORTEST: usize = 16;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be used.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// What is in the file cannot be a token.
    #[error(
        "{} holds no token: expected one line of at least {SHORTEST} of the characters A-Z a-z 0-9 - . _ ~ + / =, such as \
         openssl rand -hex 32 writes", .0.display()
    )]
    Form(PathBuf),
}

/// A token. It is erased from memory when dropped, and never printed.
pub struct Token(Zeroizing<String>);

impl Token {
    /// Reads the token in a file, which nobody but its owner can read.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let text = keyfile::read_secret(path)?;
        let token = text.strip_suffix('\n').unwrap_or(&text);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if token.len() < SHORTEST || !token.bytes().all(fits) {
            return Err(TokenError::Form(path.to_owned()));
        }
        Ok(Self(Zeroizing::new(token.to_owned())))
    }

    /// Whether the header `Authorization` carries this token.
    ///
    /// How long it takes says nothing of how much of it was right: digests of both are compared, and in constant time.
    pub fn opens(&self, authorization: &[u8]) -> bool {
        let Some((scheme, token)) = authorization.split_at_checked(7) else { return false };
        let digest = |bytes: &[u8]| Sha256::digest(bytes);
        let equal: bool = digest(token).as_slice().ct_eq(digest(self.0.as_bytes()).as_slice()).into();
        equal && scheme.eq_ignore_ascii_case(b"bearer ")
    }
}

impl core::fmt::Debug for Token {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Token")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_token_opens_when_all_of_it_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        keyfile::write_secret(&path, "0123456789abcdef\n").unwrap();
        let token = Token::read(&path).unwrap();
        assert!(token.opens(b"Bearer 0123456789abcdef") && token.opens(b"bearer 0123456789abcdef"));
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "Bearer  0123456789abcdef",
            "Bearer 0123456789abcdeF",
            "Basic 0123456789abcdef",
            "0123456789abcdef",
        ] {
            assert!(!token.opens(wrong.as_bytes()), "{wrong:?}");
        }
        assert_eq!(format!("{token:?}"), "Token");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Token::read(&path), Err(TokenError::File(KeyFileError::Open { .. }))));
        for (name, text) in
            [("short", "0123456789abcde\n"), ("odd", "0123456789 abcdef"), ("two", "0123456789abcdef\n\n")]
        {
            let path = folder.path().join(name);
            keyfile::write_secret(&path, text).unwrap();
            assert!(matches!(Token::read(&path), Err(TokenError::Form(_))), "{text:?}");
        }
    }
}
