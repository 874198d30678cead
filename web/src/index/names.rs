//! Names that occur again and again, each kept once.

use std::sync::Arc;

use super::{Column, Table};

/// The number of a name: how many other names came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NameId(u32);

impl NameId {
    /// Stands for "none" in columns. No table grows as large as that.
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) fn position(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A table of names that only grows.
#[derive(Debug, Default)]
pub(crate) struct Names {
    texts: Column<Arc<str>>,
    ids: Table<Arc<str>, NameId>,
    /// How many bytes the names have.
    length: usize,
}

impl Names {
    /// The number of a name, new or not. [`NameId::NONE`] when four billion names are taken.
    pub(crate) fn intern(&mut self, name: &str) -> NameId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let Some(id) = u32::try_from(self.texts.len()).ok().map(NameId).filter(|id| *id != NameId::NONE)
        else {
            return NameId::NONE;
        };
        let text: Arc<str> = name.into();
        self.length = self.length.saturating_add(text.len());
        self.texts.push(Arc::clone(&text));
        self.ids.insert(text, id);
        id
    }

    pub(crate) fn find(&self, name: &str) -> Option<NameId> {
        self.ids.get(name).copied()
    }

    pub(crate) fn text(&self, id: NameId) -> Option<&str> {
        self.texts.get(id.position()).map(|text| &**text)
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// About how much memory they take.
    pub(crate) fn bytes(&self) -> usize {
        self.length.saturating_add(self.texts.bytes()).saturating_add(self.ids.bytes())
    }
}
