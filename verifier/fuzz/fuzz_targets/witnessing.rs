//! What log and witness send each other prints as it was read.
#![no_main]

use countersign_verifier::witnessing::{AddCheckpoint, parse_size_body};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(size) = parse_size_body(bytes) {
        assert_eq!(format!("{size}\n").as_bytes(), bytes);
    }
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
});
