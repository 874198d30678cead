//! The explorer: a verifying reader of a Countersign log, with pages for people and JSON for programs.
//!
//! An [`Explorer`] reads `/checkpoint` and `/tile/...` (C2SP tlog-tiles) from a [`Source`], believes a head when a
//! trust policy (C2SP tlog-policy) accepts it and when it extends what was verified before, and shows entries whose
//! hashes lead to exactly the signed root. It is a client like any other: it can run inside of the log's own process
//! or on the machine of somebody who does not trust the operator.
//!
//! It is **not** a proof of anything for those who read its pages: they would have to trust the machine it runs on.
//! So its pages say what is *recorded*, draw no tick, and hand out the bytes and the command line by which readers
//! check on machines of their own. Only the scripts in `static`, which run on the reader's machine, ever say that
//! something was *checked here*.
//!
//! | module | what is in it |
//! |---|---|
//! | `source` | where a log is read from: memory or HTTP |
//! | `mirror` | following the log, refusing what contradicts it |
//! | `index` | what is remembered of the entries |
//! | `page` | what all pages share |
//! | `console`, `entries`, `proof`, `executions`, `health`, `search`, `verify` | the surfaces |
//! | `operations`, `figures` | what the operator of an explorer asks it |
//! | `draw`, `words` | drawings, and the format's words in plain English |

mod clock;
mod console;
mod draw;
mod entries;
mod executions;
mod explorer;
mod figures;
mod health;
mod index;
mod mirror;
mod operations;
mod page;
mod proof;
mod search;
mod source;
mod verify;
mod words;

pub use clock::Clock;
pub use explorer::Explorer;
pub use figures::{FIGURES, OF_PROGRAM};
pub use operations::REASON_CODES;
pub use page::PROBLEMS;
pub use source::{Source, SourceError, SourceUrlError};
