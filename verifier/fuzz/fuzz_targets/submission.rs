//! The JSON form of a statement is read or refused; the statement that is built of it is well-formed.
#![no_main]

use countersign_verifier::statement::{Statement, Submission};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(submission) = Submission::parse(bytes) else { return };
    let unsigned = submission.draft().statement().bytes().to_vec();
    assert!(Statement::parse(&unsigned).is_ok());
    let _ = submission.verify();
});
