//! The configuration of `countersign run` and `countersign mcp`.

use std::path::{Path, PathBuf};

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::program::keyfile::{self, KeyFileError};
use countersign_verifier::quorum::{Policy, PolicyError};
use countersign_verifier::statement::payload::{Entity, PolicyText};
use countersign_verifier::statement::{IssuerName, NameError, PolicyName};
use serde::Deserialize;
use url::Url;

use crate::allow::{AllowError, AllowList};
use crate::client::Wait;
use crate::decide;
use crate::exact::SearchPath;
use crate::issuer::Issuer;
use crate::mcp::{ToolList, ToolListError, ToolRule};

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
    /// A member that the command cannot do without.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The allow list of tools cannot be used.
    #[error(transparent)]
    Tools(#[from] ToolListError),
    /// An answer that is not waited for, or for too long.
    #[error("answer_seconds is {0}: expected 1 to {LONGEST_LIFETIME}")]
    Answer(u64),
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

/// The rules that decide, as they are published.
#[derive(Debug)]
pub struct Rules {
    /// The name under which they are published.
    pub name: PolicyName,
    /// The rules.
    pub policies: Vec<PolicyText>,
    /// The file in the state folder that keeps what was published.
    pub file: &'static str,
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
    /// Who decides; publishes the rules as well.
    pub authority: Issuer,
    /// Who enforces.
    pub enforcer: Issuer,
    /// The name that authorizations must be for.
    pub audience: IssuerName,
    /// On whose behalf commands run and tools are called.
    pub subject: Entity,
    /// What may run, or be called.
    pub rules: Rules,
    /// How long an authorization is good for, in seconds.
    pub lifetime: u64,
    /// What is disclosed of arguments.
    pub arguments: Arguments,
    /// Where programs are looked for that are given by a bare name.
    pub search: SearchPath,
    /// How long the answer to a call is waited for, in seconds.
    pub answer_seconds: u64,
}

/// What may stand in a configuration file, whichever command reads it. What only some need is optional here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    log: Url,
    policy: PathBuf,
    #[serde(default)]
    mode: Mode,
    state: PathBuf,
    pub(crate) audience: Option<String>,
    #[serde(default = "five_minutes")]
    authorization_seconds: u64,
    #[serde(default)]
    arguments: Arguments,
    search_path: Option<Vec<PathBuf>>,
    #[serde(default = "allowed_programs")]
    policy_name: String,
    allow: Option<Vec<Vec<String>>>,
    #[serde(default = "allowed_tools")]
    tool_policy_name: String,
    tool: Option<Vec<ToolRule>>,
    #[serde(default = "one_hour")]
    answer_seconds: u64,
    subject: Option<Subject>,
    requester: Party,
    authority: Party,
    pub(crate) enforcer: Option<Party>,
    pub(crate) decide: Option<decide::config::Table>,
}

/// What every command needs that has something decided.
pub(crate) struct Common {
    pub(crate) log: Url,
    pub(crate) trust: Policy,
    pub(crate) wait: Wait,
    pub(crate) state: PathBuf,
    pub(crate) requester: Issuer,
    pub(crate) authority: Issuer,
    pub(crate) lifetime: u64,
}

impl File {
    pub(crate) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|source| ConfigError::Toml { path: path.to_owned(), source: Box::new(source) })
    }

    /// Reads the files that every command needs. Their paths are relative to `folder`.
    pub(crate) fn common(&self, folder: &Path) -> Result<Common, ConfigError> {
        let path = folder.join(&self.policy);
        let trust = std::fs::read(&path).map_err(|source| ConfigError::Io { path: path.clone(), source })?;
        let trust =
            Policy::parse(&trust).map_err(|source| ConfigError::Policy { path: path.clone(), source })?;
        if trust.logs().is_empty() {
            return Err(ConfigError::NoLog(path));
        }
        if !(1..=LONGEST_LIFETIME).contains(&self.authorization_seconds) {
            return Err(ConfigError::Lifetime(self.authorization_seconds));
        }
        let requester = issuer("requester.name", &self.requester, folder)?;
        let authority = issuer("authority.name", &self.authority, folder)?;
        differ(("requester", requester.public_key()), ("authority", authority.public_key()))?;
        Ok(Common {
            log: self.log.clone(),
            trust,
            wait: match self.mode {
                Mode::Cosigned => Wait::Cosigned,
                Mode::Sequenced => Wait::Sequenced,
            },
            state: folder.join(&self.state),
            requester,
            authority,
            lifetime: self.authorization_seconds,
        })
    }

    /// The rules of one of the two, after those of both have been read.
    fn rules(&mut self, before: Before) -> Result<Rules, ConfigError> {
        let allow = self.allow.take().map(AllowList::new).transpose()?;
        let tools = self.tool.take().map(ToolList::new).transpose()?;
        let programs_name = name("policy_name", &self.policy_name)?;
        let tools_name = name("tool_policy_name", &self.tool_policy_name)?;
        Ok(match before {
            Before::Programs => {
                let allow = allow.ok_or(ConfigError::Missing("allow"))?;
                Rules { name: programs_name, policies: allow.policies(), file: "policy.json" }
            }
            Before::Tools => {
                let tools =
                    tools.ok_or(ConfigError::Missing("[[tool]], once for each tool that may be called,"))?;
                Rules { name: tools_name, policies: tools.policies(), file: "tools.json" }
            }
        })
    }
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
pub(crate) struct Party {
    pub(crate) name: String,
    key: PathBuf,
}

const fn five_minutes() -> u64 {
    300
}

fn allowed_programs() -> String {
    "allowed-programs".to_owned()
}

fn allowed_tools() -> String {
    "allowed-tools".to_owned()
}

const fn one_hour() -> u64 {
    3_600
}

fn agent() -> String {
    "Agent".to_owned()
}

/// What a gate stands before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Programs,
    Tools,
}

impl Config {
    /// Reads a configuration with the files that it names, for the gate before programs. Paths are relative to the
    /// configuration's folder.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Self::read_for(Before::Programs, path)
    }

    /// The same for the gate before the tools of an MCP server. One file may have the rules of both.
    pub fn read_for_tools(path: &Path) -> Result<Self, ConfigError> {
        Self::read_for(Before::Tools, path)
    }

    fn read_for(before: Before, path: &Path) -> Result<Self, ConfigError> {
        let mut file = File::read(path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let Common { log, trust, wait, state, requester, authority, lifetime } = file.common(folder)?;
        if !(1..=LONGEST_LIFETIME).contains(&file.answer_seconds) {
            return Err(ConfigError::Answer(file.answer_seconds));
        }
        let rules = file.rules(before)?;
        let enforcer = file.enforcer.as_ref().ok_or(ConfigError::Missing("enforcer"))?;
        let enforcer = issuer("enforcer.name", enforcer, folder)?;
        differ(("authority", authority.public_key()), ("enforcer", enforcer.public_key()))?;
        let audience = match &file.audience {
            Some(audience) => name("audience", audience)?,
            None => enforcer.name().clone(),
        };
        Ok(Self {
            log,
            trust,
            wait,
            state,
            requester,
            authority,
            enforcer,
            audience,
            subject: subject(file.subject.ok_or(ConfigError::Missing("subject"))?)?,
            rules,
            lifetime,
            arguments: file.arguments,
            search: file.search_path.map(search_path).transpose()?.unwrap_or_default(),
            answer_seconds: file.answer_seconds,
        })
    }
}

fn issuer(member: &'static str, party: &Party, folder: &Path) -> Result<Issuer, ConfigError> {
    let name = name(member, &party.name)?;
    Ok(Issuer::new(name, keyfile::read_signing_key(&folder.join(&party.key))?))
}

pub(crate) fn name<T: core::str::FromStr<Err = NameError>>(
    member: &'static str,
    text: &str,
) -> Result<T, ConfigError> {
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
