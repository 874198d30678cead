//! How long work tells how far it is.

/// Where a piece of long work stands.
pub trait Progress: Sync {
    /// There is so much of it.
    fn begin(&self, all: u64);
    /// So much more is done.
    fn advance(&self, more: u64);
    /// All of that is done; what comes now has no number.
    fn finish(&self, with: &'static str);
}
