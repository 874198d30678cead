//! Names and times: the texts and numbers in a statement that have a grammar of their own.

use core::fmt;
use core::str::FromStr;

use super::excerpt::Excerpt;

/// A text that is not a name of its sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found {found}, expected {expected}")]
pub struct NameError {
    /// The text found.
    pub found: Excerpt,
    /// The grammar it does not follow.
    pub expected: &'static str,
}

/// The longest name, in bytes.
const MAX_NAME: usize = 128;

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The grammar in words, for messages.
            pub(super) const EXPECTED: &'static str = $expected;

            /// The name as it stands in a statement.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let allowed: fn(u8) -> bool = $allowed;
                if (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(allowed) {
                    Ok(Self(text.into()))
                } else {
                    Err(NameError { found: Excerpt::of_text(text), expected: Self::EXPECTED })
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

name_type! {
    /// The id of one execution, chosen by its requester: what ties its statements together.
    ExecutionId,
    "1 to 128 characters of A-Z a-z 0-9 . _ : / -",
    |byte| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte)
}

name_type! {
    /// The registered name of an issuer, the `iss` of its statements. Several keys may be registered for one name.
    IssuerName,
    "1 to 128 visible ASCII characters",
    |byte| byte.is_ascii_graphic()
}

name_type! {
    /// The name of a policy through its versions.
    PolicyName,
    "1 to 128 visible ASCII characters",
    |byte| byte.is_ascii_graphic()
}

impl IssuerName {
    /// The issuer name of a log's operator, in every log.
    pub const OPERATOR: &'static str = "operator";

    /// Whether this is the name of the log's operator.
    pub fn is_operator(&self) -> bool {
        &*self.0 == Self::OPERATOR
    }
}

/// The largest integer that every JSON reader keeps exact, `2^53 - 1`.
pub(super) const MAX_INTEGER: u64 = (1 << 53) - 1;

/// A time in whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted; 0 to `2^53 - 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct UnixSeconds(u64);

impl UnixSeconds {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// The range in words, for messages.
    pub(super) const EXPECTED: &'static str = "seconds since 1970, an integer from 0 to 2^53-1";

    /// A time, or nothing when it is larger than `2^53 - 1`.
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds <= MAX_INTEGER { Some(Self(seconds)) } else { None }
    }

    /// The seconds.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
