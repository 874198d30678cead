//! The door: taking connections, within bounds, and closing them in good order.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::bounds::{Bounds, MAX_HEADER_BYTES, MAX_HEADER_LINES};
use crate::figures::{ACCEPTED, HANDSHAKE_FAILURES};
use crate::forwarded::Proxies;
use crate::network::Network;
use crate::observe::Peer;
use crate::patient::Patient;
use crate::places::{Full, Places};
use crate::problem;
use crate::tls::Tls;

/// How long to pause when the system has no more file descriptors.
const BREATHER: Duration = Duration::from_millis(100);
/// How many connections without a place are told so at the same time. Further ones are closed without a word.
const TOLD_AT_ONCE: usize = 64;
/// How long being told may take.
const TELLING: Duration = Duration::from_secs(1);
/// How much a client that is told may still send, so that it gets to read the answer.
const DRAINED: u64 = 64 * 1024;

/// Where a server listens, and how it takes connections.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    bounds: Bounds,
    proxies: Proxies,
    tls: Option<Arc<Tls>>,
}

impl Door {
    /// Takes connections without TLS, from clients that are nobody's proxies.
    pub fn on(listener: TcpListener, bounds: Bounds) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self { listener, address, bounds, proxies: Proxies::default(), tls: None })
    }

    /// Does not hold these to the number of connections of one network, because they speak for many.
    #[must_use]
    pub fn trusting(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Takes connections by TLS alone.
    #[must_use]
    pub fn with_tls(mut self, tls: Tls) -> Self {
        self.tls = Some(Arc::new(tls));
        self
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the server, as far as it knows.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Serves `router` until `stop` is ready, then takes no more connections, lets open requests finish within their
    /// bound, and closes what is still open after that.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let mut watching = JoinSet::new();
        if let Some(tls) = &self.tls {
            watching.spawn(Arc::clone(tls).keep_fresh());
        }
        let places = Places::new(self.bounds.connections, self.bounds.connections_of_network);
        let telling = Arc::new(Semaphore::new(TOLD_AT_ONCE));
        let (farewell, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, peer)) => {
                        metrics::counter!(ACCEPTED).increment(1);
                        match places.take(self.held_to_number(peer.ip())) {
                            Ok(place) => {
                                let connection =
                                    Connection { peer: peer.ip(), bounds: self.bounds, stopping: stopping.clone() };
                                let (router, tls) = (router.clone(), self.tls.clone());
                                connections.spawn(async move {
                                    connection.take(stream, router, tls).await;
                                    drop(place);
                                });
                            }
                            Err(full) => {
                                let answer = problem::no_place(full);
                                // A word by TLS would cost a handshake, which is what there is no room for.
                                if let (None, Ok(turn)) = (&self.tls, Arc::clone(&telling).try_acquire_owned()) {
                                    connections.spawn(async move {
                                        turn_away(stream, &answer, full).await;
                                        drop(turn);
                                    });
                                }
                            }
                        }
                    }
                    // The client is gone already, or the system has no more descriptors: neither ends the server.
                    Err(error) if is_about_one_connection(&error) => {}
                    Err(error) => {
                        tracing::warn!(%error, "no connection can be taken at the moment");
                        tokio::time::sleep(BREATHER).await;
                    }
                }
            }
        }
        drop(self.listener);
        drop(farewell);
        // Each connection has this bound for itself; what outlives it was never told.
        let all_closed = async { while connections.join_next().await.is_some() {} };
        let bound = self.bounds.farewell.saturating_add(TELLING);
        if tokio::time::timeout(bound, all_closed).await.is_err() {
            tracing::warn!(open = connections.len(), "closing connections that did not finish in time");
        }
        connections.shutdown().await;
    }

    /// The network whose number of connections this address counts in, if any.
    fn held_to_number(&self, address: IpAddr) -> Option<Network> {
        let network = Network::from(address);
        (!network.is_here() && !self.proxies.trusts(address)).then_some(network)
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Tells a client that there is no place for it, and why.
async fn turn_away(mut stream: TcpStream, answer: &str, full: Full) {
    let told = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        // Closing with something unread resets the connection, and the client might not see the answer.
        tokio::io::copy(&mut stream.take(DRAINED), &mut tokio::io::sink()).await
    };
    if !matches!(tokio::time::timeout(TELLING, told).await, Ok(Ok(_))) {
        tracing::debug!(?full, "a connection was turned away and did not listen");
    }
}

/// One connection that has its place.
struct Connection {
    peer: IpAddr,
    bounds: Bounds,
    stopping: watch::Receiver<()>,
}

impl Connection {
    async fn take(self, stream: TcpStream, router: Router, tls: Option<Arc<Tls>>) {
        // Answers are small and waited for.
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.bounds.stalled, self.bounds.pace);
        let Some(tls) = tls else { return self.converse(stream, router).await };
        match tokio::time::timeout(self.bounds.handshake, tls.accept(stream)).await {
            Ok(Ok(stream)) => self.converse(stream, router).await,
            Ok(Err(error)) => {
                metrics::counter!(HANDSHAKE_FAILURES).increment(1);
                tracing::debug!(%error, "a TLS handshake failed");
            }
            Err(_) => {
                metrics::counter!(HANDSHAKE_FAILURES).increment(1);
                tracing::debug!("a TLS handshake took too long");
            }
        }
    }

    /// Answers until the client, the age of the connection or the end of the server closes it.
    async fn converse<S>(mut self, stream: S, router: Router)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let peer = Peer(self.peer);
        let service = router.map_request(move |mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(peer);
            request.map(axum::body::Body::new)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.bounds.header)
            .max_header_size(MAX_HEADER_BYTES)
            .max_headers(MAX_HEADER_LINES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = until_told(&mut self.stopping, self.bounds.age) => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(self.bounds.farewell, connection).await {
                    Ok(ended) => ended,
                    Err(_) => return tracing::debug!("a connection did not end in time"),
                }
            }
        };
        // How a connection ends is the client's affair: it is worth a line only to those who look closely.
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection broke off");
        }
    }
}

/// Waits for the end of the server, or of the time that a connection has.
async fn until_told(stopping: &mut watch::Receiver<()>, age: Duration) {
    tokio::select! {
        _ = stopping.changed() => {}
        () = tokio::time::sleep(age) => {}
    }
}
