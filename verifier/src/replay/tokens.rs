//! The words of Cedar's two languages, as far as telling apart what nests from what does not takes them.

/// A word. What neither nests nor joins nor names is left out: white space, comments, numbers, `@`, and octets that
/// Cedar's lexer refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An opening bracket, by the one that closes it.
    Open(u8),
    Close(u8),
    /// An identifier or keyword.
    Name(&'a [u8]),
    /// A string literal.
    Text,
    Comma,
    Semicolon,
    Colon,
    /// `::`
    Path,
    /// `&&` or `||`
    Link,
    /// Any other octet that operators are made of.
    Operator(u8),
}

/// The words of a text, in their order. It cuts a text as Cedar's lexer does, up to the first place that it refuses.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a>(&'a [u8]);

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.as_bytes())
    }

    /// Takes octets as long as they are such.
    fn take_while(&mut self, such: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !such(*byte)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// Takes the rest of a string literal. A backslash takes the next octet with it: of a longer character the others
    /// are no quotes.
    fn finish_text(&mut self) {
        while let [first, rest @ ..] = self.0 {
            self.0 = rest;
            match first {
                b'"' => return,
                b'\\' => self.0 = rest.get(1..).unwrap_or_default(),
                _ => {}
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let whole = self.0;
            let (first, rest) = whole.split_first()?;
            self.0 = rest;
            let doubled = rest.first() == Some(first);
            return Some(match first {
                b'(' => Token::Open(b')'),
                b'[' => Token::Open(b']'),
                b'{' => Token::Open(b'}'),
                b')' | b']' | b'}' => Token::Close(*first),
                b',' => Token::Comma,
                b';' => Token::Semicolon,
                b'"' => {
                    self.finish_text();
                    Token::Text
                }
                b'/' if doubled => {
                    self.take_while(|byte| !matches!(byte, b'\n' | b'\r'));
                    continue;
                }
                b':' | b'&' | b'|' if doubled => {
                    self.0 = rest.get(1..).unwrap_or_default();
                    if *first == b':' { Token::Path } else { Token::Link }
                }
                b':' => Token::Colon,
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                    self.0 = whole;
                    Token::Name(self.take_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric()))
                }
                b'!' | b'-' | b'+' | b'*' | b'/' | b'%' | b'.' | b'<' | b'>' | b'=' | b'&' | b'|' | b'?' => {
                    Token::Operator(*first)
                }
                _ => continue,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_are_none() {
        let text = "a // ( [ \"\r(\"([{\\\"\" \"é\\\\\" ::|| / \"\\é(";
        let expected = [
            Token::Name(b"a"),
            Token::Open(b')'),
            Token::Text,
            Token::Text,
            Token::Path,
            Token::Link,
            Token::Operator(b'/'),
            Token::Text,
        ];
        assert_eq!(Tokens::of(text).collect::<Vec<_>>(), expected);
    }
}
