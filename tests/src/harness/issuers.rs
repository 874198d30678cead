//! Issuers, registered the short way: by a statement of the operator, straight to the log.

use countersign_verifier::program::keyfile;
use countersign_verifier::statement::{ExecutionId, IssuerName, Kind, Subject};
use serde_json::json;

use super::{System, post};
use crate::statements::{Issuer, random};

/// A name.
pub fn issuer_name(name: &str) -> IssuerName {
    name.parse().expect("tests use names that are names")
}

/// An execution id that no other test has.
pub fn execution(name: &str) -> ExecutionId {
    let number = u64::from_be_bytes(random().expect("the system gives random bytes"));
    format!("test:{name}-{number:016x}").parse().expect("tests use ids that are ids")
}

/// The operator of a log, with the key that its `init` wrote.
pub fn operator(system: &System) -> Issuer {
    let key = keyfile::read_signing_key(&system.log.data().join("operator.pem")).expect("init wrote the key");
    Issuer::new(issuer_name("operator"), key)
}

/// Registers a new key under `name`, and waits until the registration is cosigned.
#[track_caller]
pub fn register(system: &System, name: &str, roles: &[&str]) -> Issuer {
    let issuer = Issuer::generate(issuer_name(name)).expect("the system gives random bytes");
    let operator = operator(system);
    let payload = json!({
        "name": name,
        "public_key": base64(issuer.public_key().as_bytes()),
        "roles": roles,
        "status": "active",
    });
    let claims = operator.claims(Subject::Issuer(issuer_name(name))).expect("claims");
    let statement = operator.sign(Kind::Issuer, claims, payload).expect("a well-formed registration");
    let answer = post(system.log.url(), "/entries", "application/cose", statement.into_bytes());
    assert_eq!(answer.status.as_u16(), 201, "{}", String::from_utf8_lossy(&answer.body));
    issuer
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
