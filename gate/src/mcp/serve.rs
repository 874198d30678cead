//! The server's process, from its start to its end.

use core::time::Duration;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::pipe::{self, ToServer};
use super::proxy::{Phase, Proxy};
use crate::exact::ExactCommand;
use crate::execute::{Ended, ExecuteError, Signals, command_of, ended, pass_on_signal};
use crate::lineage::{Gate, GateError};

/// How long a server may take to end after it was told to.
const TO_END: Duration = Duration::from_secs(5);
/// How long what an ended server wrote is read, when somebody else holds its output open.
const TO_READ: Duration = Duration::from_secs(2);

/// Why there is nothing between client and server. No call was passed on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The gate's own records cannot be used.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The server cannot be started.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the ids of executions begin with; a slash and the number of the call follow. No earlier run may have had it.
    pub prefix: String,
    /// How long the answer to a call is waited for.
    pub patience: Duration,
}

/// Starts the server, and stands between it and the client on standard input and output until one of them ends.
///
/// When this returns, every call that was passed on has its outcome, in the log or in a journal on this machine.
pub async fn serve(gate: Gate, server: ExactCommand, options: Options) -> Result<Ended, ServeError> {
    let left = gate.take_up()?;
    let mut signals = Signals::catch().map_err(ExecuteError::Signals)?;
    let (input, to_input) = std::io::pipe().map_err(ExecuteError::Spawn)?;
    let (from_output, output) = std::io::pipe().map_err(ExecuteError::Spawn)?;
    let mut child = {
        // The server has our ends of the pipes, which must be closed before anybody waits for their end.
        let mut process = command_of(&server);
        process.stdin(input).stdout(output).stderr(Stdio::inherit());
        process.spawn().map_err(ExecuteError::Spawn)?
    };
    let from_server = pipe::read(from_output).map_err(ExecuteError::Spawn)?;
    let from_client = pipe::read(std::io::stdin()).map_err(ExecuteError::Spawn)?;
    let to_server = pipe::write_to_server(to_input).map_err(ExecuteError::Spawn)?;
    let (to_client, written) = pipe::write_to_client(std::io::stdout()).map_err(ExecuteError::Spawn)?;

    let (phase, now) = watch::channel(Phase::Serving);
    let to = (to_server.clone(), to_client);
    let proxy = Arc::new(Proxy::new(gate, Arc::new(server), options.prefix, options.patience, to, now));
    let (closed, is_closed) = oneshot::channel();
    let up = tokio::spawn(Arc::clone(&proxy).up(from_client, closed, left));
    let down = tokio::spawn(Arc::clone(&proxy).down(from_server));
    let again = tokio::spawn(Arc::clone(&proxy).keep_sending());
    drop(proxy);

    let how = until_it_ends(&mut child, &mut signals, &phase, (is_closed, to_server)).await;
    // Whatever it wrote before its end counts.
    let _ = timeout(TO_READ, down).await;
    phase.send_replace(Phase::Gone);
    tokio::select! {
        // A task that panics has said so by itself.
        _ = up => {}
        // What is not in the log by now is in journals, for the next run.
        _ = signals.next() => {}
    }
    again.abort();
    let _ = again.await;
    let _ = timeout(TO_READ, written).await;
    Ok(how)
}

/// Waits for the server's end. Signals are passed on to it; a server that does not heed one is killed. When the client has
/// no more to say, the server finds its input closed.
async fn until_it_ends(
    child: &mut Child,
    signals: &mut Signals,
    phase: &watch::Sender<Phase>,
    (mut is_closed, to_server): (oneshot::Receiver<()>, mpsc::Sender<ToServer>),
) -> Ended {
    let mut to_server = Some(to_server);
    let mut deadline = None;
    loop {
        tokio::select! {
            status = child.wait() => return status.map_or(Ended::Unknown, ended),
            signal = signals.next() => {
                phase.send_replace(Phase::Leaving);
                pass_on_signal(child, signal);
                deadline = deadline.or_else(|| Instant::now().checked_add(TO_END));
            }
            _ = &mut is_closed, if to_server.is_some() => {
                phase.send_replace(Phase::Leaving);
                if let Some(to_server) = to_server.take() {
                    // A server that is gone has closed its input already.
                    tokio::spawn(async move { to_server.send(ToServer::Close).await });
                }
            }
            () = async { if let Some(at) = deadline { sleep_until(at).await } }, if deadline.is_some() => {
                deadline = None;
                // It fails only for a process that has ended already, which the next round sees.
                let _ = child.start_kill();
            }
        }
    }
}
