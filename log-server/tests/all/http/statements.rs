//! Statements for a log under test: well-formed ones, and ones that no library would make.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coset::cbor::value::Value as Cbor;
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::statement::{KeyThumbprint, Submission};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

/// The time at which everything in these tests happens.
pub(crate) const NOW: u64 = 1_790_000_000;

static SERIAL: AtomicU64 = AtomicU64::new(1);

/// Whoever signs.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub(crate) name: String,
    pub(crate) key: SigningKey,
}

impl Signer {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        Self { name: name.to_owned(), key: SigningKey::from_bytes(&[seed; 32]) }
    }

    pub(crate) fn public_key(&self) -> String {
        STANDARD.encode(PublicKey::from(&self.key).as_bytes())
    }

    pub(crate) fn kid(&self) -> KeyThumbprint {
        KeyThumbprint::of(&PublicKey::from(&self.key))
    }

    /// The JSON form without its signature.
    pub(crate) fn unsigned(&self, kind: &str, sub: &str, payload: Value) -> Value {
        let mut cti = [0; 16];
        cti[..8].copy_from_slice(&SERIAL.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let mut form = json!({
            "kind": kind, "iss": self.name, "sub": sub, "iat": NOW, "cti": STANDARD.encode(cti),
            "public_key": self.public_key(),
        });
        form["payload"] = payload;
        if kind == "authorization" {
            (form["aud"], form["nbf"], form["exp"]) = (json!("desk"), json!(NOW), json!(NOW + 60));
        }
        form
    }

    /// The JSON form, signed.
    pub(crate) fn json(&self, kind: &str, sub: &str, payload: Value) -> Value {
        self.sign(self.unsigned(kind, sub, payload))
    }

    /// Signs a JSON form that is right but for the signature.
    pub(crate) fn sign(&self, mut form: Value) -> Value {
        let submission = Submission::parse(form.to_string().as_bytes()).unwrap();
        let signature = self.key.sign(&submission.draft().to_be_signed());
        form["signature"] = json!(STANDARD.encode(signature.to_bytes()));
        form
    }

    /// The exact bytes of a statement.
    pub(crate) fn cose(&self, kind: &str, sub: &str, payload: Value) -> Vec<u8> {
        bytes_of(&self.json(kind, sub, payload))
    }

    /// An intent, no two of them the same.
    pub(crate) fn intent(&self, execution: &str) -> Vec<u8> {
        self.cose("intent", execution, request())
    }

    /// The registration of another signer, to be made by the operator.
    pub(crate) fn registration(&self, of: &Self, roles: &[&str], status: &str) -> Vec<u8> {
        let payload =
            json!({"name": of.name, "public_key": of.public_key(), "roles": roles, "status": status});
        self.cose("issuer", &format!("issuer:{}", of.name), payload)
    }
}

/// The exact bytes of the statement in a signed JSON form.
pub(crate) fn bytes_of(form: &Value) -> Vec<u8> {
    Submission::parse(form.to_string().as_bytes()).unwrap().verify().unwrap().into_bytes()
}

/// Who wants to do what to what.
pub(crate) fn request() -> Value {
    // In the order of RFC 8785, in which members stay.
    let agent = json!({"id": "a", "type": "agent"});
    json!({"action": {"name": "run"}, "resource": {"id": "true", "type": "command"}, "subject": agent})
}

/// A statement part by part, each of which can be wrong.
#[derive(Debug, Clone)]
pub(crate) struct Raw {
    pub(crate) tag: u64,
    pub(crate) algorithm: i64,
    pub(crate) content_type: String,
    pub(crate) kid: Vec<u8>,
    pub(crate) claims: Vec<(i64, Cbor)>,
    pub(crate) unprotected: Vec<(Cbor, Cbor)>,
    pub(crate) payload: Vec<u8>,
}

impl Raw {
    /// A good intent.
    pub(crate) fn intent(signer: &Signer) -> Self {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let payload = serde_json_canonical(&request());
        Self {
            tag: 18,
            algorithm: -8,
            content_type: "application/vnd.countersign.intent+json".to_owned(),
            kid: signer.kid().as_bytes().to_vec(),
            claims: vec![
                (1, Cbor::from(signer.name.as_str())),
                (2, Cbor::from("raw")),
                (6, Cbor::from(NOW)),
                (7, Cbor::Bytes([[0xff; 8], serial].concat())),
            ],
            unprotected: Vec::new(),
            payload,
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn payload(self, json: &str) -> Self {
        self.with(|raw| raw.payload = json.as_bytes().to_vec())
    }

    pub(crate) fn claim(self, key: i64, value: impl Into<Cbor>) -> Self {
        let value = value.into();
        self.with(|raw| {
            raw.claims.retain(|(claim, _)| *claim != key);
            raw.claims.push((key, value));
            raw.claims.sort_by_key(|(claim, _)| *claim);
        })
    }

    pub(crate) fn without_claim(self, key: i64) -> Self {
        self.with(|raw| raw.claims.retain(|(claim, _)| *claim != key))
    }

    /// Signs it as it is.
    pub(crate) fn sign(self, signer: &Signer) -> Vec<u8> {
        let claims = self.claims.into_iter().map(|(key, value)| (Cbor::from(key), value)).collect();
        let protected = encode(&Cbor::Map(vec![
            (Cbor::from(1), Cbor::from(self.algorithm)),
            (Cbor::from(3), Cbor::from(self.content_type)),
            (Cbor::from(4), Cbor::Bytes(self.kid)),
            (Cbor::from(15), Cbor::Map(claims)),
        ]));
        let to_be_signed = encode(&Cbor::Array(vec![
            Cbor::from("Signature1"),
            Cbor::Bytes(protected.clone()),
            Cbor::Bytes(Vec::new()),
            Cbor::Bytes(self.payload.clone()),
        ]));
        let signature = signer.key.sign(&to_be_signed).to_bytes().to_vec();
        let parts = [
            Cbor::Bytes(protected),
            Cbor::Map(self.unprotected),
            Cbor::Bytes(self.payload),
            Cbor::Bytes(signature),
        ];
        encode(&Cbor::Tag(self.tag, Box::new(Cbor::Array(parts.to_vec()))))
    }
}

pub(crate) fn encode(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    coset::cbor::ser::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// The canonical form, for values whose members are written in order and whose texts need no escapes.
fn serde_json_canonical(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
