use proptest::prelude::*;
use serde_json::{Value, json};

use super::answer::{Answer, FromServer};
use super::json::folded;
use super::line::Line;
use super::message::{Call, Id, Message, MessageError, Refused};
use super::pending::{Answered, MAX_CALLS, MAX_PENDING, Pending, PendingError};

fn read(text: &str) -> Result<Message, Refused> {
    Message::read(text.as_bytes())
}

fn why(text: &str) -> MessageError {
    read(text).expect_err(text).why
}

#[test]
fn messages_are_what_they_say() {
    let call = read(
        r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t","arguments":{"x":[1.5]},"_meta":{"progressToken":1}}}"#,
    );
    let arguments = json!({ "x": [1.5] }).as_object().unwrap().clone();
    let expected = Call { id: Id::Text("a".to_owned()), tool: "t".parse().unwrap(), arguments };
    assert_eq!(call, Ok(Message::Call(expected)));
    for (text, expected) in [
        (r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, Message::Request(Id::Integer(1))),
        (r#"{"jsonrpc":"2.0","id":-3,"method":"tools/list"}"#, Message::Request(Id::Integer(-3))),
        (r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, Message::Other),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#,
            Message::Cancel(Id::Integer(7)),
        ),
        (
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null}}"#,
            Message::Other,
        ),
        (r#"{"jsonrpc":"2.0","id":"s","result":{"method":"tools/call"}}"#, Message::Other),
        (r#"{"jsonrpc":"2.0","id":"s","error":{"code":-1,"message":"no"}}"#, Message::Other),
        (r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"no"}}"#, Message::Other),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"method":"tools/call","a":{"A":1,"a":2}}}"#,
            Message::Request(Id::Integer(1)),
        ),
    ] {
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

/// What a reader could take for a call, and another one not.
#[test]
fn what_two_readers_could_read_in_two_ways_is_refused() {
    let with = |more: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list"{more}}}"#);
    assert!(read(&with("")).is_ok());
    assert!(matches!(why(&with(r#","method":"tools/call""#)), MessageError::Twice(_)));
    assert!(matches!(why(&with(r#","m\u0065thod":"tools/call""#)), MessageError::Twice(_)));
    assert!(matches!(why(&with(r#","params":{"a":1,"a":2}"#)), MessageError::Twice(_)));
    for name in ["Method", "METHOD", "ID", "param\u{17f}", "_meta", "methods"] {
        assert_eq!(why(&with(&format!(r#","{name}":"tools/call""#))), MessageError::Member(name.to_owned()));
    }
    assert_eq!(why(&with(r#","result":{}"#)), MessageError::Kind);
    assert_eq!(why(&with(",\r\"params\":{}")), MessageError::CarriageReturn);
    for text in ["[]", "[1]", r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}]"#] {
        assert_eq!(why(text), MessageError::Batch);
    }
    for text in ["", " ", "{", "nul", "{} {}", "\u{feff}{}", r#"{"jsonrpc":"2.0"}{}"#] {
        assert!(matches!(why(text), MessageError::Syntax(_)), "{text:?}");
    }
    assert_eq!(why("1"), MessageError::NotAnObject);
    for version in ["\"2\"", "2.0", "null", "\"2.0 \""] {
        assert_eq!(why(&format!(r#"{{"jsonrpc":{version},"method":"x"}}"#)), MessageError::Version);
    }
    for id in ["null", "1.0", "1.5", "[1]", "true", "9007199254740993", "1e3"] {
        assert_eq!(why(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"x"}}"#)), MessageError::Id, "{id}");
    }
    for method in [
        "Tools/Call",
        "tools/call ",
        " tools/call",
        "tools/call\\u0000",
        "tool\u{17f}/call",
        "TOOLS/CALL",
        "a b",
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"name":"t"}}}}"#);
        assert!(matches!(why(&text), MessageError::Method(_)), "{text}");
    }
    for text in [
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":1,"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":1,"params":{}}"#,
    ] {
        assert_eq!(why(text), MessageError::Kind, "{text}");
    }
}

#[test]
fn a_call_is_one_that_can_be_answered_and_means_one_thing() {
    let call =
        |params: &str| format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
    assert_eq!(
        why(r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t"}}"#),
        MessageError::CallWithoutId
    );
    assert!(matches!(why(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#), MessageError::Call(_)));
    for params in [
        "[]",
        "null",
        "{}",
        r#"{"name":1}"#,
        r#"{"name":"t","arguments":null}"#,
        r#"{"name":"t","arguments":[]}"#,
    ] {
        let refused = read(&call(params)).unwrap_err();
        assert!(matches!(refused.why, MessageError::Call(_)), "{params}");
        assert_eq!(refused.id, Some(Id::Integer(1)), "whoever asked is answered");
    }
    for name in ["", "a b", "é", &"x".repeat(129)] {
        assert!(matches!(why(&call(&format!(r#"{{"name":"{name}"}}"#))), MessageError::Tool(_)), "{name}");
    }
    for params in [
        r#"{"name":"t","Name":"u"}"#,
        r#"{"name":"t","ARGUMENTS":{"a":1}}"#,
        r#"{"name":"t","argument\u017f":{"a":1}}"#,
        r#"{"name":"t","Task":{}}"#,
        r#"{"name":"t","other":1,"Other":2}"#,
        r#"{"name":"t","arguments":{"path":"/a","PATH":"/b"}}"#,
    ] {
        assert!(matches!(why(&call(params)), MessageError::Alike(..)), "{params}");
    }
    assert!(read(&call(r#"{"name":"t","other":1,"arguments":{"deep":{"a":1,"A":2}}}"#)).is_ok());
}

/// Whether the most forgiving of all readers finds a call in these bytes: it takes any line end for one, the last of
/// several members, capitals for small letters, white space for nothing, and an array for its elements.
fn somebody_reads_a_call(bytes: &[u8]) -> bool {
    fn calls(value: &Value) -> bool {
        match value {
            Value::Array(elements) => elements.iter().any(calls),
            Value::Object(members) => members.iter().any(|(name, value)| {
                folded(name) == "method"
                    && value.as_str().is_some_and(|method| folded(method.trim()) == "tools/call")
            }),
            _ => false,
        }
    }
    bytes
        .split(|byte| matches!(byte, b'\n' | b'\r'))
        .any(|line| serde_json::from_slice::<Value>(line).is_ok_and(|value| calls(&value)))
}

fn piece() -> impl Strategy<Value = String> {
    let fixed = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\r",
        " ",
        r#""jsonrpc":"2.0""#,
        r#""id":1"#,
        r#""method":"tools/call""#,
        r#""method":"tools/list""#,
        r#""Method":"tools/call""#,
        r#""params":{"name":"t"}"#,
        r#""params":"#,
        r#""a":"#,
        r#""m\u0065thod":"tools\/call""#,
        r#""result":{}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}"#,
    ];
    prop_oneof![9 => prop::sample::select(fixed.to_vec()).prop_map(str::to_owned), 1 => ".{0,3}"]
}

fn message() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat()),
        prop::collection::vec(piece(), 1..6).prop_map(|pieces| format!("{{{}}}", pieces.join(","))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    /// Nothing is passed on unheld in which anybody could read a call.
    #[test]
    fn no_bytes_smuggle_a_call(text in message()) {
        if let Ok(Message::Request(_) | Message::Cancel(_) | Message::Other) = read(&text) {
            prop_assert!(!somebody_reads_a_call(text.as_bytes()), "{}", text);
        }
    }

    /// Whatever is read as a call is one that everybody reads as the same one.
    #[test]
    fn what_is_held_is_what_the_server_reads(text in message()) {
        if let Ok(Message::Call(call)) = read(&text) {
            let value: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&value["method"], "tools/call");
            prop_assert_eq!(value["params"]["name"].as_str(), Some(call.tool.as_str()));
            prop_assert!(!text.contains(['\r', '\n']));
        }
    }

    #[test]
    fn no_bytes_end_the_process(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = Message::read(&bytes);
        let _ = FromServer::read(Line::new(bytes));
    }
}

fn answer(text: &str) -> Answer {
    match FromServer::read(Line::new(text.as_bytes().to_vec())) {
        Ok(FromServer::Answer(_, answer)) => answer,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn an_answer_says_how_the_call_ended() {
    let at = countersign_verifier::statement::UnixSeconds::new(1).unwrap();
    for (member, status) in [
        (r#""result":{"content":[],"isError":false}"#, "confirmed"),
        (r#""result":{"content":[],"resultType":"complete"}"#, "confirmed"),
        (r#""result":{"content":[],"isError":true}"#, "failed"),
        (r#""result":{"content":[],"isError":"yes"}"#, "failed"),
        (r#""error":{"code":-32602,"message":"no"}"#, "failed"),
        (r#""result":{"resultType":"input_required","requestState":"s"}"#, "failed"),
        (r#""result":{"task":{"taskId":"1"}}"#, "unknown"),
        (r#""result":{"resultType":"task","taskId":"1"}"#, "unknown"),
        (r#""result":{"resultType":1}"#, "unknown"),
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,{member}}}"#);
        assert_eq!(answer(&text).outcome(at, at).status.as_str(), status, "{text}");
    }
}

#[test]
fn a_server_that_writes_something_else_is_not_passed_on() {
    for text in [
        "hello",
        "",
        r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"Result":{}}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
    ] {
        assert!(FromServer::read(Line::new(text.as_bytes().to_vec())).is_err(), "{text}");
    }
    for text in [
        r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#,
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":""}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{}}"#,
    ] {
        assert!(
            matches!(FromServer::read(Line::new(text.as_bytes().to_vec())), Ok(FromServer::Other(_))),
            "{text}"
        );
    }
}

#[test]
fn answers_find_the_requests_that_wait_for_them_and_no_others() {
    let pending = Pending::default();
    let id = Id::Integer;
    let result = || answer(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    pending.pass(id(1)).unwrap();
    assert_eq!(pending.pass(id(1)), Err(PendingError::Twice(id(1))));
    let mut waiting = pending.hold(id(2)).unwrap();
    assert!(matches!(pending.hold(id(2)), Err(PendingError::Twice(_))));
    assert!(matches!(pending.answer(&id(3), result()), Answered::Unasked), "nobody asked");
    assert!(matches!(pending.answer(&id(2), result()), Answered::Unasked), "the server has not got it");
    assert!(matches!(pending.answer(&Id::Text("1".to_owned()), result()), Answered::Unasked), "another id");
    assert!(matches!(pending.answer(&id(1), result()), Answered::Pass(_)));
    assert!(matches!(pending.answer(&id(1), result()), Answered::Unasked), "answered before");

    assert!(!pending.cancel(&id(2)), "the server has not got it, and hears of nothing");
    pending.forward(&id(2));
    assert!(pending.cancel(&id(2)));
    assert!(matches!(pending.answer(&id(2), result()), Answered::Taken));
    waiting.answer.try_recv().unwrap();
    assert!(pending.has(&id(2)), "taken until the client has its answer");
    pending.end(&id(2));
    assert!(!pending.has(&id(2)));
}

#[test]
fn what_waits_is_bounded_and_what_was_cancelled_makes_room() {
    let pending = Pending::default();
    let max = i64::try_from(MAX_PENDING).unwrap();
    let calls: Vec<_> = (0..MAX_CALLS).map(|at| pending.hold(Id::Text(at.to_string())).unwrap()).collect();
    assert_eq!(pending.hold(Id::Integer(-1)).unwrap_err(), PendingError::TooManyCalls);
    let rest = max - i64::try_from(calls.len()).unwrap();
    (0..rest).for_each(|at| pending.pass(Id::Integer(at)).unwrap());
    assert_eq!(pending.pass(Id::Integer(max)), Err(PendingError::TooMany));
    assert!(pending.cancel(&Id::Integer(0)));
    pending.pass(Id::Integer(max)).unwrap();
    assert!(!pending.has(&Id::Integer(0)) && pending.has(&Id::Integer(1)));
}
