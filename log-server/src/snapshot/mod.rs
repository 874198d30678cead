//! A data folder that stands still, whether or not the log is served.
//!
//! A database that is being written cannot be read by another process: its files come and go. So the process that serves
//! a log listens on a socket in the data folder, for its owner alone, and on request makes a snapshot: a folder that looks
//! like the data folder of this moment, without keys. It takes hardly any time or room, because what never changes is
//! shared. It is there as long as whoever asked holds the connection. When nobody serves the log, the data folder itself
//! is held, so that nobody begins to.

mod ask;
mod listen;
mod take;

pub use ask::{Still, StillError};
pub use listen::Listener;

/// The socket in the data folder of a log that is served.
const SOCKET: &str = "control";
/// The folder in the data folder in which snapshots are.
const FOLDER: &str = "snapshots";
/// What is asked for.
const REQUEST: &str = "snapshot\n";
/// How the answer begins when there is a snapshot; its folder's name follows, and a line feed.
const HERE: &str = "here ";
/// How it begins when there is none; the reason follows, and a line feed.
const FAILED: &str = "failed ";
