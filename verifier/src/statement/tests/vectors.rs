//! Bytes that others published, and bytes of our own that must never change.

use coset::{CborSerializable as _, CoseKeyBuilder, iana};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::statement::envelope::Encoded;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

#[test]
fn the_thumbprint_is_that_of_rfc_9679() {
    let thumbprint = |key: CoseKeyBuilder| hex::encode(Sha256::digest(key.build().to_vec().unwrap()));
    // The example of RFC 9679 section 6, to show that the construction is the right one ...
    let x = bytes::<32>("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d");
    let y = bytes::<32>("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c");
    let example = CoseKeyBuilder::new_ec2_pub_key(iana::EllipticCurve::P_256, x.to_vec(), y.to_vec());
    assert_eq!(thumbprint(example), "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec");
    // ... and the same construction for an Ed25519 key.
    let x = public_key().as_bytes().to_vec();
    let okp = CoseKeyBuilder::new_okp_key()
        .param(iana::OkpKeyParameter::Crv as i64, (iana::EllipticCurve::Ed25519 as i64).into())
        .param(iana::OkpKeyParameter::X as i64, x.into());
    assert_eq!(KeyThumbprint::of(&public_key()).to_string(), thumbprint(okp));
}

/// `eddsa-sig-01` of the COSE working group's examples.
#[test]
fn the_bytes_to_sign_are_those_of_the_cose_examples() {
    let encoded = Encoded { bytes: Vec::new(), protected: bytes::<5>("a201270300").to_vec() };
    let to_be_signed = encoded.to_be_signed(b"This is the content.");
    assert_eq!(
        hex::encode(&to_be_signed),
        "846a5369676e61747572653145a2012703004054546869732069732074686520636f6e74656e742e"
    );
    let key = bytes::<32>("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    let signature = bytes::<64>(
        "7142fd2ff96d56db85bee905a76ba1d0b7321a95c8c4d3607c5781932b7afb8711497dfa751bf40b58b3bcc32300b1487f3db34\
         085eef013bf08f4a44d6fef0d",
    );
    let key = PublicKey::from_bytes(&key).unwrap();
    assert_eq!(key.verify(&to_be_signed, &signature), Ok(()));
}

/// A signed statement of another SCITT profile: its signature holds, but it is none of ours.
#[test]
fn statements_of_other_profiles_are_refused() {
    let statement = hex::decode(concat!(
        "d284586ea303706170706c69636174696f6e2f6a736f6e0fa201782768747470733a2f2f746573742d766563746f72732e",
        "73636974742d636f73652e696e76616c696402782a75726e3a73636974742d636f73653a746573742d766563746f72733a",
        "76313a76616c69642d65646473610127a058627b226e6f7465223a20226f7061717565207061796c6f6164205c75323031",
        "342073636974742d636f736520747265617473207468657365206279746573206173206f7061717565222c202276656374",
        "6f72223a202276616c69642d6564647361227d58400856c75083c6184fdb327efabb1ae3b1d004c74fd9478387c49757dc",
        "5dd92f925dbb94aa35bd12c930bff65d45b8b7434cc8dd188e87ddbba318bc45aa74b602"
    ))
    .unwrap();
    let protected = statement[4..4 + 0x6e].to_vec();
    let payload = &statement[4 + 0x6e + 3..statement.len() - 66];
    let to_be_signed = Encoded { bytes: Vec::new(), protected }.to_be_signed(payload);
    let key = PublicKey::from_bytes(&bytes::<32>(
        "39d22e412669902afef9aed01a1ed170eede67070e3cf6498789fe60b5fe3164",
    ))
    .unwrap();
    let signature = statement.last_chunk().unwrap();
    assert_eq!(key.verify(&to_be_signed, signature), Ok(()));
    assert_eq!(Statement::parse(&statement).unwrap_err().code(), "cose-malformed");
}

/// The whole format at once, part by part.
#[test]
fn a_statement_is_these_bytes() {
    let close = sample(Kind::Close);
    let payload = format!(r#"{{"entries":6,"refs":{{"outcome":"{ENTRY}"}}}}"#);
    let mut claims = vec![0xa4, 0x01, 0x68];
    claims.extend(b"operator");
    claims.extend([0x02, 0x6b]);
    claims.extend(b"run/2026-01");
    claims.extend([0x06, 0x1a, 0x6b, 0x49, 0xd2, 0x00, 0x07, 0x50]);
    claims.extend(b"0123456789abcdef");
    let mut protected = vec![0xa4, 0x01, 0x27, 0x03, 0x78, 0x26];
    protected.extend(b"application/vnd.countersign.close+json");
    protected.extend([0x04, 0x58, 0x20]);
    protected.extend(KeyThumbprint::of(&public_key()).as_bytes());
    protected.push(0x0f);
    protected.extend(&claims);

    let length = |n: usize| [0x58, u8::try_from(n).unwrap()];
    let mut expected = vec![0xd2, 0x84];
    expected.extend(length(protected.len()));
    expected.extend(&protected);
    expected.push(0xa0);
    expected.extend(length(payload.len()));
    expected.extend(payload.as_bytes());
    expected.extend(length(64));
    expected.extend(close.statement().signature().as_bytes());
    assert_eq!(hex::encode(close.statement().bytes()), hex::encode(&expected));

    let mut to_be_signed = vec![0x84, 0x6a];
    to_be_signed.extend(b"Signature1");
    to_be_signed.extend(length(protected.len()));
    to_be_signed.extend(&protected);
    to_be_signed.push(0x40);
    to_be_signed.extend(length(payload.len()));
    to_be_signed.extend(payload.as_bytes());
    assert_eq!(hex::encode(close.statement().to_be_signed()), hex::encode(&to_be_signed));
    assert_eq!(close.entry_id(), crate::merkle::LeafHash::of(&expected));
}

/// Entry ids of one statement of each kind: if one changes, the format changed.
#[test]
fn the_format_has_not_changed() {
    let ids: Vec<String> =
        Kind::ALL.iter().map(|kind| format!("{kind} {}", sample(*kind).entry_id())).collect();
    assert_eq!(ids, FROZEN);
}

/// Made by a second implementation in another language.
const FROZEN: [&str; 10] = [
    "genesis 274f5429486bfef978d0ced197d7c46162ff6c6508d855a2dc961b3686756556",
    "issuer 199d0f63b51d3ee0f54c4c1327a2c38009b6b6c0307564eca13c19612ee4b4bb",
    "policy 5766c5c8b5817ac832611cd6b542d319654f46918b9b1357e13a666500db6d03",
    "intent 240e84d3c61dedaf4dc650c61b6e419f5d5c4c5f52fa1e5f94799935f3c00427",
    "decision 3d54a042ee8feb75946bac777edba20ef44b342ea8c8fccd43dadb01bfdf2d0b",
    "authorization 21b782ccfd86847e88eaa91dbd7a3d2f46b4e03ecfd01613c7f39dfa5c7c3119",
    "verification d1ff9139f02a28d8f2280689f8274a7645a3a36032e5e93eaf9af777d0b4f77c",
    "outcome 76ecf2664f1e8eb37cb0c9a07ba272aca458286706ed052f12f5ea06118ddb7c",
    "enforcement 24d8565ba9b9152ee829813f99db949089818b27d0b9ce2b5bd20a0e56ba7c36",
    "close 1e05152ce6b7645f8c676f82658cfec345334cbbe644df95d84a89853337e9e5",
];
