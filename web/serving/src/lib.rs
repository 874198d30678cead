//! What every server of the project does alike, whatever it serves.
//!
//! - [`Door`]: takes connections, within [`Bounds`], with TLS where it is asked for, and closes them in good order
//! - [`Observer`]: around every request: an id, a span, figures, and the rate of the client's network
//! - [`figures`]: the figures for Prometheus, each with what it means and what to do when it goes wrong
//! - [`readiness`]: whether a server runs, and whether it can do its work
//! - [`logging`]: what a server says while it runs
//!
//! It is **not** a framework: what is at an address, and how it is refused, is the business of each server. The three
//! refusals that are made here, before a server sees anything, are in [`PROBLEMS`].

mod answered;
mod bounds;
mod descriptors;
mod door;
pub mod figures;
mod flags;
mod forwarded;
mod limit;
pub mod logging;
mod network;
mod observe;
mod patient;
mod places;
mod problem;
mod rate;
pub mod readiness;
mod signals;
mod tls;

pub use bounds::Bounds;
pub use door::Door;
pub use flags::Flags;
pub use forwarded::Proxies;
pub use limit::{Limit, bytes, count, span};
pub use network::Network;
pub use observe::{Observer, REQUEST_ID, observe};
pub use problem::PROBLEMS;
pub use rate::Rates;
pub use signals::Signals;
pub use tls::{Tls, TlsError};
