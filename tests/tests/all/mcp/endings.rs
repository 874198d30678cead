//! How it ends: by the client, the server, a signal, a crash.

use serde_json::json;

use super::{Client, GOVERNED, assert_audited, gate, gate_with, on_record, without_quorum};
use crate::gate::{Gate, assert_kinds, outcome};

/// Starts the proxy once more, which takes up what was left behind.
fn again(gate: &Gate) {
    let mut next = Client::start_with(gate, "next", &[]);
    assert_eq!(next.close().code(), Some(0));
}

#[test]
fn a_server_that_dies_in_a_call_leaves_it_unknown_and_the_client_is_warned() {
    let gate = gate();
    let mut client = Client::start(&gate);
    client.call(1, "die", &json!({}));
    let (said, is_error) = client.result(1);
    assert!(is_error && said.contains("not known") && said.contains("do not repeat it"), "{said}");
    assert_eq!(client.end().code(), Some(128 + 9));
    let execution = client.settled(1);
    let recorded = on_record(&gate, &execution);
    assert_kinds(&recorded, &GOVERNED);
    assert_eq!(outcome(&recorded), "unknown");
    assert_audited(&gate, &execution, "partial");
}

#[test]
fn an_answer_that_does_not_come_in_time_is_not_waited_for() {
    let gate = gate_with("answer_seconds = 1");
    let mut client = Client::start(&gate);
    client.call(1, "silent", &json!({}));
    let (said, is_error) = client.result(1);
    assert!(is_error && said.contains("no answer came within 1 seconds"), "{said}");
    assert_eq!(outcome(&on_record(&gate, &client.settled(1))), "unknown");
    // One that comes after all is nobody's.
    client.call(2, "sleep", &json!({ "ms": 1500 }));
    client.result(2);
    client.tells("an answer of the server was not passed on");
    client.call(3, "sleep", &json!({ "ms": 0 }));
    assert_eq!(client.result(3), ("slept 0".to_owned(), false));
}

#[test]
fn a_cancelled_call_is_not_made_while_it_is_held_and_the_server_hears_of_it_after_that() {
    let mut gate = gate();
    let mut client = Client::start(&gate);
    let cancel = |id: u64| json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } });
    client.call(1, "sleep", &json!({ "ms": 60_000 }));
    client.reaches("60000");
    client.say(&cancel(1));
    client.reaches("notifications/cancelled");
    let forwarded = client.settled(1);

    without_quorum(&mut gate);
    client.call(2, "append", &json!({ "file": gate.file("made"), "text": "x" }));
    let held = client.execution(2);
    client.say(&cancel(2));
    client.tells("the client cancelled the call");
    gate.system.witnesses[0].start();
    gate.system.witnesses[1].start();
    assert_eq!(client.settled(2), held);
    client.close();
    again(&gate);
    assert!(!gate.file("made").exists());
    assert_eq!(client.said(), [""; 0], "who cancels expects no answer");
    assert_eq!(client.reached().len(), 2, "of the second the server heard nothing: {:#?}", client.reached());
    let recorded = on_record(&gate, &forwarded);
    assert_kinds(&recorded, &GOVERNED);
    assert_eq!(outcome(&recorded), "unknown");
    let recorded = on_record(&gate, &held);
    assert_eq!(outcome(&recorded), "not_executed");
    assert!(recorded.iter().any(|(_, says)| says.to_string().contains("cancelled")), "{recorded:#?}");
}

#[test]
fn what_a_killed_proxy_leaves_behind_is_recorded_by_the_next() {
    let mut gate = gate();
    let mut client = Client::start(&gate);
    client.call(1, "silent", &json!({}));
    client.reaches("silent");
    let forwarded = client.execution(1);
    without_quorum(&mut gate);
    client.call(2, "append", &json!({ "file": gate.file("made"), "text": "x" }));
    let held = client.execution(2);
    client.kill();
    gate.system.witnesses[0].start();
    gate.system.witnesses[1].start();
    gate.system.log.published(gate.system.policy(), gate.system.size());
    again(&gate);
    assert!(!gate.file("made").exists());
    let recorded = on_record(&gate, &forwarded);
    assert_kinds(&recorded, &GOVERNED);
    assert_eq!(outcome(&recorded), "unknown");
    assert_audited(&gate, &forwarded, "partial");
    let recorded = on_record(&gate, &held);
    assert_eq!(outcome(&recorded), "not_executed");
    // What was authorized and not used is used up: the log has the end of it.
    assert_eq!(recorded.last().unwrap().0, "close");
}

#[test]
fn told_to_end_it_passes_nothing_more_on_and_records_what_it_knows() {
    let mut gate = gate();
    let mut client = Client::start(&gate);
    client.call(1, "silent", &json!({}));
    client.reaches("silent");
    without_quorum(&mut gate);
    client.call(2, "append", &json!({ "file": gate.file("made"), "text": "x" }));
    client.execution(2);
    client.terminate();
    assert!(client.result(2).0.contains("was told to end"));
    assert!(client.result(1).0.contains("the server ended before it answered"));
    assert_eq!(client.end().code(), Some(128 + 15));
    assert!(!gate.file("made").exists());
    let (forwarded, held) = (client.execution(1), client.execution(2));
    gate.system.witnesses[0].start();
    gate.system.witnesses[1].start();
    gate.system.log.published(gate.system.policy(), gate.system.size());
    again(&gate);
    assert_eq!(outcome(&on_record(&gate, &forwarded)), "unknown");
    assert_eq!(outcome(&on_record(&gate, &held)), "not_executed");
}

#[test]
fn a_client_that_closes_its_end_gets_the_answers_of_what_was_passed_on_and_nothing_more_is() {
    let mut gate = gate();
    let mut client = Client::start_with(&gate, "journal", &["5"]);
    client.call(1, "sleep", &json!({ "ms": 1_500 }));
    client.reaches("1500");
    without_quorum(&mut gate);
    client.call(2, "append", &json!({ "file": gate.file("made"), "text": "x" }));
    client.execution(2);
    assert_eq!(client.close().code(), Some(5), "the exit code is the server's");
    assert_eq!(client.result(1), ("slept 1500".to_owned(), false));
    assert!(client.result(2).0.contains("the client closed its end"));
    assert!(!gate.file("made").exists());
    gate.system.witnesses[0].start();
    gate.system.witnesses[1].start();
    gate.system.log.published(gate.system.policy(), gate.system.size());
    again(&gate);
    assert_eq!(outcome(&on_record(&gate, &client.settled(1))), "confirmed");
    assert_eq!(outcome(&on_record(&gate, &client.settled(2))), "not_executed");
}
