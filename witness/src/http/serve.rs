//! Taking connections, within bounds, and closing them in good order.

use std::future::Future;
use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::witness::Witness;

/// What one client may take of the witness.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many connections there may be at once. Further ones wait in the system's queue.
    pub connections: usize,
    /// How long a header may take to arrive, and how long a connection may be silent between requests.
    pub header: Duration,
    /// How long a request may take, from the end of its header to the start of its answer.
    pub request: Duration,
    /// How long a connection may last. The request at its end is finished within `farewell`.
    pub age: Duration,
    /// How long open requests may go on after the connection, or the witness, was told to end.
    pub farewell: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 2048,
            header: Duration::from_mins(1),
            request: Duration::from_secs(15),
            age: Duration::from_mins(10),
            farewell: Duration::from_secs(16),
        }
    }
}

const MAX_HEADER_BYTES: usize = 16 * 1024;
/// How long to wait when the system has no more file descriptors.
const BREATHER: Duration = Duration::from_millis(100);

/// Serves a witness until `stop` is ready, then takes no more connections and finishes the open ones within their bound.
pub async fn serve(
    listener: TcpListener,
    witness: Arc<Witness>,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) {
    let router = super::router(witness, bounds.request);
    let places = Arc::new(Semaphore::new(bounds.connections));
    let (farewell, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut stop => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (place, accepted) = accepted => match accepted {
                Ok((stream, _)) => {
                    let connection = converse(stream, router.clone(), bounds, stopping.clone());
                    connections.spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be taken at the moment");
                    tokio::time::sleep(BREATHER).await;
                }
            }
        }
    }
    drop(listener);
    drop(farewell);
    while connections.join_next().await.is_some() {}
}

/// Answers on one connection until the client, its age or the end of the witness closes it.
async fn converse(stream: TcpStream, router: Router, bounds: Bounds, mut stopping: watch::Receiver<()>) {
    // Answers are small and waited for.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.header)
        .max_header_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = until_told(&mut stopping, bounds.age) => {
            connection.as_mut().graceful_shutdown();
            match tokio::time::timeout(bounds.farewell, connection).await {
                Ok(ended) => ended,
                Err(_) => return tracing::debug!("a connection did not end in time"),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Waits for the end of the witness, or of the time that a connection has.
async fn until_told(stopping: &mut watch::Receiver<()>, age: Duration) {
    tokio::select! {
        _ = stopping.changed() => {}
        () = tokio::time::sleep(age) => {}
    }
}
