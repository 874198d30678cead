//! Clients that are slow, rude, gone or too many, over real sockets.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use countersign_serving::{Bounds, Door};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::served::{Ground, Served, Setting};

const PATIENCE: Duration = Duration::from_millis(300);

struct Open {
    served: Served,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<()>,
}

fn bounds() -> Bounds {
    Bounds {
        connections: 64,
        header: PATIENCE,
        stalled: PATIENCE,
        farewell: Duration::from_secs(2),
        ..Bounds::default()
    }
}

impl Open {
    async fn door(served: Served, bounds: Bounds) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let door = Door::on(listener, bounds).unwrap();
        let address = door.address();
        let (stop, told) = oneshot::channel();
        let serving = tokio::spawn(door.serve(served.router.clone(), async {
            let _ = told.await;
        }));
        Self { served, address, stop: Some(stop), serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ask(&self, request: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request).await.unwrap();
        read_to_end(&mut stream).await
    }
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    read.expect("the server closes the connection").ok();
    String::from_utf8_lossy(&answer).into_owned()
}

fn post(statement: &[u8], announced: usize) -> Vec<u8> {
    let head = format!(
        "POST /entries?wait=sequenced HTTP/1.1\r\nhost: log\r\ncontent-type: application/cose\r\nconnection: close\r\n\
         content-length: {announced}\r\n\r\n"
    );
    [head.as_bytes(), statement].concat()
}

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: log\r\nconnection: close\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_does_not_end_is_not_waited_for() {
    let door = Open::door(Served::start().await, bounds()).await;
    let started = Instant::now();
    let answer = door.ask(b"GET /healthz HTTP/1.1\r\nhost: l").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    // Nor is a connection that says nothing at all.
    assert_eq!(door.ask(b"").await, "");
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(door.ask(HEALTH).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_too_large_is_refused() {
    let door = Open::door(Served::start().await, bounds()).await;
    let large = format!("GET /healthz HTTP/1.1\r\nhost: log\r\nx: {}\r\n\r\n", "x".repeat(32 * 1024));
    assert!(door.ask(large.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let many = "a: b\r\n".repeat(200);
    let many = format!("GET /healthz HTTP/1.1\r\nhost: log\r\n{many}\r\n");
    assert!(door.ask(many.as_bytes()).await.starts_with("HTTP/1.1 431"));
    assert!(door.ask(b"no HTTP at all\r\n\r\n").await.starts_with("HTTP/1.1 400"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_refused_in_time_and_enters_nothing() {
    let setting = Setting { body: PATIENCE, ..Setting::default() };
    let door = Open::door(Served::with(Ground::found(), setting).await, bounds()).await;
    let statement = door.served.operator.registration(&door.served.desk, &["requester"], "active");
    let mut stream = door.connect().await;
    stream.write_all(&post(&statement[..10], statement.len())).await.unwrap();
    // A byte now and then does not help.
    for byte in &statement[10..20] {
        tokio::time::sleep(PATIENCE / 5).await;
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("/errors/body-timeout"), "{answer}");
    assert_eq!(door.served.size(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_loses_nothing_and_breaks_nothing() {
    let door = Open::door(Served::start().await, bounds()).await;
    let statement = door.served.desk.intent("gone");
    // Gone in the middle of the body: nothing was sent, so nothing is taken.
    let mut stream = door.connect().await;
    stream.write_all(&post(&statement[..50], statement.len())).await.unwrap();
    drop(stream);
    // Gone before the answer: the log has it, or has it not, and a retry finds out.
    let mut stream = door.connect().await;
    stream.write_all(&post(&statement, statement.len())).await.unwrap();
    drop(stream);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let size = door.served.size();
    let answer = door.ask(&post(&statement, statement.len())).await;
    let status = if size == 3 { "HTTP/1.1 200" } else { "HTTP/1.1 201" };
    assert!(answer.starts_with(status), "{size} entries: {answer}");
    assert_eq!(door.served.size(), 3, "once and not twice");
    assert!(answer.contains("\"index\":2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_left() {
    let served = Served::start().await;
    let statements: Vec<Vec<u8>> =
        (0..254).map(|number| served.desk.intent(&format!("s:{number}"))).collect();
    assert_eq!(served.batch(&statements, "").await.status.as_u16(), 200);
    let one_place = Bounds { connections: 1, header: Duration::from_secs(20), ..bounds() };
    let door = Open::door(served, one_place).await;
    let mut stream = door.connect().await;
    let request = b"GET /tile/entries/000 HTTP/1.1\r\nhost: log\r\n\r\n".repeat(500);
    stream.write_all(&request).await.unwrap();
    // It holds the only place, and gives it up only because it is left.
    let deadline = Instant::now() + Duration::from_secs(10);
    while !door.ask(HEALTH).await.starts_with("HTTP/1.1 200") {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(PATIENCE / 10).await;
    }
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_finishes_what_was_begun_and_takes_no_more() {
    let setting = Setting {
        // No witness answers, so the request waits until its own bound.
        policy: silent_policy(),
        wait: Duration::from_millis(600),
        ..Setting::default()
    };
    let mut door = Open::door(Served::with(Ground::found(), setting).await, bounds()).await;
    let statement = door.served.operator.registration(&door.served.desk, &["requester"], "active");
    let mut stream = door.connect().await;
    let cosigned = [
        format!("POST /entries HTTP/1.1\r\nhost: log\r\ncontent-type: application/cose\r\ncontent-length: {}\r\n\r\n", statement.len()).as_bytes(),
        &statement,
    ]
    .concat();
    stream.write_all(&cosigned).await.unwrap();
    let mut idle = door.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: log\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(150)).await;
    let started = Instant::now();
    door.stop.take().unwrap().send(()).unwrap();
    let answer = read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert!(read_to_end(&mut idle).await.starts_with("HTTP/1.1 200"), "idle connections are closed");
    (&mut door.serving).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(TcpStream::connect(door.address).await.is_err());
    assert_eq!(door.served.size(), 2);
}

fn silent_policy() -> String {
    use countersign_verifier::note::{KeyName, NoteSigner};
    let signer = NoteSigner::from_seed(KeyName::new("silent.example").unwrap(), true, &[9; 32]);
    format!("witness w {} http://127.0.0.1:9/\ngroup g 1 w\nquorum g\n", signer.verifier())
}
