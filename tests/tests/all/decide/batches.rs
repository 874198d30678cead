//! Several evaluations in one request, and many requests at once.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::certification::fixture;
use super::point::{Point, asked};
use crate::submitting::json;

const EVALUATIONS: &str = "/access/v1/evaluations";

/// Asks, and returns the decisions in their order.
#[track_caller]
fn decisions(point: &Point, body: &Value) -> Vec<bool> {
    let answer = point.post(EVALUATIONS, body);
    assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
    let answer = json(&answer);
    let items = answer["evaluations"].as_array().unwrap();
    items.iter().map(|item| item["decision"].as_bool().unwrap()).collect()
}

#[test]
fn items_are_decided_in_their_order_and_as_far_as_is_asked_for() {
    let point = Point::start();
    let items: Vec<Value> = fixture().into_iter().map(|(body, ..)| body).collect();
    let expected: Vec<bool> = fixture().into_iter().map(|(_, decision, _)| decision).collect();
    let ask = |semantic: &str, items: &[Value]| {
        let options = json!({ "evaluations_semantic": semantic });
        decisions(&point, &json!({ "evaluations": items, "options": options }))
    };
    assert_eq!(decisions(&point, &json!({ "evaluations": items })), expected);
    assert_eq!(ask("execute_all", &items), expected);
    let size = point.size();
    assert_eq!(ask("deny_on_first_deny", &items), expected[..4]);
    assert_eq!(ask("permit_on_first_permit", &items[3..]), expected[3..6]);
    let denied = [items[3].clone(), items[7].clone()];
    assert_eq!(ask("permit_on_first_permit", &denied), [false, false]);
    assert_eq!(ask("deny_on_first_deny", &items[..3]), [true, true, true]);
    // What was not evaluated left nothing: 3 entries of each permit, 2 of each denial.
    let recorded = (3 * 3 + 2) + (2 * 2 + 3) + 2 * 2 + 3 * 3;
    let head = point.system.log.published(point.system.policy(), size + recorded);
    assert!(head.checkpoint().size.get() >= size + recorded);
}

#[test]
fn defaults_stand_for_what_items_leave_out_and_a_wrong_item_is_denied_by_itself() {
    let point = Point::start();
    let mut body = asked("bob", "write", "record-1");
    body["evaluations"] = json!([
        {},
        { "subject": { "type": "user", "id": "alice" } },
        { "action": { "name": "read" } },
        { "resource": { "type": "record" } },
        { "action": { "name": "read" }, "context": { "risk": null } },
        7,
    ]);
    assert_eq!(decisions(&point, &body), [false, true, true, false, false, false]);
    let answer = json(&point.post(EVALUATIONS, &body));
    for (at, said) in [
        (3, "/evaluations/3/resource/id is missing"),
        (4, "/evaluations/4/context/risk is null"),
        (5, "/evaluations/5 is not an object"),
    ] {
        let error = &answer["evaluations"][at]["context"]["error"];
        assert_eq!(error["status"], 400);
        assert!(error["message"].as_str().unwrap().starts_with(said), "{error}");
    }
    // Without items it is one evaluation, and answered as one.
    for none in [json!({}), json!({ "evaluations": [] })] {
        let mut body = asked("alice", "read", "record-1");
        body.as_object_mut().unwrap().extend(none.as_object().unwrap().clone());
        let answer = json(&point.post(EVALUATIONS, &body));
        assert_eq!(
            (answer["decision"].as_bool(), answer.get("evaluations")),
            (Some(true), None),
            "{answer:#}"
        );
    }
    let many = json!({ "evaluations": vec![asked("alice", "read", "record-1"); 65] });
    assert_eq!(point.post(EVALUATIONS, &many).status.as_u16(), 400);
    let unknown = json!({ "evaluations": [{}], "options": { "evaluations_semantic": "some" } });
    assert_eq!(point.post(EVALUATIONS, &unknown).status.as_u16(), 400);
}

#[test]
fn many_at_once_are_each_decided_for_themselves_and_what_is_too_much_is_told_so() {
    let mut point = Point::prepare("max_decisions = 64");
    point.serve();
    let fixture = fixture();
    let executions = std::sync::Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for (body, expected, reason) in fixture.iter().cycle().take(32) {
            let (point, executions) = (&point, &executions);
            scope.spawn(move || {
                let answer = point.evaluate(body);
                assert_eq!(
                    (answer["decision"].as_bool(), answer["context"]["reason"].as_str()),
                    (Some(*expected), Some(*reason)),
                    "{answer:#}"
                );
                executions.lock().unwrap().insert(answer["context"]["execution"].to_string());
            });
        }
    });
    assert_eq!(executions.into_inner().unwrap().len(), 32, "each has an execution of its own");
    // Of two that take all the room at the same time, at least one is decided, and none is decided in part.
    let full = json!({ "evaluations": vec![asked("alice", "read", "record-1"); 64] });
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let answer = point.post(EVALUATIONS, &full);
                    let status = answer.status.as_u16();
                    match status {
                        200 => assert!(
                            json(&answer)["evaluations"]
                                .as_array()
                                .unwrap()
                                .iter()
                                .all(|item| item["decision"] == true)
                        ),
                        _ => assert_eq!(answer.header("retry-after"), Some("1")),
                    }
                    status
                })
            })
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(
        statuses.contains(&200) && statuses.iter().all(|status| [200, 503].contains(status)),
        "{statuses:?}"
    );
}
