//! `countersign policy publish`.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use countersign_gate::issuer::Issuer;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::program::{Exit, Failed, keyfile};
use countersign_verifier::replay::{Engine, LoadError, read_policies};
use countersign_verifier::statement::payload::Policy;
use countersign_verifier::statement::{
    IssuerName, Material, Payload, PolicyEngine, PolicyName, RefRole, References,
};
use serde_json::json;

use super::log::{LogArgs, print_receipt, read, state_and_submit};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Publish Cedar policies under a name. The id of each is its annotation `@id`, or else its file's name.
    Publish(Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// The author's or the operator's key, PKCS#8 PEM.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The registered name of whose key it is.
    #[arg(long, value_name = "NAME", default_value = IssuerName::OPERATOR)]
    iss: IssuerName,
    /// The name that the policy keeps through its versions.
    #[arg(long)]
    name: PolicyName,
    /// The version.
    #[arg(long, value_name = "V")]
    version: String,
    /// The Cedar schema.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// The entry of the policy that this one replaces.
    #[arg(long, value_name = "ENTRY")]
    replaces: Option<LeafHash>,
    /// The policies.
    #[arg(value_name = "POLICY.cedar", required = true)]
    files: Vec<PathBuf>,
}

pub(crate) async fn publish(args: Args) -> Result<Exit, Failed> {
    let issuer = Issuer::new(args.iss.clone(), keyfile::read_signing_key(&args.key)?);
    let schema = args.schema.as_deref().map(text).transpose()?.map(Material::Disclosed);
    let mut policies = Vec::new();
    for file in &args.files {
        policies.extend(read_policies(stem(file)?, &text(file)?).map_err(nothing_published)?);
    }
    // By a policy that cannot be applied everything is denied, and what is published stays.
    Engine::load(&policies, schema.as_ref()).map_err(nothing_published)?;
    let (name, version) = (args.name.clone(), args.version.clone());
    let policy = Policy { name, version, engine: PolicyEngine::Cedar, policies, schema };
    let policy = Payload::Policy(policy);
    let references: References = args.replaces.into_iter().map(|entry| (RefRole::Replaces, entry)).collect();
    let client = args.log.client()?;
    let receipt = state_and_submit(&args.log, &client, &issuer, &policy, &references).await?;
    let words = format!("policy {} version {}", args.name, args.version);
    print_receipt(&args.log, &words, &receipt, &json!({ "name": args.name, "version": args.version }))?;
    Ok(Exit::Holds)
}

fn nothing_published(error: LoadError) -> Failed {
    Failed::new(Exit::Usage, "nothing was published, because nobody could decide by these policies")
        .because(error)
}

fn stem(file: &Path) -> Result<&str, Failed> {
    let stem = file.file_stem().and_then(|stem| stem.to_str());
    stem.ok_or_else(|| Failed::new(Exit::Usage, format!("{} has no name for an id", file.display())))
}

fn text(file: &Path) -> Result<String, Failed> {
    String::from_utf8(read(file)?)
        .map_err(|error| Failed::new(Exit::Usage, format!("{} is not UTF-8", file.display())).because(error))
}
