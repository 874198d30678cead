//! A receipt is written as it was read, and shows nothing under a key that did not sign it.
#![no_main]

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::receipt::Receipt;
use libfuzzer_sys::fuzz_target;

/// The first test vector of RFC 8032: nobody signs receipts with it.
const KEY: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72,
    0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];

fuzz_target!(|bytes: &[u8]| {
    let Ok(receipt) = Receipt::parse(bytes) else { return };
    assert_eq!(receipt.to_bytes().as_deref(), Ok(bytes));
    let Ok(key) = PublicKey::from_bytes(&KEY) else { panic!("the vector is a key") };
    assert!(receipt.verify(LeafHash::of(b"no entry of that log"), &key).is_err());
});
