//! What one client may take of a server.

use std::time::Duration;

use crate::limit::{Limit, bytes, count, span};

/// What clients may take of a server before they are turned away or cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many connections there may be at once. Further ones are answered 503 and closed.
    pub connections: usize,
    /// How many of them one network may have. Further ones are answered 429 and closed. This machine itself and the
    /// trusted proxies are not held to it.
    pub connections_of_network: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long a request's header may take to arrive, and how long a connection may be silent between requests.
    pub header: Duration,
    /// How long a client may leave an answer unread, all its pauses together, beyond what [`Bounds::pace`] allows.
    pub stalled: Duration,
    /// How many bytes a second a client has to read while an answer waits for it.
    pub pace: u32,
    /// How long a connection may last. The request at its end is finished within `farewell`.
    pub age: Duration,
    /// How long open requests may go on after the connection, or the server, was told to end.
    pub farewell: Duration,
}

impl Bounds {
    /// What suits a server for everyone.
    pub const DEFAULT: Self = Self {
        connections: 1024,
        connections_of_network: 256,
        handshake: Duration::from_secs(10),
        header: Duration::from_secs(30),
        stalled: Duration::from_secs(30),
        pace: 4096,
        age: Duration::from_hours(1),
        farewell: Duration::from_secs(16),
    };
}

impl Default for Bounds {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The largest header of a request, in bytes, its first line included. A larger one is answered 431.
pub(crate) const MAX_HEADER_BYTES: usize = 16 * 1024;
/// How many lines a header may have. One with more is answered 431.
pub(crate) const MAX_HEADER_LINES: usize = 100;

impl Bounds {
    /// The bounds, for the manual.
    pub fn limits(&self) -> Vec<Limit> {
        vec![
            Limit::new("connections at once", count(self.connections), Some("max-connections")),
            Limit::new(
                "connections at once of one network",
                count(self.connections_of_network),
                Some("max-connections-per-ip"),
            ),
            Limit::new("TLS handshake", span(self.handshake), None),
            Limit::new("header of a request", bytes(MAX_HEADER_BYTES), None),
            Limit::new("lines of a header", count(MAX_HEADER_LINES), None),
            Limit::new("arrival of a header, and silence between requests", span(self.header), None),
            Limit::new("answer left unread, all pauses together", span(self.stalled), None),
            Limit::new(
                "reading of an answer that waits, at least",
                format!("{} bytes/s", count(self.pace)),
                None,
            ),
            Limit::new("age of a connection", span(self.age), None),
        ]
    }
}
