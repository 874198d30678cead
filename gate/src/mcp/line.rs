//! One message a line, within bounds.

use std::io::{self, BufRead, BufReader, Read, Write};

/// How many bytes a message may have, its end not counted: pictures travel in answers.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// A line, to be passed on as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    text: Vec<u8>,
    end: &'static [u8],
}

impl Line {
    /// A line of ours.
    pub fn new(text: Vec<u8>) -> Self {
        Self { text, end: b"\n" }
    }

    /// What stands in it, without its end.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Writes it, with its end, and sees to it that it gets away.
    pub fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.text)?;
        to.write_all(self.end)?;
        to.flush()
    }
}

/// What comes where a line is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A line.
    Line(Line),
    /// One of more than the limit, which was passed over.
    TooLong,
    /// Bytes without an end, before the stream was closed.
    CutOff,
}

/// Reads lines from a stream.
#[derive(Debug)]
pub struct Lines<R> {
    from: BufReader<R>,
    limit: usize,
}

impl<R: Read> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub fn new(from: R, limit: usize) -> Self {
        Self { from: BufReader::new(from), limit }
    }

    /// The next one; nothing at the end of the stream. Never more than the limit and one buffer is kept in memory.
    pub fn read(&mut self) -> io::Result<Option<Incoming>> {
        let mut text = Vec::new();
        let mut is_too_long = false;
        loop {
            let buffer = match self.from.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok((is_too_long || !text.is_empty()).then_some(Incoming::CutOff));
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            let taken = piece.len().saturating_add(usize::from(end.is_some()));
            // The line may still end in a carriage return, which is not counted.
            is_too_long |= text.len().saturating_add(piece.len()) > self.limit.saturating_add(1);
            if !is_too_long {
                text.extend_from_slice(piece);
            }
            self.from.consume(taken);
            if end.is_some() {
                return Ok(Some(self.whole(text, is_too_long)));
            }
        }
    }

    fn whole(&self, mut text: Vec<u8>, is_too_long: bool) -> Incoming {
        let end: &[u8] = if text.last() == Some(&b'\r') { b"\r\n" } else { b"\n" };
        text.truncate(text.len().saturating_sub(end.len().saturating_sub(1)));
        if is_too_long || text.len() > self.limit {
            Incoming::TooLong
        } else {
            Incoming::Line(Line { text, end })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives out a few bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len()).min(self.0.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn all(bytes: &[u8], limit: usize, drop: usize) -> Vec<Incoming> {
        let mut lines = Lines::new(Drops(bytes, drop), limit);
        std::iter::from_fn(|| lines.read().unwrap()).collect()
    }

    #[test]
    fn a_line_ends_where_it_says() {
        let line = |text: &[u8], end: &'static [u8]| Incoming::Line(Line { text: text.to_vec(), end });
        assert_eq!(all(b"", 4, 1), []);
        assert_eq!(
            all(b"ab\n\r\nc\rd\r\n", 4, 1),
            [line(b"ab", b"\n"), line(b"", b"\r\n"), line(b"c\rd", b"\r\n")]
        );
        assert_eq!(
            all(b"abcd\r\nabcde\nab\n", 4, 3),
            [line(b"abcd", b"\r\n"), Incoming::TooLong, line(b"ab", b"\n")]
        );
        assert_eq!(all(b"a\nb", 4, 1), [line(b"a", b"\n"), Incoming::CutOff]);
        assert_eq!(all(b"abcdefgh", 4, 1), [Incoming::CutOff]);
    }

    proptest! {
        /// Whatever the bytes and however they come, what is read is written as it was, and nothing beyond its bound.
        #[test]
        fn lines_are_passed_on_byte_for_byte(bytes in prop::collection::vec(prop::sample::select(&b"ab\r\n"[..]), 0..40), limit in 1_usize..6, drop in 1_usize..9) {
            let mut written = Vec::new();
            let mut expected = Vec::new();
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                let text = piece.strip_suffix(b"\n").map(|text| text.strip_suffix(b"\r").unwrap_or(text));
                if text.is_some_and(|text| text.len() <= limit) {
                    expected.extend_from_slice(piece);
                }
            }
            for read in all(&bytes, limit, drop) {
                if let Incoming::Line(line) = read {
                    prop_assert!(line.text().len() <= limit);
                    line.write_to(&mut written).unwrap();
                }
            }
            prop_assert_eq!(written, expected);
        }
    }
}
