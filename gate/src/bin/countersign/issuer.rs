//! `countersign issuer add` and `countersign issuer revoke`.

use std::path::PathBuf;

use clap::Subcommand;
use countersign_gate::client::Client;
use countersign_gate::issuer::Issuer;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::program::{Exit, Failed, keyfile};
use countersign_verifier::statement::payload::{Issuer as Registration, Roles};
use countersign_verifier::statement::{IssuerName, IssuerStatus, KeyThumbprint, Payload, References, Role};
use serde_json::json;

use super::log::{LogArgs, failed, print_receipt, state_and_submit};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Register a key under a name, or change its roles.
    Add(Args),
    /// Revoke one key of a name, or all of them.
    Revoke(Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// The operator's key, PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    operator_key: PathBuf,
    /// The issuer's name.
    #[arg(long)]
    name: IssuerName,
    /// The issuer's public key, SPKI PEM. Revoking without it revokes all active keys that the log lists.
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// The roles, with commas between: operator, author, requester, authority, enforcer, overseer. Revoking keeps
    /// those that the log lists.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    roles: Vec<Role>,
    /// Why, for whoever reads the log.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

pub(crate) async fn run(command: Command) -> Result<Exit, Failed> {
    let (args, status) = match command {
        Command::Add(args) => (args, IssuerStatus::Active),
        Command::Revoke(args) => (args, IssuerStatus::Revoked),
    };
    let operator = IssuerName::OPERATOR
        .parse()
        .map_err(|error| Failed::new(Exit::Usage, "the operator's name is no name").because(error))?;
    let operator = Issuer::new(operator, keyfile::read_signing_key(&args.operator_key)?);
    let client = args.log.client()?;
    let keys =
        if status == IssuerStatus::Active { to_add(&args)? } else { to_revoke(&args, &client).await? };
    for (public_key, roles) in keys {
        let registration = Payload::Issuer(Registration {
            name: args.name.clone(),
            public_key,
            roles,
            status,
            note: args.note.clone(),
        });
        let receipt =
            state_and_submit(&args.log, &client, &operator, &registration, &References::default()).await?;
        let kid = KeyThumbprint::of(&public_key).to_string();
        let words = format!("{} {status}, key {kid}", args.name);
        let more = json!({ "name": args.name, "kid": kid, "status": status });
        print_receipt(&args.log, &words, &receipt, &more)?;
    }
    Ok(Exit::Holds)
}

fn to_add(args: &Args) -> Result<Vec<(PublicKey, Roles)>, Failed> {
    let Some(path) = &args.public_key else {
        return Err(Failed::new(Exit::Usage, "--public-key is missing: a registration is of a key")
            .hint("countersign keygen --out NAME.pem writes NAME.pub, and so does openssl pkey -pubout"));
    };
    if args.roles.is_empty() {
        return Err(Failed::new(Exit::Usage, "--roles is missing: a key without roles may sign nothing")
            .hint("to take every role from a key, use countersign issuer revoke"));
    }
    Ok(vec![(keyfile::read_public_key(path)?, args.roles.iter().copied().collect())])
}

async fn to_revoke(args: &Args, client: &Client) -> Result<Vec<(PublicKey, Roles)>, Failed> {
    let given: Option<PublicKey> = args.public_key.as_deref().map(keyfile::read_public_key).transpose()?;
    let roles: Roles = args.roles.iter().copied().collect();
    if let Some(key) = given
        && !args.roles.is_empty()
    {
        return Ok(vec![(key, roles)]);
    }
    let listed = client.registered_keys(args.name.as_str()).await;
    let listed =
        listed.map_err(|error| failed(format!("the keys of {} cannot be listed", args.name), error))?;
    let kept =
        |stated: Vec<Role>| if args.roles.is_empty() { stated.into_iter().collect() } else { roles.clone() };
    let keys: Vec<_> = listed
        .into_iter()
        .filter(|key| given.map_or(key.status == IssuerStatus::Active, |given| given == key.public_key))
        .map(|key| (key.public_key, kept(key.roles)))
        .collect();
    if keys.is_empty() {
        let what = match given {
            Some(_) => format!("this key is not registered under the name {}", args.name),
            None => format!("no key is active under the name {}", args.name),
        };
        return Err(Failed::new(Exit::CouldNotCheck, what));
    }
    Ok(keys)
}
