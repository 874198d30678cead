//! What is left when the power is cut.

use super::dice::Dice;

/// What of that which was not synced is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Synced,
    /// All changes before this one, and a part of it: everything got to the disk in order, until it ended.
    Before(u64),
    /// Of each sector some version since the last sync, and of the names all up to some moment: the system writes when
    /// and in which order it likes.
    Sectors,
}

impl Kept {
    /// One of the three. `changes` are the first and the last change that is not durable.
    pub(super) fn any(changes: Option<(u64, u64)>, dice: &mut Dice) -> Self {
        let (first, last) = changes.unwrap_or_default();
        let cut = first.saturating_add(dice.below(last.saturating_sub(first).saturating_add(2)));
        dice.pick(Self::Synced, &[Self::Before(cut), Self::Sectors])
    }
}
