//! The one place where texts become numbers and bytes: canonical forms only, so that every value has one spelling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Standard base64 with padding, refusing every non-canonical spelling.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Standard base64 with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Standard base64 with padding, at the end of a text.
pub(crate) fn push_base64(bytes: &[u8], text: &mut String) {
    STANDARD.encode_string(bytes, text);
}

/// The lowercase hex of 32 bytes.
pub(crate) fn to_lower_hex<'a>(bytes: &[u8; 32], text: &'a mut [u8; 64]) -> &'a str {
    // Both lengths are fixed and fit, and hex digits are ASCII: neither step can fail.
    let written = hex::encode_to_slice(bytes, text);
    written.ok().and_then(|()| core::str::from_utf8(text).ok()).unwrap_or_default()
}

/// Lowercase hex.
pub(crate) fn from_lower_hex(text: &str) -> Option<Vec<u8>> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    hex::decode(text).ok()
}

/// ASCII decimal without sign or leading zeros.
pub(crate) fn from_decimal(text: &str) -> Option<u64> {
    let canonical = match text.as_bytes() {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    if canonical { text.parse().ok() } else { None }
}

/// The first position at which two byte strings differ; the length of the shorter one when it begins the other.
pub(crate) fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    if left == right {
        return None;
    }
    let common = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    Some(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_is_read() {
        for text in ["", "+1", "-1", "01", "00", " 1", "1 ", "0x1", "18446744073709551616", "１"] {
            assert_eq!(from_decimal(text), None, "{text:?}");
        }
        assert_eq!(from_decimal("0"), Some(0));
        assert_eq!(from_decimal("18446744073709551615"), Some(u64::MAX));
        // Trailing bits, missing padding, line breaks, the URL alphabet.
        for text in ["AB==", "AA", "AA=", "AAA\n", "A A=", "_-8="] {
            assert_eq!(from_base64(text), None, "{text:?}");
        }
        assert_eq!(from_base64("AA=="), Some(vec![0]));
        assert_eq!(from_lower_hex("AA"), None);
        assert_eq!(from_lower_hex("aa"), Some(vec![0xaa]));
    }
}
