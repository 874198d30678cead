//! `countersign-log init`.

use std::path::PathBuf;

use clap::Args;
use countersign_log::log::Log;
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::program::{Exit, Failed, print_line};

use super::clock;

/// Founds a log: makes its keys and its first entry, and prints its verifier key
///
/// Writes log.key and operator.pem into the data folder, readable by you alone. The log needs log.key to run; the
/// operator needs operator.pem to register issuers, and should move it to a safer place.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Where the log is to be kept. A folder that has one already is refused.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The log's name for ever: where it will be found, without the scheme, such as example.org/log.
    #[arg(long)]
    origin: String,
}

pub(super) fn init(args: &Init) -> Result<Exit, Failed> {
    let unfounded = || {
        Failed::new(Exit::Usage, "no log was founded").hint(
            "an origin looks like example.org/log: no scheme, no slash at its end, no capitals in the host, no white space \
             and no plus sign",
        )
    };
    let origin = Origin::new(&args.origin).map_err(|error| unfounded().because(error))?;
    if !is_schemaless(origin.as_str()) {
        return Err(unfounded().because(format!("{origin} is no origin to keep for ever")));
    }
    let key = Log::create(&args.data, &origin, clock::now())?;
    print_line(key)?;
    Ok(Exit::Holds)
}

/// Whether it is as C2SP tlog-checkpoint wants an origin to be: a URL without its scheme. Other origins can be read, but a
/// log has its own for ever, and one that was typed as an address would be taken for a mistake as long as it lives.
fn is_schemaless(origin: &str) -> bool {
    let host = origin.split('/').next().unwrap_or_default();
    !host.is_empty()
        && !origin.contains("://")
        && !origin.ends_with('/')
        && !host.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_founded_as_a_url_without_its_scheme() {
        for origin in ["example.org/log", "localhost/countersign", "example.org", "log.example:8080/A"] {
            assert!(is_schemaless(origin), "{origin}");
        }
        for origin in
            ["https://example.org/log", "HTTPS://Example.org", "Example.org/log", "example.org/log/", "/log"]
        {
            assert!(!is_schemaless(origin), "{origin}");
        }
    }
}
