//! A payload is read or refused; what is read is in RFC 8785 form already.
#![no_main]

use countersign_verifier::statement::read_payload;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_payload(bytes);
});
