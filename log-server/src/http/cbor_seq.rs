//! Telling the items of a CBOR sequence (RFC 8742) apart, without understanding them.

/// Why bytes cannot be told apart into items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SequenceError {
    /// The bytes end inside of an item.
    #[error("the item that begins at byte {start} does not end")]
    Truncated {
        /// Where the item begins, from 0.
        start: usize,
    },
    /// A head that no item of definite length has.
    #[error("byte {at} is 0x{byte:02x}, which begins no CBOR item of definite length")]
    Head {
        /// Where, from 0.
        at: usize,
        /// The byte found.
        byte: u8,
    },
}

/// Splits a sequence into its items. How many there may be is the caller's to bound: it stops asking.
pub(super) fn items(bytes: &[u8]) -> Items<'_> {
    Items { bytes, at: 0, broken: false }
}

/// The items of a sequence, until its end or the first error.
#[derive(Debug)]
pub(super) struct Items<'a> {
    bytes: &'a [u8],
    at: usize,
    broken: bool,
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<&'a [u8], SequenceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty() && !self.broken)?;
        let start = self.at;
        let mut reader = Reader { rest, at: start };
        let item = reader.skip_item().and_then(|()| {
            self.at = reader.at;
            self.bytes.get(start..reader.at).ok_or(Broken::End)
        });
        Some(item.map_err(|broken| {
            self.broken = true;
            match broken {
                Broken::End => SequenceError::Truncated { start },
                Broken::Head { at, byte } => SequenceError::Head { at, byte },
            }
        }))
    }
}

enum Broken {
    End,
    Head { at: usize, byte: u8 },
}

/// Walks over bytes item by item.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// Begins at the first byte.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, at: 0 }
    }

    /// Reads the head of an item: its major type and its argument.
    pub(super) fn head(&mut self) -> Option<(u8, u64)> {
        self.read_head().ok()
    }

    /// Reads an item that is a string of this major type: 2 for bytes, 3 for text.
    pub(super) fn string(&mut self, major: u8) -> Option<&'a [u8]> {
        match self.read_head().ok()? {
            (found, length) if found == major => self.take(length).ok(),
            _ => None,
        }
    }

    /// Passes over one item and all that is inside of it.
    pub(super) fn skip(&mut self) -> Option<()> {
        self.skip_item().ok()
    }

    /// It counts what is still to come instead of descending, so no nesting can exhaust the stack; the count is
    /// bounded by the bytes, for each item takes at least one.
    fn skip_item(&mut self) -> Result<(), Broken> {
        let mut to_come: u64 = 1;
        while to_come > 0 {
            to_come = to_come.saturating_sub(1);
            let (major, argument) = self.read_head()?;
            let inside = match major {
                2 | 3 => {
                    self.take(argument)?;
                    0
                }
                4 => argument,
                5 => argument.saturating_mul(2),
                6 => 1,
                _ => 0,
            };
            to_come = to_come.saturating_add(inside);
            if to_come > self.rest.len() as u64 {
                return Err(Broken::End);
            }
        }
        Ok(())
    }

    fn read_head(&mut self) -> Result<(u8, u64), Broken> {
        let at = self.at;
        let byte = *self.take(1)?.first().ok_or(Broken::End)?;
        let (major, short) = (byte >> 5, byte & 0x1f);
        let argument = match short {
            0..=23 => u64::from(short),
            24..=27 => self.take(1 << (short - 24))?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
            _ => return Err(Broken::Head { at, byte }),
        };
        Ok((major, argument))
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], Broken> {
        let count = usize::try_from(count).map_err(|_| Broken::End)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Broken::End)?;
        self.rest = rest;
        self.at = self.at.saturating_add(count);
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use coset::cbor::value::Value;
    use proptest::prelude::*;

    fn split(bytes: &[u8]) -> Result<Vec<Vec<u8>>, SequenceError> {
        items(bytes).map(|item| item.map(<[u8]>::to_vec)).collect()
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
            ".{0,40}".prop_map(Value::Text),
        ];
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                prop::collection::vec((inner.clone(), inner.clone()), 0..4).prop_map(Value::Map),
                (any::<u64>(), inner).prop_map(|(tag, inner)| Value::Tag(tag, Box::new(inner))),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_end_where_a_full_reader_says_they_end(values in prop::collection::vec(value(), 0..6)) {
            let items: Vec<Vec<u8>> = values
                .iter()
                .map(|value| {
                    let mut item = Vec::new();
                    coset::cbor::ser::into_writer(value, &mut item).unwrap();
                    item
                })
                .collect();
            let sequence = items.concat();
            prop_assert_eq!(split(&sequence), Ok(items.clone()));
            // Cut anywhere but between two items, it is no sequence any more.
            if let Some(last) = items.last() {
                let start = sequence.len() - last.len();
                for end in start + 1..sequence.len() {
                    prop_assert_eq!(split(&sequence[..end]), Err(SequenceError::Truncated { start }));
                }
            }
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut read = 0;
            for item in items(&bytes).flatten() {
                prop_assert!(!item.is_empty());
                read += item.len();
            }
            prop_assert!(read <= bytes.len());
        }
    }

    #[test]
    fn lengths_beyond_the_bytes_are_refused_at_once() {
        // An array of 2^64-1 items, a byte string of as many bytes, arrays in arrays without end.
        assert_eq!(split(&[&[0x9b][..], &[0xff; 8]].concat()), Err(SequenceError::Truncated { start: 0 }));
        assert_eq!(split(&[&[0x5b][..], &[0xff; 8]].concat()), Err(SequenceError::Truncated { start: 0 }));
        assert_eq!(split(&[0x81; 1000]), Err(SequenceError::Truncated { start: 0 }));
        assert_eq!(split(&[0x01, 0x9f, 0xff]), Err(SequenceError::Head { at: 1, byte: 0x9f }));
        assert_eq!(split(&[0x01, 0xff]), Err(SequenceError::Head { at: 1, byte: 0xff }));
    }
}
