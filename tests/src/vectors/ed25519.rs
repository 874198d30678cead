//! Ed25519, where implementations disagree: small order, second spellings, mixed order, the range of S.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::keys::signing_key;
use super::{Case, File, base64};

/// The group order `L`, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

pub(super) fn file() -> File {
    let mut cases = honest();
    cases.extend(keys());
    cases.extend(signatures());
    cases.extend(mixed_order());
    File {
        name: "ed25519",
        about: "Is this a key that signatures can be judged by, and does the signature hold, strictly?",
        cases,
    }
}

fn input(key: &[u8], message: &[u8], signature: &[u8]) -> Value {
    json!({"public_key": base64(key), "message": super::bytes(message), "signature": base64(signature)})
}

fn case(name: impl Into<String>, input: Value, key: bool, signature: bool) -> Case {
    let expect = json!({"key": key, "signature": signature});
    if signature { Case::good(name, input, expect) } else { Case::bad(name, input, expect) }
}

fn honest() -> Vec<Case> {
    let messages: [(&str, &[u8]); 3] = [("no bytes", b""), ("a text", b"message"), ("bytes", &[0xff; 100])];
    let key = signing_key(1);
    let public = key.verifying_key();
    messages
        .into_iter()
        .map(|(name, message)| {
            let signature = key.sign(message).to_bytes();
            case(
                format!("an honest signature over {name}"),
                input(public.as_bytes(), message, &signature),
                true,
                true,
            )
        })
        .collect()
}

/// Keys that no verifier should take. The signature is one that a lenient verifier accepts under a key of small order.
fn keys() -> Vec<Case> {
    let mut signature = [0; 64];
    signature[0] = 1;
    let mut cases = Vec::new();
    for (at, point) in EIGHT_TORSION.iter().enumerate() {
        let key = point.compress().to_bytes();
        cases.push(case(
            format!("point {at} of small order as key"),
            input(&key, b"message", &signature),
            false,
            false,
        ));
    }
    let spelled = |lowest: u8, sign: u8| {
        let mut key = [0xff; 32];
        key[0] = lowest;
        key[31] = 0x7f | sign;
        key
    };
    let mut identity_negative = [0; 32];
    identity_negative[0] = 1;
    identity_negative[31] = 0x80;
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    for (name, key) in [
        ("the identity with the sign of x set", identity_negative),
        ("y = p, a second spelling of 0", spelled(0xed, 0)),
        ("y = p + 1, a second spelling of the identity", spelled(0xee, 0)),
        ("y = p + 1 with the sign of x set", spelled(0xee, 0x80)),
        ("y = p + 3, a second spelling of an ordinary point", spelled(0xf0, 0)),
        ("y = 2^255 - 1", spelled(0xff, 0)),
        ("y = 2, which is no point of the curve", off_curve),
    ] {
        cases.push(case(name, input(&key, b"message", &signature), false, false));
    }
    for (name, length) in [("31 bytes", 31), ("33 bytes", 33), ("no bytes", 0)] {
        let key = vec![9; length];
        cases.push(case(format!("a key of {name}"), input(&key, b"message", &signature), false, false));
    }
    cases
}

fn signatures() -> Vec<Case> {
    let key = signing_key(1);
    let public = key.verifying_key().to_bytes();
    let good = key.sign(b"message").to_bytes();
    let changed = |at: usize, bit: u8| {
        let mut signature = good;
        signature[at] ^= bit;
        signature.to_vec()
    };
    let mut beyond = good;
    add_order(&mut beyond);
    let mut off_curve = good;
    off_curve[..32].copy_from_slice(&[0; 32]);
    off_curve[0] = 2;
    let bad = |name: &str, message: &[u8], signature: &[u8]| {
        case(name, input(&public, message, signature), true, false)
    };
    vec![
        bad("another message", b"massage", &good),
        bad("a bit of R changed", b"message", &changed(0, 1)),
        bad("the sign of R changed", b"message", &changed(31, 0x80)),
        bad("a bit of S changed", b"message", &changed(32, 1)),
        bad("the highest bit of S set", b"message", &changed(63, 0x80)),
        bad("S + L in place of S", b"message", &beyond),
        bad("R is no point of the curve", b"message", &off_curve),
        bad("64 zero bytes", b"message", &[0; 64]),
        bad("63 bytes", b"message", &good[..63]),
        bad("65 bytes", b"message", &[&good[..], &[0]].concat()),
        bad("no bytes", b"message", &[]),
    ]
}

/// Adds the group order to the S of a signature: another number for the same scalar.
fn add_order(signature: &mut [u8; 64]) {
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).expect("one byte");
        carry = sum >> 8;
    }
}

/// Points with a part of small order, for which the equation with and without the cofactor part ways.
fn mixed_order() -> Vec<Case> {
    let secret = Scalar::from_bytes_mod_order([3; 32]);
    let nonce = Scalar::from_bytes_mod_order([5; 32]);
    let (pure, torsion) = (secret * ED25519_BASEPOINT_POINT, EIGHT_TORSION[1]);
    let mixed = pure + torsion;
    let sign = |key: EdwardsPoint, r: EdwardsPoint, nonce: Scalar, message: &[u8]| {
        let s = nonce + challenge(r, key, message) * secret;
        [r.compress().to_bytes(), s.to_bytes()].concat()
    };
    let (r, zero) = (nonce * ED25519_BASEPOINT_POINT, Scalar::ZERO);
    let identity = EIGHT_TORSION[0];
    let mut cases = Vec::new();
    let mut push = |name: &str, key: EdwardsPoint, message: &[u8], signature: &[u8], holds: bool| {
        cases.push(case(name, input(key.compress().as_bytes(), message, signature), true, holds));
    };
    push("an ordinary key and R", pure, b"message", &sign(pure, r, nonce, b"message"), true);
    push(
        "R the identity, which satisfies the equation",
        pure,
        b"message",
        &sign(pure, identity, zero, b"message"),
        false,
    );
    push("R of order 8", pure, b"message", &sign(pure, torsion, zero, b"message"), false);
    let with_part = r + torsion;
    push("R with a part of order 8", pure, b"message", &sign(pure, with_part, nonce, b"message"), false);
    // Under a key with a part of order 8 the equation holds for the messages whose challenge is a multiple of 8.
    let message = |wanted: bool| {
        let messages = (0_u32..).map(|number| format!("message {number}"));
        let found = messages.take(1000).find(|message| {
            let lowest = challenge(r, mixed, message.as_bytes()).to_bytes()[0];
            (lowest.trailing_zeros() >= 3) == wanted
        });
        found.expect("one message in eight will do")
    };
    let (multiple, other) = (message(true), message(false));
    push(
        "a key of mixed order, the equation holds",
        mixed,
        multiple.as_bytes(),
        &sign(mixed, r, nonce, multiple.as_bytes()),
        true,
    );
    push(
        "a key of mixed order, it holds only times the cofactor",
        mixed,
        other.as_bytes(),
        &sign(mixed, r, nonce, other.as_bytes()),
        false,
    );
    cases
}

/// `SHA-512(R || A || M)` as a scalar (RFC 8032 section 5.1.7).
fn challenge(r: EdwardsPoint, key: EdwardsPoint, message: &[u8]) -> Scalar {
    let mut hasher = Sha512::new();
    hasher.update(r.compress().as_bytes());
    hasher.update(key.compress().as_bytes());
    hasher.update(message);
    Scalar::from_bytes_mod_order_wide(&hasher.finalize().into())
}
