//! Keys print as they were read.
#![no_main]

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::note::VerifierKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = PublicKey::from_bytes(bytes);
    if let Ok(text) = core::str::from_utf8(bytes)
        && let Ok(key) = text.parse::<VerifierKey>()
    {
        assert_eq!(key.to_string(), text);
    }
});
