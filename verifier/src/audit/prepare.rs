//! What can be said of entries before their place in the log matters: it is most of the work, and all of it can be done
//! on many entries at once.

use std::collections::HashMap;

use crate::admission::IssuerKey;
use crate::ed25519::PublicKey;
use crate::merkle::LeafHash;
use crate::statement::{
    KeyThumbprint, Kind, Payload, SignatureError, Statement, StatementError, VerifiedStatement,
};

/// An entry that has been read.
#[derive(Debug, Clone)]
pub struct Parsed {
    id: LeafHash,
    statement: Result<Box<Statement>, StatementError>,
}

impl Parsed {
    /// Reads an entry.
    pub fn read(entry: &[u8]) -> Self {
        Self { id: LeafHash::of(entry), statement: Statement::parse(entry).map(Box::new) }
    }
}

/// An entry whose signature has been checked, as far as its key is known.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) id: LeafHash,
    pub(super) content: Content,
}

impl Prepared {
    /// The id of the entry.
    pub const fn id(&self) -> LeafHash {
        self.id
    }

    /// The statement, if it is one by the key that it names. Whether the log may have admitted it, this does not say.
    pub fn statement(&self) -> Option<&VerifiedStatement> {
        match &self.content {
            Content::Verified(statement) => Some(statement),
            Content::Malformed(_) | Content::Forged(_) | Content::KeyUnknown(_) => None,
        }
    }
}

/// What an entry turned out to be.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A statement by the key that it names.
    Verified(Box<VerifiedStatement>),
    /// No statement.
    Malformed(StatementError),
    /// A statement that is not signed by the key it should be signed by. A genesis brings that key itself.
    Forged(Box<Forged>),
    /// A statement that names a key which no entry up to here registers.
    KeyUnknown(IssuerKey),
}

/// Who did not sign what.
#[derive(Debug, Clone)]
pub(super) struct Forged {
    pub(super) signer: IssuerKey,
    pub(super) is_genesis: bool,
    pub(super) error: SignatureError,
    pub(super) key: PublicKey,
}

/// The keys that entries register. A statement names its key by a thumbprint, so which key that is does not depend on
/// who is registered, and signatures can be checked before admission is replayed.
#[derive(Debug, Clone, Default)]
pub struct Keys(HashMap<KeyThumbprint, PublicKey>);

impl Keys {
    /// Takes up a key that is known to have been registered.
    pub fn insert(&mut self, key: PublicKey) {
        self.0.insert(KeyThumbprint::of(&key), key);
    }

    /// Takes up the keys that entries register, whether or not they were admitted.
    pub fn learn<'a>(&mut self, entries: impl IntoIterator<Item = &'a Parsed>) {
        for statement in entries.into_iter().filter_map(|entry| entry.statement.as_ref().ok()) {
            match statement.payload() {
                Payload::Genesis(genesis) => self.insert(genesis.operator.public_key),
                Payload::Issuer(issuer) => self.insert(issuer.public_key),
                _ => {}
            }
        }
    }

    /// Checks the signature of an entry. The keys of all entries up to it must have been learned.
    pub fn check(&self, entry: Parsed) -> Prepared {
        let Parsed { id, statement } = entry;
        let content = match statement {
            Err(error) => Content::Malformed(error),
            Ok(statement) => self.check_statement(*statement),
        };
        Prepared { id, content }
    }

    fn check_statement(&self, statement: Statement) -> Content {
        let signer = IssuerKey { name: statement.claims().issuer.clone(), key: statement.kid() };
        let is_genesis = statement.kind() == Kind::Genesis;
        let key = match statement.payload() {
            Payload::Genesis(genesis) => Some(genesis.operator.public_key),
            _ => self.0.get(&signer.key).copied(),
        };
        match key.map(|key| (key, statement.verify(&key))) {
            None => Content::KeyUnknown(signer),
            Some((_, Ok(verified))) => Content::Verified(Box::new(verified)),
            Some((key, Err(error))) => Content::Forged(Box::new(Forged { signer, is_genesis, error, key })),
        }
    }
}
