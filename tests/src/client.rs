//! HTTP/1.1 over one connection at a time.
//!
//! It is **not** a comfortable client: nothing is retried, redirected or decompressed, so that a test sees what a
//! server did, and a measurement has nothing of its own in it.

use core::str::FromStr;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::HOST;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

/// The most bytes of an answer that are read: the largest batch with its proofs has room.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// How much is read at once: what stays in the caches of a processor. Larger pieces need fresh memory every time.
const READ_BUFFER: usize = 32 * 1024;

/// Why there is no answer. Whether the request had an effect is not known.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Another status than 200.
    #[error("GET {path} answers {status}, expected 200")]
    Status {
        /// What was asked for.
        path: String,
        /// What came.
        status: u16,
    },
    /// No connection.
    #[error("no connection to {address}: {source}")]
    Connect {
        /// Where to.
        address: String,
        /// Why.
        source: std::io::Error,
    },
    /// The connection broke, or what came over it was not HTTP.
    #[error("the exchange broke off: {0}")]
    Exchange(#[from] hyper::Error),
    /// The body of the answer broke off or is larger than any that is read.
    #[error("the answer's body: {0}")]
    Body(Box<dyn core::error::Error + Send + Sync>),
    /// The path or a header cannot stand in a request.
    #[error("not a request: {0}")]
    Request(#[from] hyper::http::Error),
}

/// A text that is not the address of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an address such as http://127.0.0.1:8080; https is not spoken here")]
pub struct NotAnAddress;

/// Where a server answers: host and port, and a path before all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    authority: String,
    prefix: String,
}

impl Address {
    /// Host and port.
    pub fn authority(&self) -> &str {
        &self.authority
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let url = Url::parse(text).ok().filter(|url| url.scheme() == "http").ok_or(NotAnAddress)?;
        let host = url.host_str().ok_or(NotAnAddress)?;
        let port = url.port_or_known_default().ok_or(NotAnAddress)?;
        let prefix = url.path().trim_end_matches('/').to_owned();
        Ok(Self { authority: format!("{host}:{port}"), prefix })
    }
}

impl core::fmt::Display for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "http://{}{}", self.authority, self.prefix)
    }
}

/// What a server answered, to the last byte.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The header.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The value of a header, if it is there and ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// A client of one server, with one connection that is kept and renewed when it is gone.
#[derive(Debug)]
pub struct Client {
    address: Address,
    open: Option<SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client that connects when it is first used.
    pub const fn new(address: Address) -> Self {
        Self { address, open: None }
    }

    /// Where it connects to.
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// Connects now, if there is no connection yet.
    pub async fn connect(&mut self) -> Result<(), ClientError> {
        self.open = Some(self.connection().await?);
        Ok(())
    }

    /// `GET path`.
    pub async fn get(&mut self, path: &str) -> Result<Answer, ClientError> {
        self.send(Method::GET, path, &[], Bytes::new()).await
    }

    /// The body of `GET path`, which has to be answered with 200.
    pub async fn body(&mut self, path: &str) -> Result<Bytes, ClientError> {
        let Answer { status, body, .. } = self.get(path).await?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        Err(ClientError::Status { path: path.to_owned(), status: status.as_u16() })
    }

    /// The length of the body of `GET path`, which has to be answered with 200. Nothing of it is kept.
    pub async fn length(&mut self, path: &str) -> Result<usize, ClientError> {
        let request = self.request(Method::GET, path, &[], Bytes::new())?;
        let mut sender = self.connection().await?;
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::OK {
            return Err(ClientError::Status { path: path.to_owned(), status: response.status().as_u16() });
        }
        let mut body = Limited::new(response.into_body(), MAX_ANSWER_BYTES);
        let mut length = 0_usize;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(ClientError::Body)?;
            length = length.saturating_add(frame.data_ref().map_or(0, Bytes::len));
        }
        self.open = Some(sender);
        Ok(length)
    }

    /// `POST path`, with a body of the given content type.
    pub async fn post(&mut self, path: &str, content_type: &str, body: Bytes) -> Result<Answer, ClientError> {
        self.send(Method::POST, path, &[("content-type", content_type)], body).await
    }

    /// Sends a request and reads the whole answer. After an error the connection is given up.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let request = self.request(method, path, headers, body)?;
        let mut sender = self.connection().await?;
        let response = sender.send_request(request).await?;
        let answer = read(response).await?;
        // Only a connection on which nothing went wrong is used again.
        self.open = Some(sender);
        Ok(answer)
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, ClientError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address.prefix))
            .header(HOST, &self.address.authority);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Ok(request.body(Full::new(body))?)
    }

    async fn connection(&mut self) -> Result<SendRequest<Full<Bytes>>, ClientError> {
        if let Some(mut kept) = self.open.take()
            && kept.ready().await.is_ok()
        {
            return Ok(kept);
        }
        let connect = |source| ClientError::Connect { address: self.address.authority.clone(), source };
        let stream = TcpStream::connect(&self.address.authority).await.map_err(connect)?;
        stream.set_nodelay(true).map_err(connect)?;
        let (sender, connection) =
            Builder::new().max_buf_size(READ_BUFFER).handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

async fn read(response: Response<Incoming>) -> Result<Answer, ClientError> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(ClientError::Body)?;
    Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_plain_http() {
        let address: Address = "http://localhost:8080/log/".parse().unwrap();
        assert_eq!(address.authority(), "localhost:8080");
        assert_eq!(address.to_string(), "http://localhost:8080/log");
        assert_eq!("http://a.example".parse::<Address>().unwrap().authority(), "a.example:80");
        for text in ["", "localhost:8080", "https://a.example", "unix:/x"] {
            assert_eq!(text.parse::<Address>(), Err(NotAnAddress), "{text}");
        }
    }
}
