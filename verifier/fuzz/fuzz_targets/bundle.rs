//! A bundle is read or refused; what is read has one encoding. Nobody vouches for what was made up.
#![no_main]

use countersign_verifier::bundle::Bundle;
use countersign_verifier::quorum::Policy;
use countersign_verifier::report::{Answer, check_bundle};
use libfuzzer_sys::fuzz_target;

const POLICY: &[u8] = include_bytes!("../../../tests/vectors/c2sp/policy");

fuzz_target!(|bytes: &[u8]| {
    if let Ok(bundle) = Bundle::parse(bytes) {
        assert_eq!(bundle.to_bytes(), bytes);
    }
    let Ok(policy) = Policy::parse(POLICY) else { panic!("the vector is a policy") };
    assert_ne!(check_bundle(bytes, &policy).answer(), Answer::Holds);
});
