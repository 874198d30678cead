//! `countersign submit`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use countersign_gate::client::{Receipt, SubmitError, Submitted};
use countersign_verifier::program::{Exit, Failed, durable};
use countersign_verifier::statement::Statement;
use serde_json::json;

use super::log::{LogArgs, checked, failed, print_receipt, read};

/// Writes FILE.tlog-proof beside each file once the proof holds. Several files are submitted in their order, so that
/// later ones may refer to earlier ones. Submitting a statement again changes nothing and brings a proof again.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// The statements.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

pub(crate) async fn run(args: Args) -> Result<Exit, Failed> {
    let statements = args.files.iter().map(|file| statement(file)).collect::<Result<Vec<_>, _>>()?;
    let client = args.log.client()?;
    let results = match statements.as_slice() {
        [one] => vec![client.submit(one.bytes(), args.log.wait).await],
        many => {
            let batch: Vec<&[u8]> = many.iter().map(Statement::bytes).collect();
            let results = client.submit_batch(&batch, args.log.wait).await;
            results.map_err(|error| failed("the log did not take the statements", error))?
        }
    };
    let mut worst = Exit::Holds;
    let mut said = None;
    for (file, result) in args.files.iter().zip(results) {
        match conclude(&args.log, file, result) {
            Ok(receipt) => said = said.or(Some(receipt.shown)),
            Err(failed) => {
                say(&format!("error: {failed}"));
                if failed.exit() as u8 > worst as u8 {
                    worst = failed.exit();
                }
            }
        }
    }
    if let Some(shown) = said {
        say(&checked(shown));
    }
    Ok(worst)
}

fn statement(file: &Path) -> Result<Statement, Failed> {
    Statement::parse(&read(file)?).map_err(|error| {
        Failed::new(Exit::Usage, format!("{} is not a statement", file.display())).because(error)
    })
}

fn conclude(args: &LogArgs, file: &Path, result: Result<Submitted, SubmitError>) -> Result<Receipt, Failed> {
    match result {
        Ok(Submitted::Logged(receipt)) => {
            let proof = beside(file, ".tlog-proof");
            write(&proof, receipt.proof.to_string().as_bytes())?;
            let more = json!({ "file": file.display().to_string(), "proof": proof.display().to_string() });
            print_receipt(args, &proof.display().to_string(), &receipt, &more)?;
            Ok(*receipt)
        }
        Ok(Submitted::Accepted { entry, .. }) => Err(Failed::new(
            Exit::CouldNotCheck,
            format!("{}: the log has the entry {entry}, and showed no proof of it in time", file.display()),
        )
        .hint("submit it again for the proof; it changes nothing")),
        Err(error) => {
            let what = match &error {
                SubmitError::Unproven { proof, .. } => {
                    let evidence = beside(file, ".tlog-proof.unproven");
                    write(&evidence, proof.as_bytes())?;
                    format!("{} (kept in {})", file.display(), evidence.display())
                }
                _ => file.display().to_string(),
            };
            Err(failed(what, error))
        }
    }
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failed> {
    durable::replace(path, bytes).map(drop).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("cannot write {}", path.display())).because(error)
    })
}

pub(crate) fn say(line: &str) {
    // With standard error closed there is nobody to tell; the exit code still says it.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
