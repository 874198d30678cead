//! Notes and checkpoints print as they were read.
#![no_main]

use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::note::{SignedNote, parse_signature_lines};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = core::str::from_utf8(bytes) {
        if let Ok(lines) = parse_signature_lines(text) {
            let printed: String = lines.iter().map(ToString::to_string).collect();
            assert_eq!(printed, text);
        }
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_string(), text);
        }
    }
    if let Ok(note) = SignedNote::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
    }
});
