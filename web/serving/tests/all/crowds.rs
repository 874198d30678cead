//! Many clients, and clients that take their time.

use std::time::{Duration, Instant};

use countersign_serving::Bounds;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::support::{PATIENCE, Server, bounds, door, observed, proxies, read_to_end, router};

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_a_place_is_told_so_at_once() {
    let few = Bounds { connections: 2, header: Duration::from_secs(20), ..bounds() };
    let server = Server::start(door(few).await, router());
    let mut first = server.connect().await;
    first.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(first.read(&mut [0; 512]).await.unwrap() > 0, "the first has its place");
    let second = server.connect().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    // Also a client that sends a lot before it reads gets to see the answer.
    for body in ["", &"x".repeat(32 * 1024)] {
        let answer = server.ask(&format!("content-length: {}\r\n\r\n{body}", body.len())).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(
            answer.contains("\r\nretry-after: 1\r\n") && answer.contains("application/problem+json"),
            "{answer}"
        );
        let (_, document) = answer.split_once("\r\n\r\n").unwrap();
        assert!(document.contains("/errors/too-many-connections\""), "{document}");
    }
    drop(second);
    let deadline = Instant::now() + Duration::from_secs(10);
    while !server.ask("").await.starts_with("HTTP/1.1 200 ") {
        assert!(Instant::now() < deadline, "the place of a connection that ended is given to another");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_too_slowly_is_left() {
    let server = Server::start(door(Bounds { header: Duration::from_secs(20), ..bounds() }).await, router());
    let mut stream = server.connect().await;
    stream.write_all(b"GET /much HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // A few bytes now and then do not help.
    let began = Instant::now();
    let mut few = [0; 16];
    let mut read = 0;
    while began.elapsed() < 10 * PATIENCE {
        read += stream.read(&mut few).await.unwrap_or_default();
        tokio::time::sleep(PATIENCE / 5).await;
    }
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(read + rest.len() < 16 << 20, "it was left in the middle");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_at_its_age_between_requests() {
    let server = Server::start(
        door(Bounds { age: PATIENCE, header: Duration::from_secs(20), ..bounds() }).await,
        router(),
    );
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut idle).await.starts_with("HTTP/1.1 200 "));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn networks_are_held_to_their_rate_and_told_when_to_come_back() {
    let door = door(bounds()).await;
    let server = Server::start(door, observed(Some(2), proxies(&["127.0.0.1/32"])));
    let ask = |client: &'static str| server.ask(client);
    for (client, neighbour) in [
        ("x-forwarded-for: 192.0.2.1\r\n", "x-forwarded-for: 198.51.100.1, 192.0.2.1\r\n"),
        ("x-forwarded-for: 2001:db8::1\r\n", "x-forwarded-for: 2001:db8::ffff:2\r\n"),
    ] {
        for _ in 0..4 {
            assert!(ask(client).await.starts_with("HTTP/1.1 200 "));
        }
        let refused = ask(neighbour).await;
        assert!(
            refused.starts_with("HTTP/1.1 429 ") && refused.contains("\r\nretry-after: 1\r\n"),
            "{refused}"
        );
        assert!(refused.contains("/errors/too-many-requests-of-address"), "{refused}");
        assert!(refused.contains("\r\nx-request-id: 00000abc-"), "{refused}");
        assert!(
            ask("x-forwarded-for: 192.0.2.77\r\n").await.starts_with("HTTP/1.1 200 "),
            "others are not held"
        );
    }
    // Nobody is held to a rate on the machine itself, and there is no forging one's way there from outside.
    for _ in 0..20 {
        assert!(ask("").await.starts_with("HTTP/1.1 200 "));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_trusted_proxy_the_header_is_not_looked_at() {
    let server = Server::start(door(bounds()).await, observed(Some(1), proxies(&[])));
    for _ in 0..10 {
        assert!(server.ask("x-forwarded-for: 192.0.2.1\r\n").await.starts_with("HTTP/1.1 200 "));
    }
    server.stop().await;
}
