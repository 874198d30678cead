//! A proof prints as it was read, and proves nothing under keys that did not sign it.
#![no_main]

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::proof::TlogProof;
use countersign_verifier::quorum::Policy;
use libfuzzer_sys::fuzz_target;

const POLICY: &[u8] = include_bytes!("../../../tests/vectors/c2sp/policy");

fuzz_target!(|bytes: &[u8]| {
    let Ok(proof) = TlogProof::parse(bytes) else { return };
    assert_eq!(proof.to_string().as_bytes(), bytes);
    let Ok(policy) = Policy::parse(POLICY) else { panic!("the vector is a policy") };
    assert!(proof.verify(LeafHash::of(b"no entry of that log"), &policy).is_err());
});
