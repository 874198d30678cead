//! A trust policy is read or refused, and holds nothing against a head that nobody signed.
#![no_main]

use countersign_verifier::note::SignedNote;
use countersign_verifier::quorum::Policy;
use libfuzzer_sys::fuzz_target;

const CHECKPOINT: &str = include_str!("../../../tests/vectors/c2sp/log/checkpoint");

fuzz_target!(|bytes: &[u8]| {
    let Ok(policy) = Policy::parse(bytes) else { return };
    let Ok(note) = SignedNote::parse(CHECKPOINT.as_bytes()) else { panic!("the vector is a note") };
    let _ = policy.verify(&note);
    let _ = policy.verify_log(&note);
});
