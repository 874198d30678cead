//! How much a schema comes to. A short one can be enormous: a type stands for its definition wherever it is named, a
//! list of names is declared once for each, and policies are checked for every principal with every action and resource.

use std::collections::HashMap;

use cedar_policy::Schema;

use super::depth::MAX_NESTING;
use super::tokens::{Token, Tokens};

/// How many names may stand in a schema. What is below what may take the square of that.
const MAX_NAMES: usize = 4096;
/// How many names a schema may come to, each type written out where it is named, and each list once a name.
const MAX_WRITTEN_OUT: usize = 65_536;
/// How many octets of policies may be checked, each octet once for every principal with every action and resource.
const MAX_CHECKED: usize = 1 << 26;

/// What is too much in a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum BreadthError {
    #[error("has {0} names, expected at most {MAX_NAMES}")]
    Names(usize),
    #[error(
        "comes to more than {MAX_WRITTEN_OUT} names with each type written out where it is named and each list of names \
         once for each"
    )]
    WrittenOut,
    #[error("has types within each other, by their definitions, expected at most {MAX_NESTING}")]
    Types,
    #[error(
        "lets more principals, actions and resources go together than {0} octets of policies can be checked for"
    )]
    Combinations(usize),
}

/// A declaration: what its names and types come to.
#[derive(Debug, Default)]
struct Declaration<'a> {
    /// The type that it defines, if it defines one.
    defines: Option<&'a [u8]>,
    /// How many names it declares at once.
    declared: usize,
    /// How many sets and records are within each other in it.
    nesting: usize,
    /// How many names stand in it.
    names: usize,
    /// The last parts of what may be types in it.
    named: Vec<&'a [u8]>,
}

/// Refuses a schema that would come to more than can be held.
///
/// Namespaces are not told apart: of types that have one name in several, all count wherever it is named. The result is
/// never less than the real one.
pub(super) fn check(schema: &str) -> Result<(), BreadthError> {
    let names = Tokens::of(schema).filter(|token| matches!(token, Token::Name(_) | Token::Text)).count();
    if names > MAX_NAMES {
        return Err(BreadthError::Names(names));
    }
    let declarations = declarations(schema);
    let mut types: HashMap<&[u8], Vec<&Declaration<'_>>> = HashMap::new();
    for declaration in &declarations {
        if let Some(name) = declaration.defines {
            types.entry(name).or_default().push(declaration);
        }
    }
    let mut sizes = Sizes { types, known: HashMap::new() };
    let mut all = 0_usize;
    for declaration in &declarations {
        let size = sizes.of(declaration, 0)?;
        all = all.saturating_add(size.names.saturating_mul(declaration.declared));
        if all > MAX_WRITTEN_OUT {
            return Err(BreadthError::WrittenOut);
        }
    }
    Ok(())
}

/// Refuses a schema under which policies of so many octets would be checked for ever.
pub(super) fn check_combinations(schema: &Schema, octets: usize) -> Result<(), BreadthError> {
    let most = MAX_CHECKED.checked_div(octets).unwrap_or(MAX_CHECKED);
    match schema.request_envs().take(most.saturating_add(1)).count() {
        count if count > most => Err(BreadthError::Combinations(octets)),
        _ => Ok(()),
    }
}

/// The declarations, each of which ends with a semicolon: those of a namespace have its bracket around that.
fn declarations(schema: &str) -> Vec<Declaration<'_>> {
    let mut all = Vec::new();
    let mut tokens = Tokens::of(schema).peekable();
    let mut here = Declaration::default();
    // How many brackets are open, and how many commas of this declaration stand within so many.
    let (mut open, mut commas) = (0_usize, HashMap::<usize, usize>::new());
    let (mut angles, mut deepest) = (0_usize, 0_usize);
    let mut before = [None; 2];
    while let Some(token) = tokens.next() {
        match token {
            Token::Semicolon => {
                here.declared = commas.get(&open).copied().unwrap_or_default().saturating_add(1);
                here.nesting = deepest.saturating_sub(open).max(1);
                all.push(core::mem::take(&mut here));
                commas.clear();
                (angles, deepest) = (0, 0);
            }
            Token::Comma => {
                let count = commas.entry(open).or_default();
                *count = count.saturating_add(1);
            }
            Token::Open(_) => open = open.saturating_add(1),
            Token::Close(_) => open = open.saturating_sub(1),
            Token::Operator(b'<') => angles = angles.saturating_add(1),
            Token::Operator(b'>') => angles = angles.saturating_sub(1),
            Token::Operator(b'=') => {
                if let [Some(Token::Name(b"type")), Some(Token::Name(name))] = before {
                    here.defines = Some(name);
                    here.named.clear();
                }
            }
            Token::Text => here.names = here.names.saturating_add(1),
            Token::Name(name) => {
                here.names = here.names.saturating_add(1);
                // Attributes are named before a colon, and namespaces before two.
                if !matches!(tokens.peek(), Some(Token::Colon | Token::Path | Token::Operator(b'?'))) {
                    here.named.push(name);
                }
            }
            _ => {}
        }
        deepest = deepest.max(open.saturating_add(angles));
        before = [before[1], Some(token)];
    }
    all
}

/// What a declaration or a type comes to.
#[derive(Debug, Default, Clone, Copy)]
struct Size {
    /// How many names, each type written out.
    names: usize,
    /// How many sets, records and definitions are within each other.
    nesting: usize,
}

/// What types come to, as far as it is known.
struct Sizes<'a, 'd> {
    types: HashMap<&'a [u8], Vec<&'d Declaration<'a>>>,
    known: HashMap<&'a [u8], Size>,
}

impl<'a> Sizes<'a, '_> {
    /// What a declaration comes to, in a row of so many definitions.
    fn of(&mut self, declaration: &Declaration<'a>, row: usize) -> Result<Size, BreadthError> {
        let mut size = Size { names: declaration.names, nesting: 0 };
        for name in &declaration.named {
            let of_type = self.of_type(name, row)?;
            size.names = size.names.saturating_add(of_type.names);
            size.nesting = size.nesting.max(of_type.nesting);
        }
        size.nesting = size.nesting.saturating_add(declaration.nesting);
        match size {
            Size { names, .. } if names > MAX_WRITTEN_OUT => Err(BreadthError::WrittenOut),
            Size { nesting, .. } if nesting > MAX_NESTING => Err(BreadthError::Types),
            size => Ok(size),
        }
    }

    fn of_type(&mut self, name: &'a [u8], row: usize) -> Result<Size, BreadthError> {
        if let Some(size) = self.known.get(name) {
            return Ok(*size);
        }
        // Definitions that go round have no end.
        if row >= MAX_NESTING {
            return Err(BreadthError::Types);
        }
        let mut all = Size::default();
        for declaration in self.types.get(name).cloned().unwrap_or_default() {
            let size = self.of(declaration, row.saturating_add(1))?;
            all.names = all.names.saturating_add(size.names);
            all.nesting = all.nesting.max(size.nesting);
        }
        self.known.insert(name, all);
        Ok(all)
    }
}
