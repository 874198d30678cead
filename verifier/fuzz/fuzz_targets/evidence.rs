//! Evidence is read or refused; what is read has one encoding. What was made up convicts nobody.
#![no_main]

use countersign_verifier::evidence::Evidence;
use countersign_verifier::quorum::Policy;
use libfuzzer_sys::fuzz_target;

const POLICY: &[u8] = include_bytes!("../../../tests/vectors/c2sp/policy");

fuzz_target!(|bytes: &[u8]| {
    let Ok(evidence) = Evidence::parse(bytes) else { return };
    assert_eq!(evidence.to_bytes(), bytes);
    let Ok(policy) = Policy::parse(POLICY) else { panic!("the vector is a policy") };
    assert!(evidence.verify(&policy).is_err());
});
