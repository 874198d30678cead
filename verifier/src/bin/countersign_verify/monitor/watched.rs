//! What a monitor is asked to look out for.

use core::fmt;
use core::str::FromStr;

use countersign_verifier::statement::{ExecutionId, IssuerName, Kind, Statement, Subject};

/// Statements of one sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Those in the name of an issuer, and those that register or revoke a key under it.
    Issuer(IssuerName),
    /// Those about an execution.
    Execution(ExecutionId),
    /// Those of a kind.
    Kind(Kind),
}

/// Why a text does not say what to look out for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected issuer=NAME, execution=ID or kind=KIND{0}")]
pub(crate) struct WatchedError(String);

impl Watched {
    /// Whether a statement is one of them.
    pub(crate) fn is(&self, statement: &Statement) -> bool {
        match self {
            Self::Issuer(name) => {
                let claims = statement.claims();
                claims.issuer == *name || claims.subject == Subject::Issuer(name.clone())
            }
            Self::Execution(id) => statement.execution() == Some(id),
            Self::Kind(kind) => statement.kind() == *kind,
        }
    }
}

impl FromStr for Watched {
    type Err = WatchedError;

    fn from_str(text: &str) -> Result<Self, WatchedError> {
        let unfit = |error: &dyn fmt::Display| WatchedError(format!(": {error}"));
        match text.split_once('=') {
            Some(("issuer", name)) => name.parse().map(Self::Issuer).map_err(|error| unfit(&error)),
            Some(("execution", id)) => id.parse().map(Self::Execution).map_err(|error| unfit(&error)),
            Some(("kind", kind)) => kind.parse().map(Self::Kind).map_err(|error| unfit(&error)),
            _ => Err(WatchedError(String::new())),
        }
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer(name) => write!(f, "issuer={name}"),
            Self::Execution(id) => write!(f, "execution={id}"),
            Self::Kind(kind) => write!(f, "kind={kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_look_out_for_is_said_as_a_name_and_a_value() {
        for text in ["issuer=agent.example", "execution=deploy/17", "kind=authorization"] {
            assert_eq!(text.parse::<Watched>().map(|watched| watched.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "agent.example", "issuer", "issuer=", "issuer=a b", "execution=", "kind=deed", "Issuer=a"]
        {
            let error = text.parse::<Watched>().unwrap_err().to_string();
            assert!(
                error.starts_with("expected issuer=NAME, execution=ID or kind=KIND"),
                "{text:?}: {error}"
            );
        }
    }
}
