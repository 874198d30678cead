//! Reading a policy file.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use url::Url;

use super::{Group, Log, Member, Policy, Quorum, Witness};
use crate::note::{KeyError, KeyKind, VerifierKey};
use crate::strict;

/// Why a file is not a policy. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct PolicyError {
    /// Which line.
    pub line: usize,
    /// What is wrong with it.
    pub cause: PolicyErrorCause,
}

/// What is wrong with a line of a policy file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyErrorCause {
    /// An octet that policies do not have, among them the carriage return.
    #[error("octet 0x{0:02x}; allowed are tab, line feed, 0x20 to 0x7E and 0x80 to 0xFF")]
    Octet(u8),
    /// The file does not end with a line feed.
    #[error("the last line does not end with a line feed")]
    Unfinished,
    /// A line that begins with another word.
    #[error("expected a line that begins with log, witness, group, quorum or #")]
    Keyword,
    /// Too few or too many words on a line.
    #[error("expected: {0}")]
    Words(&'static str),
    /// A key that cannot be read.
    #[error("the key: {0}")]
    Key(#[from] KeyError),
    /// A key of a type that cannot stand there.
    #[error("a key of type 0x{got:02x} cannot stand here; expected {want}")]
    KeyKind {
        /// The type found.
        got: u8,
        /// The types allowed.
        want: &'static str,
    },
    /// The same public key twice, whatever its name.
    #[error("this public key stands in an earlier line of the same sort")]
    KeyTwice,
    /// A name given twice, or the reserved name `none`.
    #[error("the name is already taken (none is reserved)")]
    NameTaken,
    /// A name that no earlier line defines.
    #[error("no earlier line defines a witness or group of this name")]
    NameUnknown,
    /// A member of two groups, or twice of one.
    #[error("each name can be a member of one group only, once")]
    MemberTwice,
    /// A threshold that is not `all`, `any` or a number from 1 to the number of members.
    #[error("the threshold is all, any, or a number from 1 to the {0} members")]
    Threshold(usize),
    /// A URL that cannot be read.
    #[error("expected an http or https URL")]
    Url,
    /// No `quorum` line, or two.
    #[error("a policy has exactly one quorum line")]
    Quorum,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Policy, PolicyError> {
    let mut reader = Reader::default();
    let mut number = 0_usize;
    let mut rest = bytes;
    while !rest.is_empty() {
        number = number.saturating_add(1);
        let at = |cause| PolicyError { line: number, cause };
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (line, tail) = end.map_or((rest, &[][..]), |end| {
            let (line, tail) = rest.split_at(end);
            (line, tail.get(1..).unwrap_or_default())
        });
        if let Some(octet) = line.iter().find(|byte| !matches!(byte, 0x09 | 0x20..=0x7e | 0x80..)) {
            return Err(at(PolicyErrorCause::Octet(*octet)));
        }
        if end.is_none() {
            return Err(at(PolicyErrorCause::Unfinished));
        }
        reader.line(line).map_err(at)?;
        rest = tail;
    }
    let Some(quorum) = reader.quorum else {
        return Err(PolicyError { line: number.saturating_add(1), cause: PolicyErrorCause::Quorum });
    };
    Ok(Policy { logs: reader.logs, witnesses: reader.witnesses, groups: reader.groups, quorum })
}

#[derive(Default)]
struct Reader {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Quorum>,
    /// Names are octets: nothing says that they are UTF-8.
    names: HashMap<Vec<u8>, Member>,
    members: HashSet<Vec<u8>>,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<(), PolicyErrorCause> {
        let words: Vec<&[u8]> =
            line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with(b"#") => Ok(()),
            [b"log", words @ ..] => self.log(words),
            [b"witness", words @ ..] => self.witness(words),
            [b"group", words @ ..] => self.group(words),
            [b"quorum", words @ ..] => self.quorum(words),
            _ => Err(PolicyErrorCause::Keyword),
        }
    }

    fn log(&mut self, words: &[&[u8]]) -> Result<(), PolicyErrorCause> {
        let (key, url) = match words {
            [key] => (key, None),
            [key, url] => (key, Some(parse_url(url)?)),
            _ => return Err(PolicyErrorCause::Words("log <vkey> [<url>]")),
        };
        let key = parse_key(key)?;
        if key.kind() == KeyKind::CosignatureV1 {
            return Err(PolicyErrorCause::KeyKind { got: key.kind().byte(), want: "0x01 or 0x06 for a log" });
        }
        if self.logs.iter().any(|log| log.key.material() == key.material()) {
            return Err(PolicyErrorCause::KeyTwice);
        }
        self.logs.push(Log { key, url });
        Ok(())
    }

    fn witness(&mut self, words: &[&[u8]]) -> Result<(), PolicyErrorCause> {
        let (name, key, url) = match words {
            [name, key] => (name, key, None),
            [name, key, url] => (name, key, Some(parse_url(url)?)),
            _ => return Err(PolicyErrorCause::Words("witness <name> <vkey> [<url>]")),
        };
        let key = parse_key(key)?;
        if key.kind() == KeyKind::Ed25519 {
            return Err(PolicyErrorCause::KeyKind {
                got: key.kind().byte(),
                want: "0x04 or 0x06 for a witness",
            });
        }
        if self.witnesses.iter().any(|witness| witness.key.material() == key.material()) {
            return Err(PolicyErrorCause::KeyTwice);
        }
        self.define(name, Member::Witness(self.witnesses.len()))?;
        let name = self.shown(name);
        self.witnesses.push(Witness { name, key, url });
        Ok(())
    }

    /// The text of a witness's name that no earlier witness has: octets that are not UTF-8 all look alike, and who
    /// cosigned is told by that text.
    fn shown(&self, name: &[u8]) -> String {
        let mut text = String::from_utf8_lossy(name).into_owned();
        while self.witnesses.iter().any(|witness| witness.name == text) {
            text.push('\'');
        }
        text
    }

    fn group(&mut self, words: &[&[u8]]) -> Result<(), PolicyErrorCause> {
        let [name, threshold, names @ ..] = words else {
            return Err(PolicyErrorCause::Words("group <name> all|any|<k> <member>..."));
        };
        if names.is_empty() {
            return Err(PolicyErrorCause::Words("group <name> all|any|<k> <member>..."));
        }
        let wrong_threshold = PolicyErrorCause::Threshold(names.len());
        let threshold = match *threshold {
            b"all" => names.len(),
            b"any" => 1,
            number => core::str::from_utf8(number)
                .ok()
                .and_then(strict::from_decimal)
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| (1..=names.len()).contains(number))
                .ok_or(wrong_threshold)?,
        };
        let mut members = Vec::with_capacity(names.len());
        for name in names {
            members.push(*self.names.get(*name).ok_or(PolicyErrorCause::NameUnknown)?);
            if !self.members.insert(name.to_vec()) {
                return Err(PolicyErrorCause::MemberTwice);
            }
        }
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group { threshold, members });
        Ok(())
    }

    fn quorum(&mut self, words: &[&[u8]]) -> Result<(), PolicyErrorCause> {
        let [name] = words else { return Err(PolicyErrorCause::Words("quorum <name>|none")) };
        let quorum = match *name {
            b"none" => Quorum::None,
            name => Quorum::Of(*self.names.get(name).ok_or(PolicyErrorCause::NameUnknown)?),
        };
        if self.quorum.replace(quorum).is_some() { Err(PolicyErrorCause::Quorum) } else { Ok(()) }
    }

    fn define(&mut self, name: &[u8], member: Member) -> Result<(), PolicyErrorCause> {
        if name == b"none" || self.names.insert(name.to_vec(), member).is_some() {
            return Err(PolicyErrorCause::NameTaken);
        }
        Ok(())
    }
}

fn parse_key(word: &[u8]) -> Result<VerifierKey, PolicyErrorCause> {
    Ok(core::str::from_utf8(word).ok().ok_or(KeyError::Form).and_then(VerifierKey::from_str)?)
}

fn parse_url(word: &[u8]) -> Result<Url, PolicyErrorCause> {
    core::str::from_utf8(word)
        .ok()
        .and_then(|text| Url::parse(text).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or(PolicyErrorCause::Url)
}
