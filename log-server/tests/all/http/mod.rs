//! The log over HTTP: what every request is answered with, header by header.

mod batches;
mod pages;
mod program;
mod reading;
mod refusals;
mod served;
mod sockets;
mod statements;
mod submitting;
#[cfg(feature = "otel")]
mod traces;
