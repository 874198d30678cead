//! Reading an envelope in the one encoding that it may have.
//!
//! Nearly all bytes that are read are statements as they should be, and for those it takes no CBOR values: one walk
//! from the first byte to the last, in which every byte is either given by the rules or belongs to a value. What
//! this reader takes is deterministic by construction. What it does not take is judged, and explained, by the reader
//! in [`super::envelope`], so a doubt costs time and nothing else.

use std::borrow::Cow;

use super::claims::{ID_LENGTH, RawClaims};
use super::envelope::{Algorithm, Encoded, Envelope, MAX_STATEMENT, TYPE_PREFIX, TYPE_SUFFIX};
use super::key::{KeyThumbprint, Signature};
use super::names::UnixSeconds;

/// The envelope, or `None` when the bytes are not one or are for the other reader to judge.
pub(super) fn read(bytes: &[u8]) -> Option<(Envelope, Encoded)> {
    if bytes.len() > MAX_STATEMENT {
        return None;
    }
    let mut statement = Cursor(bytes);
    // Tag 18, an array of four.
    statement.exactly(&[0xd2, 0x84])?;
    let protected = statement.bytes()?;
    // The empty map.
    statement.exactly(&[0xa0])?;
    let payload = statement.bytes()?;
    let signature = Signature::from_bytes(statement.bytes()?.try_into().ok()?);
    statement.end()?;

    let mut header = Cursor(protected);
    // A map of four; key 1, the algorithm.
    header.exactly(&[0xa4, 0x01])?;
    let algorithm = match header.byte()? {
        0x27 => Algorithm::EdDsa,
        0x32 => Algorithm::Ed25519,
        _ => return None,
    };
    header.exactly(&[0x03])?;
    let kind = header.text()?.strip_prefix(TYPE_PREFIX)?.strip_suffix(TYPE_SUFFIX)?.parse().ok()?;
    header.exactly(&[0x04])?;
    let key_id = KeyThumbprint::from_bytes(header.bytes()?.try_into().ok()?);
    header.exactly(&[0x0f])?;
    let claims = claims(&mut header)?.check(kind).ok()?;
    header.end()?;

    let envelope = Envelope { algorithm, kind, key_id, claims, payload: payload.to_vec(), signature };
    Some((envelope, Encoded { bytes: bytes.to_vec(), protected: protected.to_vec() }))
}

fn claims<'a>(header: &mut Cursor<'a>) -> Option<RawClaims<'a>> {
    let mut raw = RawClaims::default();
    let mut last = 0;
    for _ in 0..header.length(MAP)? {
        let key = header.length(UNSIGNED)?;
        if key <= last {
            return None;
        }
        last = key;
        match key {
            1 => raw.iss = Some(Cow::Borrowed(header.text()?)),
            2 => raw.sub = Some(Cow::Borrowed(header.text()?)),
            3 => raw.aud = Some(Cow::Borrowed(header.text()?)),
            4 => raw.exp = Some(header.seconds()?),
            5 => raw.nbf = Some(header.seconds()?),
            6 => raw.iat = Some(header.seconds()?),
            7 => raw.cti = Some(<[u8; ID_LENGTH]>::try_from(header.bytes()?).ok()?),
            _ => return None,
        }
    }
    Some(raw)
}

/// The bytes that are signed: the `Sig_structure` `["Signature1", protected, h'', payload]`.
pub(crate) fn to_be_signed(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    // An array of four; a text of ten bytes.
    const START: &[u8] = b"\x84\x6aSignature1";
    let mut bytes = Vec::with_capacity(protected.len().saturating_add(payload.len()).saturating_add(32));
    bytes.extend_from_slice(START);
    write_bytes(protected, &mut bytes);
    write_bytes(&[], &mut bytes);
    write_bytes(payload, &mut bytes);
    bytes
}

/// Writes a byte string, its length in the shortest form. No part of a statement is longer than [`MAX_STATEMENT`].
fn write_bytes(string: &[u8], bytes: &mut Vec<u8>) {
    let length = u16::try_from(string.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    match length {
        0..=23 => bytes.push(BYTES | low),
        24..=255 => bytes.extend_from_slice(&[BYTES | 0x18, low]),
        _ => bytes.extend_from_slice(&[BYTES | 0x19, high, low]),
    }
    bytes.extend_from_slice(string);
}

/// The major types of CBOR (RFC 8949 section 3.1) in the upper three bits.
const UNSIGNED: u8 = 0 << 5;
const BYTES: u8 = 2 << 5;
const TEXT: u8 = 3 << 5;
const MAP: u8 = 5 << 5;

/// What is left to read.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn exactly(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// Nothing may follow.
    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    /// The number in the head of a value of this major type, in its shortest form.
    fn length(&mut self, major: u8) -> Option<u64> {
        let (number, least) = match self.byte()?.checked_sub(major)? {
            short @ 0..=23 => return Some(u64::from(short)),
            24 => (u64::from(self.byte()?), 24),
            25 => (u64::from(u16::from_be_bytes(self.take(2)?.try_into().ok()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.take(4)?.try_into().ok()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.take(8)?.try_into().ok()?), 1 << 32),
            _ => return None,
        };
        (number >= least).then_some(number)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length(BYTES)?;
        self.take(usize::try_from(length).ok()?)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = self.length(TEXT)?;
        core::str::from_utf8(self.take(usize::try_from(length).ok()?)?).ok()
    }

    fn seconds(&mut self) -> Option<UnixSeconds> {
        self.length(UNSIGNED).and_then(UnixSeconds::new)
    }
}
