//! A statement is read or refused; what is read has one encoding, which is what was read: an encoder that knows nothing
//! of our readers writes the same bytes.
#![no_main]

use coset::{CoseSign1, TaggedCborSerializable as _};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::statement::Statement;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(statement) = Statement::parse(bytes) else { return };
    assert_eq!(statement.bytes(), bytes);
    assert_eq!(Statement::parse(statement.bytes()).as_ref(), Ok(&statement));
    let mut cose = CoseSign1::from_tagged_slice(bytes).unwrap();
    cose.protected.original_data = None;
    assert_eq!(cose.to_tagged_vec().unwrap(), bytes);
    // The base point: a key that signed nothing of this.
    let mut key = [0x66; 32];
    key[0] = 0x58;
    if let Ok(key) = PublicKey::from_bytes(&key) {
        assert!(statement.verify(&key).is_err());
    }
});
