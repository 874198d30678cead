//! How deep a text nests. Cedar reads, compares and drops what it read by recursion, and leaves off evaluating once the
//! stack runs low: a text that is deep enough ends the process, or comes to another verdict where the stack is smaller.

use super::tokens::{Token, Tokens};

/// How many brackets may be open at once. Cedar's parser takes about 16 KiB of stack for each.
pub(super) const MAX_NESTING: usize = 64;
/// How deep an expression may be, in operators and brackets. Evaluating takes about 4 KiB of stack for each, and Cedar
/// goes on as long as 100 KiB are left: that is enough on the 2 MiB that threads have, so the verdict is the same on all.
pub(super) const MAX_DEPTH: usize = 256;

/// What is wrong with how a text nests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum DepthError {
    #[error("has too many brackets open at once, expected at most {MAX_NESTING}")]
    Nesting,
    #[error("has too many operators and brackets within each other, expected at most {MAX_DEPTH}")]
    Depth,
    #[error("closes a bracket that is not the one open")]
    Bracket,
}

/// An open bracket, or the text as a whole, and how deep is what was seen in it.
#[derive(Debug, Default)]
struct Level {
    /// What closes it.
    closing: u8,
    /// Each `if` takes all that comes behind it into itself.
    ifs: usize,
    /// The operators of the operand at hand, and the deepest bracket in it.
    operators: usize,
    brackets: usize,
    /// `&&` and `||` of the member at hand, and the deepest of their operands so far.
    links: usize,
    operands: usize,
    /// The deepest member before the one at hand.
    members: usize,
}

impl Level {
    fn end_operand(&mut self) {
        self.operands = self.operands.max(self.operators.saturating_add(self.brackets));
        (self.operators, self.brackets) = (0, 0);
    }

    fn end_member(&mut self) {
        self.end_operand();
        self.members = self.members.max(self.links.saturating_add(self.operands));
        (self.links, self.operands) = (0, 0);
    }

    /// No less than the depth of what it holds.
    fn depth(&self) -> usize {
        let operand = self.operands.max(self.operators.saturating_add(self.brackets));
        self.members.max(self.links.saturating_add(operand)).saturating_add(self.ifs)
    }
}

/// Refuses a text that nests deeper than can be read and evaluated on every stack. The depth that it goes by is never
/// less than the real one, and may be more: it knows no precedence but that of `&&` and `||`.
///
/// Brackets have to match, because Cedar's parser goes on behind one that does not.
pub(super) fn check(text: &str) -> Result<(), DepthError> {
    let mut above: Vec<Level> = Vec::new();
    let mut here = Level::default();
    for token in Tokens::of(text) {
        let one_more = |count: &mut usize| *count = count.saturating_add(1);
        match token {
            Token::Open(closing) => {
                one_more(&mut here.operators);
                if above.len() >= MAX_NESTING {
                    return Err(DepthError::Nesting);
                }
                above.push(core::mem::replace(&mut here, Level { closing, ..Level::default() }));
            }
            Token::Close(bracket) => {
                let Some(outer) = above.pop().filter(|_| here.closing == bracket) else {
                    return Err(DepthError::Bracket);
                };
                let depth = here.depth();
                here = outer;
                here.brackets = here.brackets.max(depth);
            }
            Token::Comma | Token::Semicolon => here.end_member(),
            Token::Link => {
                here.end_operand();
                one_more(&mut here.links);
            }
            Token::Name(b"if") => one_more(&mut here.ifs),
            Token::Operator(_) | Token::Name(b"in" | b"has" | b"like" | b"is") => {
                one_more(&mut here.operators);
            }
            Token::Name(_) | Token::Text | Token::Colon | Token::Path => {}
        }
        if here.depth() > MAX_DEPTH {
            return Err(DepthError::Depth);
        }
    }
    Ok(())
}
