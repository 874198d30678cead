//! `countersign mcp`: no proof, no call.

mod client;
mod endings;
mod interop;
mod smuggling;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::gate::{Gate, assert_kinds, outcome, text};
use client::{Client, audit, call};

/// A gate that allows the tools of the test's server, but for `drop` and unknown ones.
fn gate() -> Gate {
    gate_with("")
}

fn gate_with(first: &str) -> Gate {
    let gate = Gate::start();
    let tools = ["append", "fail", "ask", "task", "error", "sleep", "silent", "die"];
    let rules: String =
        tools.map(|tool| format!("[[tool]]\nname = \"{tool}\"\nserver = \"node\"\n")).concat();
    let search = format!("search_path = [{:?}]\n{first}", client::node().parent().unwrap());
    gate.configure(&search, &rules);
    gate
}

const GOVERNED: [&str; 6] = ["intent", "decision", "authorization", "verification", "outcome", "close"];

/// Takes the quorum away, so that calls are held.
fn without_quorum(gate: &mut Gate) {
    gate.system.witnesses[0].kill();
    gate.system.witnesses[1].kill();
}

/// What the log has of an execution, once the explorer shows its end.
#[track_caller]
fn on_record(gate: &Gate, execution: &str) -> Vec<(String, Value)> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let recorded = gate.recorded(execution);
        if recorded.iter().any(|(kind, _)| kind == "close") || Instant::now() > deadline {
            return recorded;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn payload<'a>(recorded: &'a [(String, Value)], kind: &str) -> &'a Value {
    &recorded.iter().find(|(of, _)| of == kind).unwrap().1
}

#[track_caller]
fn assert_audited(gate: &Gate, execution: &str, verdict: &str) {
    let ran = audit(gate, execution);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(ran.code, Some(if verdict == "partial" { 2 } else { 0 }), "{report:#}");
    assert_eq!(report["lineage"]["verdict"], verdict, "{report:#}");
    let replay =
        report["stages"].as_array().unwrap().iter().find(|line| line["stage"] == "policy_replay").unwrap();
    assert_eq!(replay["verdict"], "pass", "{report:#}");
}

#[test]
fn an_allowed_call_is_passed_on_once_and_recorded_and_all_else_passes_as_it_is() {
    let gate = gate();
    let mut client = Client::start(&gate);
    let made = gate.file("made");
    // Whatever the spelling, what reaches the server are the very bytes.
    let begin = r#"{"jsonrpc" : "2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"x":[1.50,1e3,"\u00e9é"]}}"#;
    client.send(format!("{begin}\r\n"));
    assert_eq!(client.answer(0)["result"]["serverInfo"]["name"], "test");
    client.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    client.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }));
    assert!(client.answer(1)["result"]["tools"].as_array().unwrap().len() > 3);
    let call = format!(
        r#"{{"id":2, "params":{{"arguments":{{"file":{made:?},"text":"once","n":0.5}},"name":"append","_meta":{{"progressToken":7}}}},"method":"tools/call","jsonrpc":"2.0"}}"#
    );
    client.send(format!("{call}\n"));
    assert_eq!(client.result(2), ("appended once".to_owned(), false));
    assert_eq!(std::fs::read_to_string(&made).unwrap(), "once\n");
    // The server may ask as well, and is answered.
    client.say(&json!({ "jsonrpc": "2.0", "method": "notifications/test/ask" }));
    client.hears("roots/list");
    client.say(&json!({ "jsonrpc": "2.0", "id": "from-server", "result": { "roots": [] } }));
    client.reaches("\"roots\":[]");

    let execution = client.settled(1);
    let answer = client.answer_line(2);
    assert!(client.told().iter().any(|line| line == "the server has begun"));
    assert_eq!(client.close().code(), Some(0));
    let reached = client.reached();
    assert_eq!(reached[0], begin);
    assert_eq!(reached.iter().filter(|line| line.contains("tools/call")).collect::<Vec<_>>(), [&call]);

    assert!(execution.starts_with("mcp/"), "{execution}");
    let recorded = on_record(&gate, &execution);
    assert_kinds(&recorded, &GOVERNED);
    assert_eq!(outcome(&recorded), "confirmed");
    let digest = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
    assert_eq!(payload(&recorded, "outcome")["result_digest"]["sha256"], digest(answer.as_bytes()));
    let intent = payload(&recorded, "intent");
    assert_eq!((&intent["action"]["name"], &intent["resource"]["id"]), (&json!("call"), &json!("append")));
    // What is authorized is this server with this very message. A fraction cannot be stated, so that a digest stands for all.
    let server = [client::node(), client::script(), gate.file("journal")];
    let exact = json!({ "argv": server, "cwd": std::env::current_dir().unwrap(), "message": { "sha256": digest(call.as_bytes()) } });
    let exact = serde_json_canonicalizer::to_vec(&exact).unwrap();
    assert_eq!(payload(&recorded, "authorization")["action_digest"]["sha256"], digest(&exact));
    assert!(intent["action"]["properties"]["sha256"].is_string(), "{intent}");
    assert_audited(&gate, &execution, "governed");
}

#[test]
fn a_tool_that_no_rule_permits_is_not_called_and_the_refusal_is_on_record() {
    let gate = gate();
    gate.configure("", "[[tool]]\nname = \"drop\"\narguments = { file = \"/allowed\" }\n");
    let mut client = Client::start(&gate);
    let arguments = json!({ "file": "/other", "text": "dropped" });
    for (id, tool) in [(1, "drop"), (2, "no-such-tool")] {
        client.call(id, tool, &arguments);
        let (said, is_error) = client.result(id);
        let execution = client.settled(id);
        assert!(is_error && said.contains("nothing was executed") && said.contains(&execution), "{said}");
        assert!(said.contains("policy_validation_failed") && said.contains(tool), "{said}");
        let recorded = on_record(&gate, &execution);
        assert_kinds(&recorded, &["intent", "decision", "verification", "outcome", "close"]);
        assert_eq!(outcome(&recorded), "not_executed");
        assert_eq!(payload(&recorded, "decision")["decision"], "deny");
        let properties = &payload(&recorded, "intent")["action"]["properties"];
        assert_eq!(properties["arguments"], arguments);
        assert_eq!(properties["server"][2], text(&gate.file("journal")));
        assert_audited(&gate, &execution, "denied");
    }
    client.call(3, "drop", &json!({ "file": "/allowed" }));
    assert_eq!(client.answer(3)["error"]["message"], "unknown tool drop", "this one the server has got");
    assert_eq!(client.reached().len(), 1);
    // Another server is not the one of the rules.
    client.close();
}

#[test]
fn what_came_of_a_call_is_what_the_server_said_of_it() {
    let gate = gate();
    let mut client = Client::start(&gate);
    for (number, (tool, status, verdict)) in [
        ("fail", "failed", "governed"),
        ("error", "failed", "governed"),
        ("ask", "failed", "governed"),
        ("task", "unknown", "partial"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = number as u64 + 1;
        client.call(number, tool, &json!({}));
        client.answer(number);
        let execution = client.settled(number);
        let recorded = on_record(&gate, &execution);
        assert_kinds(&recorded, &GOVERNED);
        assert_eq!(outcome(&recorded), status, "{tool}: {recorded:#?}");
        assert_audited(&gate, &execution, verdict);
    }
}

#[test]
fn calls_go_on_beside_each_other_and_each_gets_its_own_answer() {
    let gate = gate();
    let mut client = Client::start(&gate);
    // The first take longest, so that answers come in another order than calls.
    for id in 1..=8_u64 {
        client.call(id, "sleep", &json!({ "ms": 900 - 100 * id }));
    }
    client.say(&json!({ "jsonrpc": "2.0", "id": 99, "method": "ping" }));
    client.answer(99);
    for id in 1..=8_u64 {
        assert_eq!(client.result(id), (format!("slept {}", 900 - 100 * id), false));
    }
    for number in 1..=8 {
        let recorded = on_record(&gate, &client.settled(number));
        assert_kinds(&recorded, &GOVERNED);
        assert_eq!(outcome(&recorded), "confirmed");
    }
    assert_eq!(client.reached().iter().filter(|line| line.contains("tools/call")).count(), 8);
}

#[test]
fn without_the_log_or_its_quorum_no_call_is_passed_on() {
    let mut gate = gate();
    let mut client = Client::start(&gate);
    let arguments = json!({ "file": gate.file("made"), "text": "x" });
    gate.system.log.stop();
    client.call(1, "append", &arguments);
    let (said, is_error) = client.result(1);
    assert!(
        is_error && said.contains("nothing was executed") && said.contains("trying again later"),
        "{said}"
    );
    let without_log = client.settled(1);
    gate.system.log.start();

    gate.system.witnesses[0].kill();
    gate.system.witnesses[1].kill();
    client.call(2, "append", &arguments);
    let (said, is_error) = client.result(2);
    assert!(is_error && said.contains("quorum_missing"), "{said}");
    let without_quorum = client.settled(2);
    assert!(!gate.file("made").exists(), "a call was passed on without a quorum");

    // When all are back, so is the gate, and what it could not record before it records with the next start.
    gate.system.witnesses[0].start();
    gate.system.witnesses[1].start();
    gate.system.log.published(gate.system.policy(), gate.system.size());
    client.call(3, "append", &arguments);
    assert_eq!(client.result(3), ("appended x".to_owned(), false));
    client.settled(3);
    assert_eq!(client.close().code(), Some(0));
    let mut next = Client::start_with(&gate, "next", &[]);
    assert_eq!(next.close().code(), Some(0));
    for execution in [without_log, without_quorum] {
        let recorded = on_record(&gate, &execution);
        assert_eq!(outcome(&recorded), "not_executed", "{recorded:#?}");
        let verified = |(kind, says): &(String, Value)| kind == "verification" && says["result"] == "pass";
        assert!(!recorded.iter().any(verified), "{recorded:#?}");
    }
}

#[test]
fn withheld_arguments_of_calls_are_nowhere_in_the_log() {
    let gate = gate_with("arguments = \"withheld\"");
    let mut client = Client::start(&gate);
    client.call(1, "append", &json!({ "file": gate.file("made"), "text": "a-secret" }));
    assert_eq!(client.result(1), ("appended a-secret".to_owned(), false));
    let execution = client.settled(1);
    let recorded = format!("{:?}", on_record(&gate, &execution));
    assert!(!recorded.contains("a-secret") && !recorded.contains("mcp-server.mjs"), "{recorded}");
}

#[test]
fn a_configuration_without_tools_and_a_server_that_is_not_there_are_told_apart() {
    use countersign_tests::harness::{Program, run};
    let gate = Gate::start();
    let mcp = |server: &str| run(Program::Countersign, ["mcp", "--config", text(&gate.config), "--", server]);
    assert!(mcp("sh").fails(1).contains("[[tool]]"));
    gate.configure("", "[[tool]]\nname = \"append\"\n");
    assert!(mcp("no-such-server").fails(127).contains("search_path"));
    let not_a_program = gate.file("not-a-program");
    std::fs::write(&not_a_program, "").unwrap();
    std::fs::set_permissions(&not_a_program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    // An empty file is a program to a shell only.
    assert!(mcp(text(&not_a_program)).fails(126).contains("the server was not started"));
    // A server by another name than that of the rules is another server.
    let gate = gate_with("");
    let other = gate.file("node");
    std::os::unix::fs::symlink(client::node(), &other).unwrap();
    let mut client = Client::start_by(&gate, &other);
    client.say(&call(1, "append", &json!({ "file": gate.file("made"), "text": "x" })));
    assert!(client.result(1).0.contains("policy_validation_failed"));
}
