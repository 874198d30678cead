//! Threads between the streams and the proxy: reading and writing them may block.

use std::io::{Read, Write};

use tokio::sync::{mpsc, oneshot};

use super::line::{Incoming, Line, Lines, MAX_MESSAGE};
use crate::enforcement::Cleared;
use crate::mcp::ExactCall;

/// How many messages wait in each direction before their sender has to.
const WAITING: usize = 4;

/// What may be written to the server. A call only when it was cleared.
#[derive(Debug)]
pub(super) enum ToServer {
    /// A message that is no call.
    Message(Line),
    /// A call.
    Call(Cleared<ExactCall>),
    /// Nothing more: the server finds its input closed.
    Close,
}

/// Reads lines in a thread until the stream ends, or nobody takes them any more.
pub(super) fn read(from: impl Read + Send + 'static) -> std::io::Result<mpsc::Receiver<Incoming>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::Builder::new().spawn(move || {
        let mut lines = Lines::new(from, MAX_MESSAGE);
        // A stream that breaks has ended.
        while let Ok(Some(line)) = lines.read()
            && sender.blocking_send(line).is_ok()
        {}
    })?;
    Ok(receiver)
}

/// Writes what is for the server in a thread.
pub(super) fn write_to_server(
    mut to: impl Write + Send + 'static,
) -> std::io::Result<mpsc::Sender<ToServer>> {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    std::thread::Builder::new().spawn(move || {
        while let Some(message) = receiver.blocking_recv() {
            let written = match message {
                ToServer::Message(line) => line.write_to(&mut to),
                ToServer::Call(call) => call.exact().line().write_to(&mut to),
                ToServer::Close => return,
            };
            if written.is_err() {
                return;
            }
        }
    })?;
    Ok(sender)
}

/// Writes what is for the client in a thread. The second says when all is written after the last sender is gone.
pub(super) fn write_to_client(
    mut to: impl Write + Send + 'static,
) -> std::io::Result<(mpsc::Sender<Line>, oneshot::Receiver<()>)> {
    let (sender, mut receiver) = mpsc::channel::<Line>(WAITING);
    let (done, end) = oneshot::channel();
    std::thread::Builder::new().spawn(move || {
        while let Some(line) = receiver.blocking_recv()
            && line.write_to(&mut to).is_ok()
        {}
        // Nobody waits any more when the waiting was cut short.
        let _ = done.send(());
    })?;
    Ok((sender, end))
}
