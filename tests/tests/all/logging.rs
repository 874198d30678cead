//! What the log's file says of a request, as docs/LOGGING.md has it.

use std::time::{Duration, Instant};

use countersign_tests::harness::{Setup, System, execution, expect_code, issuer_name, post, register};
use countersign_tests::statements::request;
use countersign_verifier::statement::Kind;
use serde_json::Value;

/// The fields of the line about the request with this id.
#[track_caller]
fn line(system: &System, id: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        // The first line on standard output is the URL, and no line of the log file.
        let lines: Vec<Value> =
            system.log.output().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let about = |line: &&Value| line["target"] == "request" && line["span"]["id"] == id;
        if let Some(line) = lines.iter().find(about) {
            return line["span"].clone();
        }
        assert!(Instant::now() < deadline, "no line about {id}: {lines:#?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_line_about_a_submission_names_issuer_and_index() {
    let mut system =
        System::start_with(&Setup { log_flags: vec!["--log-format", "json"], ..Setup::default() });
    system.log.stop();
    system.log.log_as("info,request=debug");
    system.log.start();
    let url = system.log.url().to_owned();
    let requester = register(&system, "requester", &["requester"]);
    let intent = || {
        let payload = Value::Object(request());
        requester.state(Kind::Intent, &execution("told"), None, payload).unwrap().into_bytes()
    };
    let send = |path: &str, media_type: &str, body: Vec<u8>| {
        let answer = post(&url, path, media_type, body);
        let id = answer.header("x-request-id").unwrap().to_owned();
        (answer, line(&system, &id))
    };
    let name = issuer_name("requester").to_string();

    let entered = intent();
    let (answer, told) = send("/entries", "application/cose", entered.clone());
    assert_eq!(answer.status.as_u16(), 201);
    assert_eq!((&told["issuer"], &told["status"]), (&Value::from(name.as_str()), &Value::from(201)));
    let index = told["index"].as_u64().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/entries/{index}").as_str()));

    let (answer, told) = send("/entries/batch", "application/cbor-seq", [intent(), intent()].concat());
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!((&told["issuer"], &told["index"]), (&name.as_str().into(), &(index + 1).into()));

    // Nobody can have a name written down that he cannot sign for.
    let mut forged = entered;
    *forged.last_mut().unwrap() ^= 1;
    let (answer, told) = send("/entries", "application/cose", forged);
    expect_code(&answer, 400, "signature-invalid");
    assert!(told.get("issuer").is_none() && told.get("index").is_none(), "{told}");
}
