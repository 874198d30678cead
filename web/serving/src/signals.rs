//! The signals that a server listens for.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The two signals that ask a server to end: SIGTERM and SIGINT. From when this is made, they no longer end it by
/// themselves, and neither does SIGHUP.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Kept so that a SIGHUP does not end a server that has nothing to read again.
    _hangup: Signal,
}

impl Signals {
    /// Begins to listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits until the server is asked to end.
    pub async fn end(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
