//! `countersign sign`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use countersign_gate::clock::Clock;
use countersign_gate::issuer::{IssueError, Issuer};
use countersign_gate::rfc3339;
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::program::{Exit, Failed, durable, keyfile, print_line};
use countersign_verifier::statement::{
    Draft, ExecutionId, IssuerName, Kind, Subject, UnixSeconds, Validity, read_payload,
};
use serde_json::{Map, Value};

/// Brings the payload into its canonical form, adds the claims, signs, and prints the entry id.
///
/// What the statement is about is the execution, or, for genesis, issuer and policy, what its payload says.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The issuer's key, PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The kind of statement: genesis, issuer, policy, intent, decision, authorization, verification, outcome,
    /// enforcement or close.
    #[arg(long)]
    kind: Kind,
    /// The issuer's registered name.
    #[arg(long, value_name = "NAME")]
    iss: IssuerName,
    /// The execution that it belongs to.
    #[arg(long, value_name = "ID")]
    execution: Option<ExecutionId>,
    /// The payload, JSON in any formatting, with refs; - for standard input.
    #[arg(long, value_name = "FILE")]
    payload: PathBuf,
    /// Authorizations only: the enforcer that may act on it.
    #[arg(long, value_name = "NAME")]
    aud: Option<IssuerName>,
    /// Authorizations only: when it begins, in seconds since 1970 or RFC 3339 [default: now].
    #[arg(long, value_name = "TIME", value_parser = rfc3339::parse)]
    nbf: Option<UnixSeconds>,
    /// Authorizations only: when it ends, in seconds since 1970 or RFC 3339 [default: 300 seconds from now].
    #[arg(long, value_name = "TIME", value_parser = rfc3339::parse)]
    exp: Option<UnixSeconds>,
    /// Where the statement goes.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// How long an authorization holds, in seconds, unless said otherwise.
const LIFETIME: u64 = 300;

pub(crate) fn run(args: &Args) -> Result<Exit, Failed> {
    let now = Clock::system().now();
    let usage = |what: &str| Failed::new(Exit::Usage, what.to_owned());
    let payload = read_payload(&read(&args.payload)?)
        .map_err(|error| usage("the payload is not strict JSON").because(error))?;
    let subject = subject(args, &payload)?;
    let validity = validity(args, now)?;
    let issuer = Issuer::new(args.iss.clone(), keyfile::read_signing_key(&args.key)?);
    let sign = || -> Result<_, IssueError> {
        let claims = issuer.claims(now, subject, validity)?;
        issuer.sign(Draft::from_json(issuer.public_key(), args.kind, claims, &payload)?)
    };
    let signed = sign().map_err(|error| usage("the statement cannot be made").because(error))?;
    durable::replace(&args.out, signed.statement().bytes()).map_err(|error| {
        Failed::new(Exit::CouldNotCheck, format!("cannot write {}", args.out.display())).because(error)
    })?;
    print_line(signed.entry_id())?;
    Ok(Exit::Holds)
}

fn read(path: &Path) -> Result<Vec<u8>, Failed> {
    if path.as_os_str() != "-" {
        return super::log::read(path);
    }
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|error| Failed::new(Exit::CouldNotCheck, "cannot read standard input").because(error))?;
    Ok(bytes)
}

fn subject(args: &Args, payload: &Map<String, Value>) -> Result<Subject, Failed> {
    let usage = |what: String| Failed::new(Exit::Usage, what);
    let of_payload = |member: &str| {
        let text = payload.get(member).and_then(Value::as_str);
        text.ok_or_else(|| usage(format!("the payload has no text {member:?}, which {} needs", args.kind)))
    };
    let unexpected = args.execution.is_some();
    let subject = match args.kind {
        Kind::Genesis => Origin::new(of_payload("origin")?).ok().map(Subject::Log),
        Kind::Issuer => of_payload("name")?.parse().ok().map(Subject::Issuer),
        Kind::Policy => of_payload("name")?.parse().ok().map(Subject::Policy),
        kind => {
            let execution = args.execution.clone();
            let execution =
                execution.ok_or_else(|| usage(format!("--execution is missing: {kind} belongs to one")))?;
            return Ok(Subject::Execution(execution));
        }
    };
    if unexpected {
        return Err(usage(format!(
            "--execution is given, and a statement of kind {} belongs to none",
            args.kind
        )));
    }
    subject.ok_or_else(|| usage("the name in the payload is not one".to_owned()))
}

fn validity(args: &Args, now: UnixSeconds) -> Result<Option<Validity>, Failed> {
    let usage = |what: &str| Failed::new(Exit::Usage, what.to_owned());
    if args.kind != Kind::Authorization {
        if args.aud.is_some() || args.nbf.is_some() || args.exp.is_some() {
            return Err(usage("--aud, --nbf and --exp are for authorizations only"));
        }
        return Ok(None);
    }
    let audience = args.aud.clone();
    let audience = audience.ok_or_else(|| usage("--aud is missing: an authorization is for one enforcer"))?;
    let later = UnixSeconds::new(now.get().saturating_add(LIFETIME));
    let expires = args.exp.or(later).ok_or_else(|| usage("--exp is missing"))?;
    Ok(Some(Validity { audience, not_before: args.nbf.unwrap_or(now), expires }))
}
