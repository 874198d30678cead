//! What could reach the server beside the gate, and does not.

use serde_json::{Value, json};

use super::{Client, gate, without_quorum};

#[test]
fn no_call_reaches_the_server_unheld_and_every_refusal_says_why() {
    let gate = gate();
    let mut client = Client::start(&gate);
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"append"}}"#;
    let smuggled = [
        format!("[{call}]"),
        format!("[{call},{call}]"),
        format!("{call}{call}"),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"append"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list","params":{"name":"append"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call","params":{"name":"append"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"append"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"append"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"TOOLS/call","params":{"name":"append"}}"#.to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"append","name":"die"}}"#
            .to_owned(),
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"append","Arguments":{}}}"#
            .to_owned(),
        format!(r#"{{"jsonrpc":"2.0","method":"x","params":{{"a":{}{call}{}}}}}"#, "\r", "\r"),
        "\u{feff}".to_owned() + call,
        String::new(),
    ];
    for line in &smuggled {
        client.send(format!("{line}\n"));
    }
    // A line too long is passed over, and what follows is read.
    client.send(format!("{{\"a\":\"{}\"}}\n", "x".repeat(17 * 1024 * 1024)));
    client.say(&json!({ "jsonrpc": "2.0", "id": 77, "method": "ping" }));
    client.answer(77);
    let said: Vec<Value> = client.said().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let refusals = said.iter().filter(|message| {
        let text = message["error"]["message"].as_str().unwrap_or_default();
        text.starts_with("countersign did not pass this message on: ")
    });
    assert_eq!(refusals.count(), smuggled.len() + 1, "{said:#?}");
    // A line that its stream cuts off is none.
    client.send(call);
    client.close();
    assert_eq!(client.reached(), [r#"{"jsonrpc":"2.0","id":77,"method":"ping"}"#]);
    assert!(client.told().iter().any(|line| line.contains("the stream ended before the line did")));
}

#[test]
fn an_id_that_waits_for_its_answer_is_not_taken_again() {
    let gate = gate();
    let mut client = Client::start(&gate);
    client.call(1, "sleep", &json!({ "ms": 700 }));
    client.call(1, "append", &json!({ "file": gate.file("made"), "text": "x" }));
    client.say(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }));
    let refused = client.hears("expected another id");
    // It is not one that could be taken for the answer.
    assert!(serde_json::from_str::<Value>(&refused).unwrap()["id"].is_null());
    assert_eq!(client.result(1), ("slept 700".to_owned(), false));
    client.call(1, "append", &json!({ "file": gate.file("made"), "text": "later" }));
    client.hears("appended later");
    assert_eq!(std::fs::read_to_string(gate.file("made")).unwrap(), "later\n");
}

#[test]
fn what_the_server_says_unasked_or_out_of_form_does_not_reach_the_client() {
    let mut gate = gate();
    let mut client = Client::start(&gate);
    // The call is held for as long as there is no quorum: the server has not got it.
    without_quorum(&mut gate);
    client.call(1, "sleep", &json!({ "ms": 500 }));
    let answer =
        |id: u64| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[],"forged":true}}}}"#);
    for line in
        ["listening on port 80", &answer(1), &answer(5), &answer(1).replace("\"id\"", "\"id\":9,\"id\"")]
    {
        let params = json!({ "line": line });
        client.say(&json!({ "jsonrpc": "2.0", "method": "notifications/test/say", "params": params }));
    }
    client.tells("a line of the server was not passed on");
    for id in [1, 5] {
        client.tells(&format!("it has the id {id}, which is that of no request that waits for an answer"));
    }
    client.say(&json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" }));
    client.answer(2);
    assert_eq!(client.said().len(), 1, "{:#?}", client.said());
}
