//! A statement is read or refused; what is read has one encoding, which is what was read.
#![no_main]

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::statement::Statement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(statement) = Statement::parse(bytes) else { return };
    assert_eq!(statement.bytes(), bytes);
    assert_eq!(Statement::parse(statement.bytes()).as_ref(), Ok(&statement));
    // The base point: a key that signed nothing of this.
    let mut key = [0x66; 32];
    key[0] = 0x58;
    if let Ok(key) = PublicKey::from_bytes(&key) {
        assert!(statement.verify(&key).is_err());
    }
});
