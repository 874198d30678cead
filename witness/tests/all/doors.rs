//! Clients that are slow, large, or stay for long.

use std::time::{Duration, Instant};

use countersign_serving::Bounds;
use countersign_witness::http;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::support::{FixedClock, Log, Served, VECTOR_TIME};

fn log() -> Log {
    Log::new("log.example/a", 1, 64)
}

const SHORT: Duration = Duration::from_millis(300);

fn short() -> Bounds {
    Bounds { header: SHORT, ..http::BOUNDS }
}

async fn connect(served: &Served) -> TcpStream {
    TcpStream::connect(served.client.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Reads until the witness closes the connection, but not for ever.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    // A connection that is cut off may end in a reset.
    let _ =
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("the witness closes the connection");
    String::from_utf8(bytes).unwrap()
}

fn head(length: usize) -> String {
    format!("POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {length}\r\n\r\n")
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let log = log();
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    let mut stream = connect(&served).await;
    for (old, new) in [(0, 1), (1, 2), (0, 9), (2, 3)] {
        let body = log.request(old, new);
        stream.write_all((head(body.len()) + &body).as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        let want = if new == 9 { "HTTP/1.1 409 " } else { "HTTP/1.1 200 " };
        assert!(answer.starts_with(want), "{answer}");
        assert!(!answer.to_lowercase().contains("connection: close"));
    }
    served.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let served = Served::within(short(), SHORT, FixedClock::at(VECTOR_TIME), &[]).await;
    let mut stream = connect(&served).await;
    stream.write_all((head(1000) + "old 0").as_bytes()).await.unwrap();
    let began = Instant::now();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request-too-slow"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(5));
    served.stop().await;
}

#[tokio::test]
async fn a_header_that_does_not_come_is_not_waited_for() {
    let served = Served::within(short(), SHORT, FixedClock::at(VECTOR_TIME), &[]).await;
    let mut stream = connect(&served).await;
    stream.write_all(b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nX-Slow: ").await.unwrap();
    let began = Instant::now();
    rest(stream).await;
    let silent = connect(&served).await;
    rest(silent).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    served.stop().await;
}

#[tokio::test]
async fn nonsense_and_large_headers_end_the_connection_and_nothing_else() {
    let log = log();
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01".to_vec(),
        b"GET / HTTP/1.1\r\nHost: w\r\nX: "
            .iter()
            .copied()
            .chain(std::iter::repeat_n(b'a', 64 * 1024))
            .collect(),
    ] {
        let mut stream = connect(&served).await;
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let answer = rest(stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(served.client.add(log.request(0, 1)).await.status, 200);
    served.stop().await;
}

#[tokio::test]
async fn an_end_is_not_held_up_by_idle_connections_and_finishes_open_requests() {
    let log = log();
    let served = Served::start(FixedClock::at(VECTOR_TIME), &[&log]).await;
    let idle = connect(&served).await;
    let mut open = connect(&served).await;
    let body = log.request(0, 1);
    open.write_all((head(body.len()) + &body[..10]).as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn(served.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!stopping.is_finished());
    open.write_all(&body.as_bytes()[10..]).await.unwrap();
    let answer = rest(open).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    tokio::time::timeout(Duration::from_secs(5), stopping).await.unwrap().unwrap();
    drop(idle);
}
