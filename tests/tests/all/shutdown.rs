//! SIGTERM: every program ends in good order and in time, whoever holds it up, and nothing acknowledged is lost.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use countersign_tests::hammer::load::Wait;
use countersign_tests::harness::{Process, Program, Setup, System, execution, post, register};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::crashes::{Load, head};
use crate::submitting::json;
use crate::tree;

/// What every program is given to end in.
const BOUND: Duration = Duration::from_secs(3);
/// What the rest of a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(3);

const SLOW_CLIENTS: &str = "closing connections that did not finish in time";
const SLOW_WITNESSES: &str = "the witness does not cosign";

fn start() -> (System, Issuer) {
    let log_warnings = vec![SLOW_CLIENTS, SLOW_WITNESSES, "the time to end in is over"];
    let log_flags = vec!["--shutdown-timeout", "3s", "--wait-timeout", "60s"];
    let system = System::start_with(&Setup { log_flags, log_warnings, ..Setup::default() });
    let requester = register(&system, "requester", &["requester"]);
    (system, requester)
}

fn intent(requester: &Issuer) -> Vec<u8> {
    let statement = requester.state(Kind::Intent, &execution("end"), None, Value::Object(request()));
    statement.unwrap().into_bytes()
}

/// Clients that hold a server up: one says nothing, one does not end its header, one does not end its body.
fn slow_clients(url: &str) -> Vec<TcpStream> {
    let address = url.trim_start_matches("http://");
    let body = b"POST /entries HTTP/1.1\r\nhost: log\r\ncontent-type: application/cose\r\ncontent-length: 999\r\n\r\n\xd2";
    let said: [&[u8]; 3] = [b"", b"GET /checkpoint HTTP/1.1\r\nhost: l", body];
    let open = |said: &[u8]| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(said).unwrap();
        stream
    };
    said.into_iter().map(open).collect()
}

/// Nothing but an answer or a clean end comes to these clients.
fn assert_closed(clients: Vec<TcpStream>) {
    for mut client in clients {
        client.set_read_timeout(Some(SLACK)).unwrap();
        let mut answer = Vec::new();
        if let Err(error) = client.read_to_end(&mut answer) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "the connection is still open");
        }
        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1.1 "),
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
}

/// Runs what ends something, and expects it to be in time.
#[track_caller]
fn in_time(end: impl FnOnce()) {
    let began = Instant::now();
    end();
    let took = began.elapsed();
    assert!(took < BOUND + SLACK, "it took {took:?} to end, and had {BOUND:?}");
}

#[test]
fn a_log_that_ends_under_load_keeps_what_it_acknowledged() {
    let (mut system, requester) = start();
    for wait in [Wait::Sequenced, Wait::Cosigned] {
        let load = Load::new(&requester, wait);
        let before = head(&system);
        let tally = load.run(&mut system, |system| {
            std::thread::sleep(Duration::from_millis(900));
            let clients = slow_clients(system.log.url());
            in_time(|| system.log.stop());
            assert_closed(clients);
            system.log.start();
        });
        load.check(&system, before, &tally);
        load.resubmit(&system, &tally);
    }
    tree::rehash(&system);
}

#[test]
fn witnesses_that_hang_do_not_hold_up_a_log_and_its_clients_are_told_where_their_entries_are() {
    let (mut system, requester) = start();
    system.witnesses.iter().for_each(countersign_tests::harness::Witness::freeze);
    let url = system.log.url().to_owned();
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let (url, statement) = (url.clone(), intent(&requester));
            let answer = {
                let statement = statement.clone();
                std::thread::spawn(move || {
                    post(&url, "/entries?wait=cosigned", "application/cose", statement)
                })
            };
            (statement, answer)
        })
        .collect();
    // They are in the log, and wait for nothing but the witnesses.
    std::thread::sleep(Duration::from_millis(700));
    in_time(|| system.log.stop());
    system.witnesses.iter().for_each(countersign_tests::harness::Witness::thaw);
    system.log.start();
    for (statement, answer) in waiting {
        let answer = answer.join().unwrap();
        assert_eq!(answer.status.as_u16(), 202, "{}", String::from_utf8_lossy(&answer.body));
        let index = json(&answer)["index"].clone();
        let again = post(system.log.url(), "/entries", "application/cose", statement);
        assert_eq!((again.status.as_u16(), &json(&again)["index"]), (200, &index));
    }
}

#[test]
fn a_witness_ends_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    countersign_tests::harness::run(Program::Witness, ["init", "--data", data, "--name", "w.example"])
        .holds();
    let args = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--shutdown-timeout", "3s"];
    let mut witness = Process::start(Program::Witness, args, "witness", &[]);
    let clients = slow_clients(&witness.url().unwrap());
    std::thread::sleep(Duration::from_millis(100));
    in_time(|| assert_eq!(witness.terminate().code(), Some(0)));
    assert_closed(clients);
}

#[test]
fn an_explorer_ends_in_time() {
    let system = System::start();
    let policy = system.policy_file();
    let args = ["--log", system.log.url(), "--policy", policy.to_str().unwrap(), "--listen", "127.0.0.1:0"];
    let args = args.into_iter().chain(["--shutdown-timeout", "3s"]);
    let mut explorer = Process::start(Program::Explorer, args, "explorer", &[]);
    let clients = slow_clients(&explorer.url().unwrap());
    std::thread::sleep(Duration::from_millis(100));
    in_time(|| assert_eq!(explorer.terminate().code(), Some(0)));
    assert_closed(clients);
}
