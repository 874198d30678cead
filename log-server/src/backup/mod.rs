//! Copies of a log, and putting them to use.
//!
//! [`back_up`] copies a data folder that stands still. The copy holds everything up to a signed head, is opened and
//! compared with that head before it takes the place of the one before, and is durable then. Files of the database that
//! the copy before has already are taken from there: they never change.
//!
//! [`restore()`] makes a data folder out of such a copy. A log that goes on from a copy may lack what was acknowledged after
//! it was made, and would give the same indexes away a second time. So the folder is marked, and the log that opens it
//! signs nothing until enough witnesses have shown that they have seen no more of it: see [`Restored`].

mod copy;
mod error;
mod marker;
mod opened;
mod restore;
mod restored;
mod take;

pub(crate) use copy::copy_database;
pub use error::BackupError;
pub(crate) use marker::FILE as MARKER;
pub use marker::Marker;
pub use restore::{copy_beside, restore};
pub use restored::{Restored, declare};
pub use take::{Done, back_up};
