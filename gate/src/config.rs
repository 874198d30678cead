//! The configuration of `countersign run`.

use std::path::{Path, PathBuf};

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::program::keyfile::{self, KeyFileError};
use countersign_verifier::quorum::{Policy, PolicyError};
use countersign_verifier::statement::payload::Entity;
use countersign_verifier::statement::{IssuerName, NameError, PolicyName};
use serde::Deserialize;
use url::Url;

use crate::allow::{AllowError, AllowList};
use crate::client::Wait;
use crate::exact::SearchPath;
use crate::issuer::Issuer;

/// How long an authorization is good for at most, in seconds: a day.
pub const LONGEST_LIFETIME: u64 = 86_400;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not the TOML that it should be.
    #[error("{}: {source}", .path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<toml::de::Error>,
    },
    /// A name that cannot be one.
    #[error("{member}: {source}")]
    Name {
        /// Which member.
        member: &'static str,
        /// What is wrong with it.
        source: NameError,
    },
    /// A key that cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The trust policy cannot be read.
    #[error("{}: {source}", .path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PolicyError,
    },
    /// The policy accepts heads of no log.
    #[error("{}: the trust policy names no log", .0.display())]
    NoLog(PathBuf),
    /// The allow list cannot be used.
    #[error(transparent)]
    Allow(#[from] AllowError),
    /// A lifetime of nothing, or of too long.
    #[error("authorization_seconds is {0}: expected 1 to {LONGEST_LIFETIME}")]
    Lifetime(u64),
    /// The type of the subject is not one that policies could name.
    #[error("subject.type is {0:?}: expected letters, digits and underscores, such as Agent")]
    SubjectType(String),
    /// The subject has no id.
    #[error("subject.id is empty")]
    SubjectId,
    /// A folder to look for programs in that is another one in every folder.
    #[error("search_path has {}: expected absolute folders", .0.display())]
    SearchPath(PathBuf),
    /// The requester signs with the authority's key: whoever asks could then decide as well.
    #[error("{0} and {1} have the same key: expected a key for each")]
    SharedKey(&'static str, &'static str),
}

/// What is disclosed of the arguments of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arguments {
    /// All of them stand in the log, for everybody to read.
    #[default]
    Disclosed,
    /// Their digest stands in the log.
    Withheld,
}

/// All that the gate goes by.
#[derive(Debug)]
pub struct Config {
    /// Where the log is.
    pub log: Url,
    /// Whose heads count.
    pub trust: Policy,
    /// What an authorization waits for before the command runs.
    pub wait: Wait,
    /// Where the gate keeps its own records.
    pub state: PathBuf,
    /// Who asks.
    pub requester: Issuer,
    /// Who decides; publishes the allow list as well.
    pub authority: Issuer,
    /// Who enforces.
    pub enforcer: Issuer,
    /// The name that authorizations must be for.
    pub audience: IssuerName,
    /// On whose behalf commands run.
    pub subject: Entity,
    /// What may run.
    pub allow: AllowList,
    /// The name of the published list.
    pub policy_name: PolicyName,
    /// How long an authorization is good for, in seconds.
    pub lifetime: u64,
    /// What is disclosed of arguments.
    pub arguments: Arguments,
    /// Where programs are looked for that are given by a bare name.
    pub search: SearchPath,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    log: Url,
    policy: PathBuf,
    #[serde(default)]
    mode: Mode,
    state: PathBuf,
    audience: Option<String>,
    #[serde(default = "five_minutes")]
    authorization_seconds: u64,
    #[serde(default)]
    arguments: Arguments,
    search_path: Option<Vec<PathBuf>>,
    #[serde(default = "allowed_programs")]
    policy_name: String,
    allow: Vec<Vec<String>>,
    subject: Subject,
    requester: Party,
    authority: Party,
    enforcer: Party,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Cosigned,
    Sequenced,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    #[serde(rename = "type", default = "agent")]
    subject_type: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Party {
    name: String,
    key: PathBuf,
}

const fn five_minutes() -> u64 {
    300
}

fn allowed_programs() -> String {
    "allowed-programs".to_owned()
}

fn agent() -> String {
    "Agent".to_owned()
}

impl Config {
    /// Reads a configuration with the files that it names. Their paths are relative to the configuration's folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let io = |path: &Path, source| ConfigError::Io { path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(|source| io(path, source))?;
        let file: File = toml::from_str(&text)
            .map_err(|source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) })?;
        let folder = path.parent().unwrap_or(Path::new(""));

        let trust_path = folder.join(&file.policy);
        let trust = std::fs::read(&trust_path).map_err(|source| io(&trust_path, source))?;
        let trust = Policy::parse(&trust)
            .map_err(|source| ConfigError::Policy { path: trust_path.clone(), source })?;
        if trust.logs().is_empty() {
            return Err(ConfigError::NoLog(trust_path));
        }
        if !(1..=LONGEST_LIFETIME).contains(&file.authorization_seconds) {
            return Err(ConfigError::Lifetime(file.authorization_seconds));
        }
        let requester = issuer("requester.name", &file.requester, folder)?;
        let authority = issuer("authority.name", &file.authority, folder)?;
        let enforcer = issuer("enforcer.name", &file.enforcer, folder)?;
        differ(("requester", requester.public_key()), ("authority", authority.public_key()))?;
        differ(("authority", authority.public_key()), ("enforcer", enforcer.public_key()))?;
        let audience = match &file.audience {
            Some(audience) => name("audience", audience)?,
            None => enforcer.name().clone(),
        };
        Ok(Self {
            log: file.log,
            trust,
            wait: match file.mode {
                Mode::Cosigned => Wait::Cosigned,
                Mode::Sequenced => Wait::Sequenced,
            },
            state: folder.join(&file.state),
            requester,
            authority,
            enforcer,
            audience,
            subject: subject(file.subject)?,
            allow: AllowList::new(file.allow)?,
            policy_name: name("policy_name", &file.policy_name)?,
            lifetime: file.authorization_seconds,
            arguments: file.arguments,
            search: file.search_path.map(search_path).transpose()?.unwrap_or_default(),
        })
    }
}

fn issuer(member: &'static str, party: &Party, folder: &Path) -> Result<Issuer, ConfigError> {
    let name = name(member, &party.name)?;
    Ok(Issuer::new(name, keyfile::read_signing_key(&folder.join(&party.key))?))
}

fn name<T: core::str::FromStr<Err = NameError>>(member: &'static str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|source| ConfigError::Name { member, source })
}

fn differ(left: (&'static str, &PublicKey), right: (&'static str, &PublicKey)) -> Result<(), ConfigError> {
    if left.1 == right.1 { Err(ConfigError::SharedKey(left.0, right.0)) } else { Ok(()) }
}

fn search_path(folders: Vec<PathBuf>) -> Result<SearchPath, ConfigError> {
    match folders.iter().find(|folder| !folder.is_absolute()) {
        Some(relative) => Err(ConfigError::SearchPath(relative.clone())),
        None => Ok(SearchPath::new(folders)),
    }
}

fn subject(subject: Subject) -> Result<Entity, ConfigError> {
    let Subject { subject_type, id } = subject;
    let begins = subject_type.starts_with(|c: char| c.is_ascii_alphabetic());
    if !begins || !subject_type.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(ConfigError::SubjectType(subject_type));
    }
    if id.is_empty() {
        return Err(ConfigError::SubjectId);
    }
    Ok(Entity { entity_type: subject_type, id, properties: None })
}
