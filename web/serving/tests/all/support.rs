//! A server on a real socket.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use countersign_serving::{Bounds, Door, Observer, Proxies, observe};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What the server waits for at most, where tests wait for it.
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

pub(crate) fn bounds() -> Bounds {
    Bounds {
        connections: 64,
        handshake: PATIENCE,
        header: PATIENCE,
        stalled: PATIENCE,
        farewell: Duration::from_secs(2),
        ..Bounds::default()
    }
}

pub(crate) async fn door(bounds: Bounds) -> Door {
    Door::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), bounds).unwrap()
}

pub(crate) fn proxies(networks: &[&str]) -> Proxies {
    Proxies::new(networks.iter().map(|network| network.parse().unwrap()).collect())
}

/// Two addresses: one answers at once, the other with as much as anybody may want.
pub(crate) fn router() -> Router {
    Router::new().route("/", get(|| async { "well" })).route("/much", get(|| async { vec![b'a'; 16 << 20] }))
}

/// The same, observed.
pub(crate) fn observed(rate: Option<u32>, proxies: Proxies) -> Router {
    let observer = Arc::new(Observer::new(0xabc, rate.and_then(NonZeroU32::new), proxies));
    router().layer(axum::middleware::from_fn_with_state(observer, observe))
}

impl Server {
    pub(crate) fn start(door: Door, router: Router) -> Self {
        let (address, url) = (door.address(), door.url());
        let (stop, told) = oneshot::channel();
        let serving = tokio::spawn(door.serve(router, async {
            let _ = told.await;
        }));
        Self { address, url, stop, serving }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends a request with these header lines on a connection of its own.
    pub(crate) async fn ask(&self, lines: &str) -> String {
        let mut stream = self.connect().await;
        let request = format!("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{lines}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        read_to_end(&mut stream).await
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

pub(crate) async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    // A connection that is cut off may end in a reset.
    read.expect("the server closes the connection").ok();
    String::from_utf8_lossy(&answer).into_owned()
}
