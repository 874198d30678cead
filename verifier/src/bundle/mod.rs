//! Bundles: one file with everything that an offline auditor needs for one execution.
//!
//! ```text
//! {"format":"countersign-bundle/v1","execution":"<id>","checkpoint":"<signed note>",
//!  "entries":[{"index":n,"statement":"<base64>"},...],"multiproof":["<base64 of 32 bytes>",...]}
//! ```
//!
//! without line breaks and blanks, members in this order, entries in ascending order: there is one encoding, and any
//! other is refused. The entries are those of the execution and those that they stand on, and **no others**:
//!
//! - the genesis,
//! - each policy that a statement of the execution cites,
//! - for each statement, these and the following included, the registration that ruled when it entered: the newest one
//!   of its issuer and key before it.
//!
//! So a bundle follows from the log, the execution and the head. [`Bundle::parse`] says that bytes have this form and are
//! complete in themselves; that they are in any log, who signed them, and what they come to, is for
//! [`crate::report::check_bundle`]. Whether a newer registration or another entry of the execution was left out, no
//! bundle can show: an audit of the whole log does.
//!
//! To make one, [`Needs`] says which entries are missing still, [`Unproven::plan`] which nodes; fetching both is up to the
//! caller.

mod error;
mod format;
mod needs;
mod replay;

pub use error::BundleError;
pub use format::{Bundle, MAX_BUNDLE_BYTES, MAX_ENTRIES, Unproven};
pub use needs::{Need, Needs};
pub use replay::{Replay, replay};

/// The media type.
pub const MEDIA_TYPE: &str = "application/vnd.countersign.bundle+json";
/// The suffix of files and addresses.
pub const SUFFIX: &str = ".bundle";
