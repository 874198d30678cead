//! What the commands that talk to a log have in common.

use std::path::{Path, PathBuf};

use countersign_gate::client::{Client, Receipt, Shown, SubmitError, Submitted, Trust, Wait};
use countersign_gate::clock::Clock;
use countersign_gate::issuer::{IssueError, Issuer};
use countersign_verifier::program::{Exit, Failed, print_line};
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::{Payload, References, Statement};
use serde_json::{Value, json};
use url::Url;

#[derive(clap::Args)]
pub(crate) struct LogArgs {
    /// The address of the log.
    #[arg(long, value_name = "URL")]
    pub(crate) log: Url,
    /// What to trust: a tlog-policy file with the log's key and its witnesses, got from elsewhere than the log.
    /// Without it nobody's signature can be checked.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// What to wait for: cosigned (a head with its quorum) or sequenced (durable, in a head signed by the log).
    #[arg(long, value_name = "WHAT", default_value = "cosigned")]
    pub(crate) wait: Wait,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

impl LogArgs {
    pub(crate) fn client(&self) -> Result<Client, Failed> {
        let trust = match &self.policy {
            Some(path) => Trust::Policy(Box::new(read_policy(path)?)),
            None => Trust::Nothing,
        };
        Client::new(&self.log, trust).map_err(|error| failed("the log cannot be asked", error))
    }
}

pub(crate) fn read_policy(path: &Path) -> Result<Policy, Failed> {
    Policy::parse(&read(path)?).map_err(|error| {
        Failed::new(Exit::Usage, format!("{} is no trust policy", path.display())).because(error)
    })
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    std::fs::read(path).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("cannot read {}", path.display())).because(error)
    })
}

/// The end of a program whose submission brought nothing.
pub(crate) fn failed(what: impl Into<String>, error: SubmitError) -> Failed {
    let (exit, hint) = match &error {
        SubmitError::Address(_) => (Exit::Usage, None),
        SubmitError::Unproven { .. } => {
            (Exit::Misbehaviour, Some("is it the right log, and is the trust policy up to date?"))
        }
        SubmitError::Unreachable(_) | SubmitError::Failed(_) | SubmitError::Busy { .. } => {
            (Exit::CouldNotCheck, Some("submitting the same statement again is safe"))
        }
        SubmitError::Refused(_) | SubmitError::TooLarge { .. } | SubmitError::Answer(_) => {
            (Exit::CouldNotCheck, None)
        }
    };
    let failed = Failed::new(exit, what).because(error);
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

/// What was checked of a proof, and what was not.
pub(crate) fn checked(shown: Shown) -> String {
    match shown {
        Shown::Cosigned { witnesses } => format!(
            "checked: entry id, inclusion, the log's signature, the witness quorum ({witnesses} cosignatures)"
        ),
        Shown::LogSigned => {
            "checked: entry id, inclusion, the log's signature; not checked: the witness quorum (--wait sequenced)"
                .to_owned()
        }
        Shown::InclusionOnly => "checked: entry id, inclusion in the head that the log shows; not checked: who signed \
                                 that head (give --policy FILE)"
            .to_owned(),
    }
}

/// States something in a name and submits it, with one line about it. Returns the entry's receipt.
pub(crate) async fn state_and_submit(
    args: &LogArgs,
    client: &Client,
    issuer: &Issuer,
    payload: &Payload,
    references: &References,
) -> Result<Receipt, Failed> {
    let statement = issue(issuer, payload, references)
        .map_err(|error| Failed::new(Exit::Usage, "the statement cannot be made").because(error))?;
    let submitted = client.submit(statement.bytes(), args.wait).await;
    match submitted.map_err(|error| failed("the log did not take the statement", error))? {
        Submitted::Logged(receipt) => Ok(*receipt),
        Submitted::Accepted { entry, .. } => Err(Failed::new(
            Exit::CouldNotCheck,
            format!("the log has the entry {entry}, and showed no proof of it in time"),
        )
        .hint("look again later, or use --wait sequenced")),
    }
}

/// What the statement is about follows from what it says, for the kinds that are made here.
fn issue(issuer: &Issuer, payload: &Payload, references: &References) -> Result<Statement, IssueError> {
    let subject = payload.subject().ok_or(IssueError::NoSubject)?;
    let signed = issuer.state(Clock::system().now(), subject, None, payload, references)?;
    Ok(signed.statement().clone())
}

/// One line about a receipt, and `more` about what it is for.
pub(crate) fn print_receipt(
    args: &LogArgs,
    words: &str,
    receipt: &Receipt,
    more: &Value,
) -> Result<(), Failed> {
    let Receipt { index, entry, .. } = receipt;
    if args.json {
        let mut line =
            json!({ "index": index.get(), "entry": entry.to_string(), "checked": checked(receipt.shown) });
        if let (Some(line), Some(more)) = (line.as_object_mut(), more.as_object()) {
            line.extend(more.clone());
        }
        return print_line(line);
    }
    print_line(format_args!("[ok] {index:>8}  {entry}  {words}"))
}
