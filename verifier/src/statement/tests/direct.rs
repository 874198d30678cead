//! The direct reader takes nothing that the other one refuses, and reads the same from what both take.

use coset::{Header, ProtectedHeader, SignatureContext, sig_structure_data};
use proptest::prelude::*;

use super::*;
use crate::statement::direct;
use crate::statement::envelope::Envelope;

/// Both readers on the same bytes: the direct one may leave it to the other, and that is all it may.
fn agree(bytes: &[u8]) -> bool {
    let judged = Envelope::judge(bytes);
    let direct = direct::read(bytes);
    if let Some(direct) = &direct {
        assert_eq!(Ok(direct), judged.as_ref());
    }
    direct.is_some()
}

#[test]
fn every_sample_is_read_directly() {
    for kind in Kind::ALL {
        assert!(agree(sample(*kind).statement().bytes()), "{kind}");
        let bytes = around(*kind, &[b'x'; 300]);
        assert!(agree(&bytes), "{kind} with a longer payload");
    }
}

#[test]
fn no_changed_byte_divides_the_readers() {
    for kind in [Kind::Authorization, Kind::Genesis, Kind::Close] {
        let bytes = sample(kind).into_bytes();
        // Up to the payload every byte has a meaning of its own.
        let header = bytes.len() - sample(kind).statement().payload_json().len() - 64;
        for at in (0..header).chain([bytes.len() - 66, bytes.len() - 65, bytes.len() - 1]) {
            for value in 0..=u8::MAX {
                let mut changed = bytes.clone();
                changed[at] = value;
                agree(&changed);
            }
            let mut shorter = bytes.clone();
            shorter.remove(at);
            agree(&shorter);
            let mut longer = bytes.clone();
            longer.insert(at, longer[at]);
            agree(&longer);
        }
        for length in 0..bytes.len() {
            assert!(!agree(&bytes[..length]));
        }
    }
}

#[test]
fn what_is_signed_is_what_the_cose_library_says() {
    for length in [0, 23, 24, 255, 256, 60_000] {
        let (protected, payload) = (vec![1; length], vec![2; 65_535 - length]);
        let verbatim = ProtectedHeader { original_data: Some(protected.clone()), header: Header::default() };
        let expected = sig_structure_data(SignatureContext::CoseSign1, verbatim, None, &[], &payload);
        assert_eq!(to_be_signed(&protected, &payload), expected, "{length}");
    }
}

proptest! {
    #[test]
    fn any_splice_is_read_alike(
        kind in prop::sample::select(Kind::ALL), at: prop::sample::Index, length in 0..6_usize, new: Vec<u8>,
    ) {
        let mut bytes = sample(kind).into_bytes();
        let start = at.index(bytes.len());
        let end = (start + length).min(bytes.len());
        bytes.splice(start..end, new);
        agree(&bytes);
    }
}
