//! Requests that are none, or ask for what is not there.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use countersign_tests::harness::{System, expect_code, get, post, problem_code, request};
use countersign_tests::statements::random;
use hyper::Method;

use super::{BATCH, COSE, JSON, Trials, raw, requester};

#[test]
fn requests_that_ask_for_what_is_not() {
    let system = System::start();
    let issuer = requester(&system);
    let mut trials = Trials::new(&system);
    let url = system.log.url();
    let good = || raw(&issuer).sign(&issuer);
    trials.refuse("another media type", "/entries", "text/plain", good(), 415, "unsupported-media-type");
    trials.refuse(
        "a query that is not",
        "/entries?wiat=cosigned",
        COSE,
        good(),
        400,
        "query-parameter-unknown",
    );
    trials.refuse(
        "a query twice",
        "/entries?wait=cosigned&wait=cosigned",
        COSE,
        good(),
        400,
        "query-parameter-unknown",
    );
    trials.refuse(
        "a wait that is not",
        "/entries?wait=for-godot",
        COSE,
        good(),
        400,
        "query-parameter-invalid",
    );
    trials.refuse("an empty batch", "/entries/batch", BATCH, Vec::new(), 400, "batch-malformed");
    trials.refuse(
        "a batch of no CBOR",
        "/entries/batch",
        BATCH,
        [&good()[..], &[0xff]].concat(),
        400,
        "batch-malformed",
    );
    trials.refuse("a batch cut off", "/entries/batch", BATCH, good()[..100].to_vec(), 400, "batch-malformed");
    trials.refuse("a batch of 1025", "/entries/batch", BATCH, vec![0; 1025], 413, "batch-too-long");
    let send = |method: Method, path: &str, headers: &[(&str, &str)]| {
        let body = Bytes::from(if method == Method::GET { Vec::new() } else { good() });
        request(url, method, path, headers, body).unwrap()
    };
    let zipped = send(Method::POST, "/entries", &[("content-type", COSE), ("content-encoding", "gzip")]);
    trials.expect("a packed body", &zipped, 415, "unsupported-content-encoding");
    let picture = send(Method::POST, "/entries", &[("content-type", COSE), ("accept", "image/png")]);
    trials.expect("an answer in pictures", &picture, 406, "not-acceptable");
    let deleted = send(Method::DELETE, "/entries", &[]);
    trials.expect("to delete", &deleted, 405, "method-not-allowed");
    assert!(deleted.header("allow").is_some_and(|allow| allow.contains("POST")));
    for (path, status, code) in [
        ("/tile/0/0", 404, "tile-path-invalid"),
        ("/tile/0/000.p/0", 404, "tile-path-invalid"),
        ("/tile/0/x000/000", 404, "tile-path-invalid"),
        ("/tile/entries/..%2f000", 404, "tile-path-invalid"),
        ("/tile/0/000", 404, "tile-not-published"),
        ("/tile/0/001.p/1", 404, "tile-not-published"),
        ("/tile/entries/000.p/200", 404, "tile-not-published"),
        ("/proof/inclusion?index=0", 400, "query-parameter-invalid"),
        ("/proof/inclusion?index=00&size=1", 400, "query-parameter-invalid"),
        ("/proof/inclusion?index=0&size=99999", 404, "size-not-published"),
        ("/proof/inclusion?index=1&size=1", 404, "index-not-in-tree"),
        ("/proof/consistency?from=2&to=1", 400, "query-parameter-invalid"),
        ("/proof/consistency?from=1&to=9223372036854775808", 400, "query-parameter-invalid"),
        ("/issuers/nobody.json", 404, "issuer-not-found"),
        ("/errors/no-such-problem", 404, "not-found"),
    ] {
        let answer =
            request(url, Method::GET, path, &[("accept", "application/problem+json")], Bytes::new()).unwrap();
        trials.expect(path, &answer, status, code);
    }
    trials.finish(12);
}

#[test]
fn a_body_that_announces_too_much_is_refused_before_it_comes() {
    let system = System::start();
    let authority = system.log.url().trim_start_matches("http://");
    for (path, kind, length) in
        [("/entries", COSE, 65_536_u64), ("/entries", JSON, 1 << 20), ("/entries/batch", BATCH, 17 << 20)]
    {
        for length in [length, u64::MAX] {
            let mut stream = TcpStream::connect(authority).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\ncontent-type: {kind}\r\n");
            write!(stream, "{head}content-length: {length}\r\nconnection: close\r\n\r\n").unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            let answer = String::from_utf8_lossy(&answer);
            let refused = answer.starts_with("HTTP/1.1 413") && answer.contains("/errors/body-too-large");
            // What no length can be is not even a request.
            assert!(refused || (length == u64::MAX && answer.starts_with("HTTP/1.1 4")), "{answer}");
        }
    }
}

#[test]
fn clients_that_break_off_or_talk_something_else() {
    let system = System::start();
    let issuer = requester(&system);
    let statement = raw(&issuer).sign(&issuer);
    let authority = system.log.url().trim_start_matches("http://");
    let connect = || {
        let stream = TcpStream::connect(authority).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    };
    let head = format!("POST /entries HTTP/1.1\r\nhost: {authority}\r\ncontent-type: application/cose\r\n");
    for _ in 0..20 {
        let mut stream = connect();
        write!(stream, "{head}content-length: {}\r\n\r\n", statement.len()).unwrap();
        stream.write_all(&statement[..statement.len() - 1]).unwrap();
    }
    for nonsense in [
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        format!("{head}content-length: -1\r\n\r\n").into_bytes(),
        format!("{head}content-length: 1\r\ncontent-length: 2\r\n\r\nab").into_bytes(),
        format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n").into_bytes(),
        format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(100_000)).into_bytes(),
    ] {
        let mut stream = connect();
        // The server may hang up before it has all of it.
        let _ = stream.write_all(&nonsense);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 20"), "{}", String::from_utf8_lossy(&answer));
    }
    // Clients that went away before their answer: whether the statement got in or not, it is in once in the end.
    for _ in 0..3 {
        let mut stream = connect();
        write!(stream, "{head}content-length: {}\r\n\r\n", statement.len()).unwrap();
        stream.write_all(&statement).unwrap();
    }
    let again = post(system.log.url(), "/entries", COSE, statement);
    assert!(again.status.is_success(), "{}", String::from_utf8_lossy(&again.body));
    assert_eq!(system.size(), 3);
}

#[test]
fn random_bytes_bring_nothing_down() {
    let system = System::start();
    let issuer = requester(&system);
    let size = system.size();
    let good = raw(&issuer).sign(&issuer);
    for round in 0..300 {
        let [at, bit, kind, length]: [u8; 4] = random().unwrap();
        let mut body = if round % 3 == 0 { random::<200>().unwrap().to_vec() } else { good.clone() };
        let place = usize::from(at) * body.len() / 256;
        body[place] ^= 1 << (bit % 8);
        if length % 4 == 0 {
            body.truncate(place);
        }
        let (path, kind) = match kind % 3 {
            0 => ("/entries", COSE),
            1 => ("/entries/batch", BATCH),
            _ => ("/entries", JSON),
        };
        let answer = post(system.log.url(), path, kind, body);
        assert!(answer.status.as_u16() < 500, "{}", String::from_utf8_lossy(&answer.body));
        if answer.status.as_u16() != 200 {
            assert!(problem_code(&answer).is_some(), "{}", String::from_utf8_lossy(&answer.body));
        }
    }
    assert_eq!(system.size(), size);
    let answer = get(system.log.url(), "/errors");
    assert_eq!(answer.status.as_u16(), 200);
    let page = String::from_utf8_lossy(&answer.body).into_owned();
    let codes: BTreeSet<&str> =
        page.split("/errors/").skip(1).filter_map(|rest| rest.split(['"', '<', '\'']).next()).collect();
    assert!(codes.len() > 50, "/errors lists {} problems", codes.len());
    for code in codes {
        assert_eq!(get(system.log.url(), &format!("/errors/{code}")).status.as_u16(), 200, "/errors/{code}");
    }
    expect_code(&get(system.log.url(), "/proof/inclusion"), 400, "query-parameter-invalid");
}
