//! JSON pointers (RFC 6901), written down only when something is wrong.

use core::fmt;

use super::references;
use super::words::RefRole;

/// Where in a JSON document something is wrong. Empty for the document itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointer(String);

impl Pointer {
    /// The pointer as text, such as `/subject/id`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The pointer to a member by the names on the way to it.
    pub(crate) fn to(names: &[&str]) -> Self {
        Self(names.iter().flat_map(|name| ["/", name]).collect())
    }

    /// The pointer to a reference in a payload.
    pub(crate) fn to_reference(role: RefRole) -> Self {
        Self::to(&[references::MEMBER, role.as_str()])
    }

    /// The same place in a document that holds this one as its member `name`.
    pub(super) fn within(&self, name: &str) -> Self {
        Self(format!("/{name}{}", self.0))
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("the document") } else { f.write_str(&self.0) }
    }
}

/// The way from the document to a value in it, held on the stack of whoever walks the document.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'a> {
    /// The document itself.
    Root,
    /// A member of an object.
    Member(&'a Self, &'a str),
    /// An item of an array.
    Item(&'a Self, usize),
}

impl Path<'_> {
    /// Writes the way down.
    pub(super) fn pointer(&self) -> Pointer {
        let mut text = String::new();
        self.write(&mut text);
        Pointer(text)
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Root => {}
            Self::Member(parent, name) => {
                parent.write(text);
                text.push('/');
                text.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
            Self::Item(parent, index) => {
                parent.write(text);
                text.push('/');
                text.push_str(&index.to_string());
            }
        }
    }
}
