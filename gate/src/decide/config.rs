//! The configuration of `countersign decide`: the file that `countersign run` reads, and in it a table of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_verifier::quorum::Policy as TrustPolicy;
use countersign_verifier::replay::{Engine, LoadError, read_policies};
use countersign_verifier::statement::payload::{Policy, PolicyText};
use countersign_verifier::statement::{IssuerName, Material};
use serde::Deserialize;
use url::Url;

use super::facts::{Store, StoreError};
use super::token::{Token, TokenError};
use crate::client::Wait;
use crate::config::{Common, ConfigError, File, name};
use crate::issuer::Issuer;
use crate::publish;

/// The longest that one decision may take, in seconds.
pub const LONGEST: u64 = 60;
/// The most decisions that may be under way at once.
pub const MOST_DECISIONS: usize = 4096;
/// How long a decision may take, in seconds, unless the configuration says otherwise.
pub const TIMEOUT: u64 = 10;
/// How many decisions may be under way at once, unless the configuration says otherwise.
pub const DECISIONS: usize = 256;

/// Why the decision point cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum DecideConfigError {
    /// What all commands need of the file.
    #[error(transparent)]
    Common(#[from] ConfigError),
    /// There is no table for it.
    #[error("the table [decide] is missing: expected it to name the policies")]
    NoTable,
    /// Nobody to authorize.
    #[error("neither audience nor enforcer says for whom authorizations are")]
    NoAudience,
    /// A policy file without a name.
    #[error("{} has no name for an id", .0.display())]
    NoName(PathBuf),
    /// The policies cannot be applied: everything would be denied.
    #[error("the policies cannot be applied")]
    Policies(#[from] LoadError),
    /// The policies cannot be published.
    #[error("the policies have no RFC 8785 form")]
    NoCanonicalForm,
    /// The stored entities cannot be used.
    #[error("the stored entities cannot be used")]
    Store(#[from] StoreError),
    /// The token cannot be used.
    #[error("the token cannot be used")]
    Token(#[from] TokenError),
    /// The URL is none of a decision point.
    #[error("decide.url is {0}: expected an http or https address without query and fragment")]
    Url(Url),
    /// A time-out of nothing, or of too long.
    #[error("decide.timeout_seconds is {0}: expected 1 to {LONGEST}")]
    Timeout(u64),
    /// No decision at all, or too many.
    #[error("decide.max_decisions is {0}: expected 64 to {MOST_DECISIONS}")]
    Decisions(usize),
}

/// The table `[decide]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    policies: Vec<PathBuf>,
    schema: Option<PathBuf>,
    entities: Option<PathBuf>,
    #[serde(default = "access")]
    policy_name: String,
    #[serde(default = "yes")]
    caller_properties: bool,
    token: Option<PathBuf>,
    listen: Option<String>,
    url: Option<Url>,
    #[serde(default = "timeout")]
    timeout_seconds: u64,
    #[serde(default = "decisions")]
    max_decisions: usize,
}

fn access() -> String {
    "access".to_owned()
}

const fn yes() -> bool {
    true
}

const fn timeout() -> u64 {
    TIMEOUT
}

const fn decisions() -> usize {
    DECISIONS
}

/// All that the decision point goes by.
#[derive(Debug)]
pub struct Config {
    /// Where the log is.
    pub log: Url,
    /// Whose heads count.
    pub trust: TrustPolicy,
    /// What an authorization waits for before it is answered with.
    pub wait: Wait,
    /// Where it keeps what it published.
    pub state: PathBuf,
    /// Who states what was asked, unless the caller did.
    pub requester: Issuer,
    /// Who decides and authorizes; publishes the policies as well.
    pub authority: Issuer,
    /// For whom authorizations are.
    pub audience: IssuerName,
    /// How long an authorization is good for, in seconds.
    pub lifetime: u64,
    /// The policies, as they are published.
    pub policy: Policy,
    /// The same, ready to be applied.
    pub engine: Engine,
    /// The entities that are stored here.
    pub store: Store,
    /// Whether callers may tell of attributes that are not stored.
    pub caller_properties: bool,
    /// What callers have to show.
    pub token: Option<Token>,
    /// Where to listen, unless the command line says so.
    pub listen: Option<String>,
    /// The address by which callers know it.
    pub url: Option<Url>,
    /// How long one decision may take.
    pub timeout: Duration,
    /// How many decisions may be under way at once.
    pub max_decisions: usize,
}

impl Config {
    /// Reads a configuration with the files that it names. Their paths are relative to the configuration's folder.
    pub fn read(path: &Path) -> Result<Self, DecideConfigError> {
        let file = File::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let Common { log, trust, wait, state, requester, authority, lifetime } = file.common(folder)?;
        let table = file.decide.ok_or(DecideConfigError::NoTable)?;
        let audience = match (&file.audience, &file.enforcer) {
            (Some(audience), _) => name("audience", audience)?,
            (None, Some(enforcer)) => name("enforcer.name", &enforcer.name)?,
            (None, None) => return Err(DecideConfigError::NoAudience),
        };
        if !(1..=LONGEST).contains(&table.timeout_seconds) {
            return Err(DecideConfigError::Timeout(table.timeout_seconds));
        }
        if !(super::MAX_EVALUATIONS..=MOST_DECISIONS).contains(&table.max_decisions) {
            return Err(DecideConfigError::Decisions(table.max_decisions));
        }
        let schema =
            table.schema.map(|schema| read(&folder.join(schema))).transpose()?.map(Material::Disclosed);
        let policies: Vec<Vec<PolicyText>> =
            table.policies.iter().map(|file| policies(&folder.join(file))).collect::<Result<_, _>>()?;
        let policies = policies.concat();
        let engine = Engine::load(&policies, schema.as_ref())?;
        let policy = publish::policy(name("decide.policy_name", &table.policy_name)?, policies, schema)
            .ok_or(DecideConfigError::NoCanonicalForm)?;
        let store = match table.entities {
            Some(entities) => Store::read(&folder.join(entities), &engine)?,
            None => Store::default(),
        };
        Ok(Self {
            log,
            trust,
            wait,
            state,
            requester,
            authority,
            audience,
            lifetime,
            policy,
            engine,
            store,
            caller_properties: table.caller_properties,
            token: table.token.map(|token| Token::read(&folder.join(token))).transpose()?,
            listen: table.listen,
            url: table.url.map(own_address).transpose()?,
            timeout: Duration::from_secs(table.timeout_seconds),
            max_decisions: table.max_decisions,
        })
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: path.to_owned(), source })
}

fn policies(path: &Path) -> Result<Vec<PolicyText>, DecideConfigError> {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let stem = stem.ok_or_else(|| DecideConfigError::NoName(path.to_owned()))?;
    Ok(read_policies(stem, &read(path)?)?)
}

fn own_address(url: Url) -> Result<Url, DecideConfigError> {
    let fits = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    if fits { Ok(url) } else { Err(DecideConfigError::Url(url)) }
}
