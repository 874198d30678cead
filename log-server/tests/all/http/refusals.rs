//! Everything that can be wrong: each has its own problem, says where, and changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use coset::cbor::value::Value as Cbor;
use countersign_log::http::catalog;
use countersign_verifier::admission;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::PROBLEMS;
use serde_json::{Value, json};

use super::served::{Answer, Ground, Served, Setting, post};
use super::statements::{NOW, Raw, Signer, bytes_of, request};
use crate::engine::store::{Levers, Moody};

/// A log with an execution in every state that a rule looks at.
struct Scene {
    served: Served,
    seen: BTreeSet<String>,
    size: u64,
    revoked: Signer,
    requester: Signer,
    /// Entry ids by what they are.
    intent: String,
    other_intent: String,
    denial: String,
    done: String,
}

fn refs(role: &str, entry: &str) -> Value {
    let mut payload = request();
    payload["refs"] = json!({role: entry});
    payload
}

fn outcome(authorization: &str) -> Value {
    json!({"status": "confirmed", "refs": {"authorization": authorization}})
}

fn policy_payload() -> Value {
    json!({"name": "p", "version": "1", "engine": "cedar", "policies": [{"id": "a", "text": "permit(principal, action, resource);"}]})
}

fn denial(intent: &str, policy: &str) -> Value {
    json!({"decision": "deny", "code": "denied_by_policy", "refs": {"intent": intent, "policy": policy}})
}

impl Scene {
    async fn set() -> Self {
        let served = Served::start().await;
        let (revoked, requester) = (Signer::new("revoked", 1), Signer::new("requester", 2));
        served.register(&revoked, &["requester"]).await;
        served.register(&requester, &["requester"]).await;
        served.enter(served.operator.registration(&revoked, &[], "revoked")).await;
        let desk = served.desk.clone();
        let intent = served.enter(desk.intent("x")).await;
        let other_intent = served.enter(desk.intent("y")).await;
        let policy = served.enter(desk.cose("policy", "policy:p", policy_payload())).await;
        let denial = served.enter(desk.cose("decision", "x", denial(&intent, &policy))).await;
        let done = served.enter(desk.cose("authorization", "x", refs("intent", &intent))).await;
        served.enter(desk.cose("outcome", "x", outcome(&done))).await;
        served.enter(desk.cose("close", "closed", json!({"entries": 1}))).await;
        let size = served.size();
        Self { served, seen: BTreeSet::new(), size, revoked, requester, intent, other_intent, denial, done }
    }

    #[track_caller]
    fn expect(&mut self, what: &str, answer: &Answer, status: u16, code: &str, pointer: Option<&str>) {
        assert_eq!(answer.problem(), code, "{what}: {}", answer.text());
        assert_eq!(answer.status.as_u16(), status, "{what}");
        assert_eq!(answer.json()["pointer"].as_str(), pointer, "{what}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        assert_eq!(self.served.size(), self.size, "{what} changed something");
        self.seen.insert(code.to_owned());
    }

    async fn cose(&mut self, what: &str, body: Vec<u8>, status: u16, code: &str, pointer: Option<&str>) {
        let answer = self.served.cose(body, "?wait=sequenced").await;
        self.expect(what, &answer, status, code, pointer);
    }

    async fn json(&mut self, what: &str, form: &Value, status: u16, code: &str, pointer: Option<&str>) {
        let answer = self.served.json(form).await;
        self.expect(what, &answer, status, code, pointer);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn every_way_to_be_wrong_has_its_own_problem_and_changes_nothing() {
    let mut scene = Scene::set().await;
    let desk = scene.served.desk.clone();
    let raw = || Raw::intent(&desk);
    let good = raw().sign(&desk);

    // Bytes that are no statement.
    scene.cose("nothing", Vec::new(), 413, "statement-size", None).await;
    scene.cose("too much", vec![0xd2; 65_536], 413, "body-too-large", None).await;
    scene.cose("a text", b"hello".to_vec(), 400, "cose-malformed", None).await;
    scene.cose("half of it", good[..good.len() / 2].to_vec(), 400, "cose-malformed", None).await;
    scene.cose("one and a bit", [&good[..], &[0]].concat(), 400, "cose-malformed", None).await;
    scene.cose("another tag", raw().with(|raw| raw.tag = 98).sign(&desk), 400, "cose-malformed", None).await;
    let unprotected = raw().with(|raw| raw.unprotected.push((Cbor::from(4), Cbor::from(1))));
    scene.cose("an unprotected header", unprotected.sign(&desk), 400, "cose-malformed", None).await;
    let long_tag = [&[0xd8, 0x12], &good[1..]].concat();
    scene.cose("a long tag", long_tag, 400, "cose-not-deterministic", None).await;
    let descending = raw().with(|raw| raw.claims.reverse()).sign(&desk);
    scene.cose("claims in another order", descending, 400, "cose-not-deterministic", None).await;
    scene
        .cose("ES256", raw().with(|raw| raw.algorithm = -7).sign(&desk), 400, "algorithm-unknown", None)
        .await;
    let wish = raw().with(|raw| raw.content_type = "application/vnd.countersign.wish+json".to_owned());
    scene.cose("a wish", wish.sign(&desk), 400, "kind-unknown", None).await;

    // Claims.
    scene.cose("no iat", raw().without_claim(6).sign(&desk), 400, "claim-missing", None).await;
    scene.cose("an exp", raw().claim(4, NOW + 9).sign(&desk), 400, "claim-unexpected", None).await;
    scene.cose("a space in sub", raw().claim(2, "a b").sign(&desk), 400, "claim-invalid", None).await;
    scene.cose("a long sub", raw().claim(2, "s".repeat(129)).sign(&desk), 400, "claim-invalid", None).await;
    let mut form = desk.unsigned("authorization", "x", refs("intent", &scene.intent.clone()));
    form["exp"] = json!(NOW - 1);
    scene.json("an end before the beginning", &form, 400, "claim-window-empty", Some("/exp")).await;
    let form = desk.unsigned("policy", "policy:q", policy_payload());
    scene.json("another policy's name", &form, 400, "claim-subject-mismatch", Some("/sub")).await;
    scene.cose("too old", raw().claim(6, NOW - 301).sign(&desk), 400, "clock-skew", None).await;
    scene.cose("from the future", raw().claim(6, NOW + 301).sign(&desk), 400, "clock-skew", None).await;

    // Payloads.
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(16), "]".repeat(16));
    for (what, payload, code, pointer) in [
        ("no JSON", "{", "json-malformed", None),
        ("no object", "[]", "json-malformed", None),
        ("a member twice", r#"{"a":1,"a":2}"#, "json-duplicate-member", Some("/a")),
        ("a fraction", r#"{"a":[0.5]}"#, "json-number", Some("/a/0")),
        ("a large number", r#"{"a":9007199254740992}"#, "json-number", Some("/a")),
        ("white space", r#"{ "a":1}"#, "json-not-canonical", None),
        ("members in another order", r#"{"b":1,"a":1}"#, "json-not-canonical", None),
        (
            "an unknown member",
            r#"{"action":{"name":"run"},"resource":{"id":"t","type":"c"},"subject":{"id":"a","type":"b"},"x":1}"#,
            "member-unknown",
            Some("/x"),
        ),
        (
            "no subject",
            r#"{"action":{"name":"run"},"resource":{"id":"t","type":"c"}}"#,
            "member-missing",
            Some("/subject"),
        ),
        (
            "an action of another type",
            r#"{"action":7,"resource":{"id":"t","type":"c"},"subject":{"id":"a","type":"b"}}"#,
            "member-invalid",
            Some("/action"),
        ),
    ] {
        scene.cose(what, raw().payload(payload).sign(&desk), 400, code, pointer).await;
    }
    let too_deep = scene.served.cose(raw().payload(&deep).sign(&desk), "").await;
    assert!(
        too_deep.json()["pointer"].as_str().is_some_and(|pointer| pointer.starts_with("/a/0/0")),
        "{too_deep:?}"
    );
    scene.expect("nested too deep", &too_deep, 400, "json-too-deep", too_deep.json()["pointer"].as_str());
    let contradicting = json!({"decision": "permit", "code": "denied_by_policy", "refs": {"intent": scene.intent, "policy": scene.intent}});
    let form = desk.unsigned("decision", "x", contradicting);
    scene.json("a permit that denies", &form, 400, "member-contradiction", Some("/payload/code")).await;
    let form = desk.unsigned("outcome", "x", json!({"status": "confirmed"}));
    let pointer = Some("/payload/refs/authorization");
    scene.json("an outcome of nothing", &form, 400, "reference-missing", pointer).await;
    let form = desk.unsigned("intent", "x", refs("intent", &scene.intent.clone()));
    scene.json("an intent that refers", &form, 400, "reference-unknown", Some("/payload/refs/intent")).await;

    // JSON forms.
    let mut form = desk.json("intent", "x", request());
    form["more"] = json!(1);
    scene.json("an unknown member of the form", &form, 400, "member-unknown", Some("/more")).await;
    let form = desk.unsigned("intent", "x", request());
    scene.json("no signature", &form, 400, "member-missing", Some("/signature")).await;
    let mut form = desk.json("intent", "x", request());
    form["public_key"] = json!("AAAA");
    scene.json("a key of three bytes", &form, 400, "member-invalid", Some("/public_key")).await;
    let mut form = desk.json("intent", "x", request());
    form["sub"] = json!("z");
    scene.json("signed before it was changed", &form, 400, "signature-invalid", Some("/signature")).await;

    // Keys and signatures.
    let mut tampered = good.clone();
    *tampered.last_mut().unwrap() ^= 1;
    scene.cose("a changed signature", tampered, 400, "signature-invalid", None).await;
    scene
        .cose("another's signature", raw().sign(&Signer::new("desk", 3)), 400, "signature-invalid", None)
        .await;
    let stranger = Signer::new("stranger", 4);
    scene.cose("a stranger", stranger.intent("x"), 403, "issuer-not-registered", None).await;
    let other_key = Signer::new("desk", 5);
    scene.cose("an unregistered key", other_key.intent("x"), 403, "issuer-not-registered", None).await;
    let form = stranger.json("intent", "x", request());
    scene.json("a stranger in JSON", &form, 403, "issuer-not-registered", None).await;
    let (revoked, requester) = (scene.revoked.clone(), scene.requester.clone());
    scene.cose("a revoked key", revoked.intent("x"), 403, "issuer-revoked", None).await;
    let close = requester.cose("close", "x", json!({"entries": 1}));
    scene.cose("without the role", close, 403, "role-missing", None).await;

    // The operator's business.
    let operator = scene.served.operator.clone();
    let registration = operator.registration(&requester, &["operator"], "active");
    scene.cose("a second ruler", registration, 403, "operator-name", Some("/roles")).await;
    let resignation = operator.registration(&operator, &["operator"], "revoked");
    scene.cose("the last operator leaves", resignation, 409, "operator-self", Some("/roles")).await;
    let by_desk = desk.registration(&requester, &["enforcer"], "active");
    scene.cose("a registration by another", by_desk, 403, "role-missing", None).await;
    let genesis = json!({"origin": "log.example/http", "rules": "countersign/1", "operator": {"public_key": operator.public_key()}});
    let again = operator.cose("genesis", "log.example/http", genesis.clone());
    scene.cose("a second genesis", again, 409, "genesis-again", None).await;
    let by_desk = bytes_of(&desk.json("genesis", "log.example/http", genesis));
    scene.cose("a genesis by another key", by_desk, 400, "key-mismatch", None).await;

    // References and rules.
    let nowhere = LeafHash::of(b"nowhere").to_string();
    let (intent, other, denied, done) =
        (scene.intent.clone(), scene.other_intent.clone(), scene.denial.clone(), scene.done.clone());
    for (what, kind, sub, payload, status, code, pointer) in [
        (
            "a reference to nothing",
            "authorization",
            "x",
            refs("intent", &nowhere),
            422,
            "reference-unresolved",
            Some("/refs/intent"),
        ),
        (
            "a reference to another kind",
            "authorization",
            "x",
            refs("intent", &denied),
            422,
            "reference-kind",
            Some("/refs/intent"),
        ),
        (
            "a reference to another execution",
            "authorization",
            "x",
            refs("intent", &other),
            422,
            "reference-execution",
            Some("/refs/intent"),
        ),
        (
            "an authorization on a denial",
            "authorization",
            "x",
            refs("decision", &denied),
            422,
            "decision-denies",
            Some("/refs/decision"),
        ),
        (
            "an outcome before its authorization",
            "outcome",
            "x",
            outcome(&nowhere),
            422,
            "reference-unresolved",
            Some("/refs/authorization"),
        ),
        (
            "an outcome of an intent",
            "outcome",
            "x",
            outcome(&intent),
            422,
            "reference-kind",
            Some("/refs/authorization"),
        ),
        (
            "a second outcome",
            "outcome",
            "x",
            outcome(&done),
            409,
            "outcome-again",
            Some("/refs/authorization"),
        ),
        ("something after the close", "intent", "closed", request(), 409, "execution-closed", None),
    ] {
        let form = desk.json(kind, sub, payload);
        scene.cose(what, bytes_of(&form), status, code, pointer).await;
        let within = pointer.map(|pointer| format!("/payload{pointer}"));
        scene.json(what, &form, status, code, within.as_deref()).await;
    }

    // What nobody can be refused with here: the log is founded and far from full, and a statement that it holds is
    // answered with its place.
    let out_of_reach = ["genesis-missing", "genesis-not-by-operator", "already-present", "log-full"];
    for problem in PROBLEMS.iter().chain(admission::PROBLEMS) {
        let tried = scene.seen.contains(problem.code);
        assert_ne!(tried, out_of_reach.contains(&problem.code), "{} has no case", problem.code);
    }
    // The same statement, unchanged, is taken.
    assert_eq!(scene.served.cose(good, "").await.status.as_u16(), 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_wrong_before_their_bodies_are_read() {
    let mut scene = Scene::set().await;
    let good = scene.served.desk.intent("good");
    let posted = |path: &str, headers: &[(&str, &str)]| {
        let mut request = Request::builder().method(Method::POST).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(good.clone())).unwrap()
    };
    let cose = ("content-type", "application/cose");
    let batch = ("content-type", "application/cbor-seq");
    for (what, request, status, code) in [
        ("no media type", posted("/entries", &[]), 415, "unsupported-media-type"),
        (
            "another media type",
            posted("/entries", &[("content-type", "text/plain")]),
            415,
            "unsupported-media-type",
        ),
        ("a batch as one", posted("/entries", &[batch]), 415, "unsupported-media-type"),
        (
            "gzip",
            posted("/entries", &[cose, ("content-encoding", "gzip")]),
            415,
            "unsupported-content-encoding",
        ),
        (
            "a receipt of a batch",
            posted("/entries/batch", &[batch, ("accept", "application/cose")]),
            406,
            "not-acceptable",
        ),
        ("a picture", posted("/entries", &[cose, ("accept", "image/png")]), 406, "not-acceptable"),
        ("a page", posted("/entries/batch", &[batch, ("accept", "text/html")]), 406, "not-acceptable"),
        ("another wait", posted("/entries?wait=forever", &[cose]), 400, "query-parameter-invalid"),
        ("no wait", posted("/entries?wait=", &[cose]), 400, "query-parameter-invalid"),
        ("an unknown parameter", posted("/entries?wiat=sequenced", &[cose]), 400, "query-parameter-unknown"),
        (
            "two waits",
            posted("/entries?wait=sequenced&wait=cosigned", &[cose]),
            400,
            "query-parameter-unknown",
        ),
        ("an atomic single", posted("/entries?atomic=true", &[cose]), 400, "query-parameter-unknown"),
        ("preparing COSE", posted("/statements/prepare", &[cose]), 415, "unsupported-media-type"),
        ("an unknown path", posted("/entry", &[cose]), 404, "not-found"),
        ("posting a checkpoint", posted("/checkpoint", &[cose]), 405, "method-not-allowed"),
    ] {
        let answer = scene.served.send(request).await;
        scene.expect(what, &answer, status, code, None);
    }
    let answer = scene.served.get("/entries/batch").await;
    assert_eq!((answer.problem().as_str(), answer.header("allow")), ("method-not-allowed", "POST"));
    let announced = posted("/entries", &[cose, ("content-length", "70000")]);
    let answer = scene.served.send(announced).await;
    scene.expect("an announced flood", &answer, 413, "body-too-large", None);
    let json_limit = Value::String("x".repeat(256 * 1024)).to_string();
    let answer = scene.served.post("/entries", "application/json", json_limit).await;
    scene.expect("a flood of JSON", &answer, 413, "body-too-large", None);
    let answer = scene.served.post("/statements/prepare", "application/json", "{").await;
    scene.expect("half a form", &answer, 400, "json-malformed", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_or_breaks_off_is_refused() {
    let setting = Setting { body: Duration::from_millis(100), ..Setting::default() };
    let served = Served::with(Ground::found(), setting).await;
    for (broken, code) in [(false, "body-timeout"), (true, "body-incomplete")] {
        let body = Body::new(Halting { sent: false, broken });
        let answer = served.post("/entries", "application/cose", body).await;
        assert_eq!(answer.problem(), code);
        assert_eq!(served.size(), 1);
    }
}

/// A body that sends a byte and then halts, or breaks off.
struct Halting {
    sent: bool,
    broken: bool,
}

impl axum::body::HttpBody for Halting {
    type Data = axum::body::Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        if !std::mem::replace(&mut self.sent, true) {
            return std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(
                axum::body::Bytes::from_static(&[0xd2]),
            ))));
        }
        if self.broken {
            return std::task::Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into())));
        }
        std::task::Poll::Pending
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_pressure_the_answer_comes_at_once_and_says_when_to_return() {
    let (ground, levers) = (Ground::found(), Levers::new());
    let store = Arc::new(Moody { inner: ground.store(), levers: Arc::clone(&levers) });
    let served = Served::on(ground, Setting { queue: Some(1), ..Setting::default() }, store).await;
    served.register(&served.desk, &["requester"]).await;
    // One statement before the disk, which does not answer, and one behind it: then the queue is full.
    levers.hold();
    let mut answers = Vec::new();
    for name in ["first", "second"] {
        let (router, statement) = (served.router.clone(), served.desk.intent(name));
        answers.push(tokio::spawn(async move {
            loop {
                let answer = post(router.clone(), "/entries", "application/cose", statement.clone()).await;
                if answer.status.as_u16() != 503 {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }));
    }
    let mut full_for = 0;
    while full_for < 30 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        full_for = if served.log.status().queued_statements == 1 { full_for + 1 } else { 0 };
    }
    let statement = served.desk.intent("third");
    for answer in [served.cose(statement.clone(), "").await, served.batch(&[statement], "").await] {
        assert_eq!((answer.problem().as_str(), answer.status.as_u16()), ("overloaded", 503));
        assert_eq!(answer.header("retry-after"), "1");
    }
    levers.release();
    for answer in answers {
        assert_eq!(answer.await.unwrap().status.as_u16(), 201, "what was taken is entered");
    }
    assert_eq!(served.size(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_floods_is_told_when_to_return() {
    let served = Served::with(Ground::found(), Setting { issuer_rate: Some(1), ..Setting::default() }).await;
    served.register(&served.desk, &["requester"]).await;
    let (first, second) = (served.desk.intent("first"), served.desk.intent("second"));
    let taken = served.cose(first.clone(), "").await;
    assert_eq!(taken.status.as_u16(), 201);
    let answer = served.cose(second.clone(), "").await;
    assert_eq!((answer.problem().as_str(), answer.status.as_u16()), ("rate-limited", 429));
    assert_eq!((answer.header("retry-after"), served.size()), ("1", 3));
    let batch = served.batch(&[first.clone(), second], "").await;
    assert_eq!(
        (&batch.json()[0]["index"], &batch.json()[1]["type"]),
        (&json!(2), &json!("/errors/rate-limited"))
    );
    // What is there costs nothing.
    assert_eq!(served.cose(first, "").await.status.as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_stopped_says_so_and_goes_on_serving_what_it_has() {
    let ground = Ground::found();
    let levers = Levers::new();
    let store = Arc::new(Moody { inner: ground.store(), levers: Arc::clone(&levers) });
    let served = Served::on(ground, Setting::default(), store).await;
    served.register(&served.desk, &["requester"]).await;
    let entered = served.desk.intent("entered");
    served.enter(entered.clone()).await;
    assert_eq!(served.cose(entered.clone(), "").await.status.as_u16(), 200);
    levers.fail_after(0);
    for _ in 0..2 {
        let answer = served.cose(served.desk.intent("lost"), "").await;
        assert_eq!((answer.problem().as_str(), answer.status.as_u16()), ("log-stopped", 503));
        assert!(!answer.header("retry-after").is_empty());
        assert!(!answer.text().contains("being tested"), "causes are the operator's business: {answer:?}");
    }
    // A receipt would be another signature.
    let asking = Request::post("/entries").header("content-type", "application/cose");
    let asking = asking.header("accept", "application/cose").body(Body::from(entered.clone())).unwrap();
    assert_eq!(served.send(asking).await.problem(), "log-stopped");
    // Nor is anybody told what a log that stopped may only have lost.
    let stranger = served.cose(Signer::new("stranger", 9).intent("unknown"), "").await;
    assert_eq!((stranger.problem().as_str(), stranger.status.as_u16()), ("log-stopped", 503));
    let ready = served.get("/readyz").await;
    assert_eq!(ready.problem(), "not-ready");
    assert_eq!(ready.json()["reasons"][0]["code"], "write-failed");
    assert!(!ready.json()["reasons"][0]["remedy"].as_str().unwrap().is_empty());
    assert_eq!(served.get("/healthz").await.status.as_u16(), 200);
    assert_eq!(served.get("/checkpoint").await.status.as_u16(), 200);
    assert_eq!(served.get("/tile/entries/000.p/3").await.status.as_u16(), 200);
    assert_eq!(served.cose(entered, "").await.status.as_u16(), 200);
    levers.facts_fail.store(true, std::sync::atomic::Ordering::SeqCst);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_shutting_down_takes_nothing() {
    let served = Served::start().await;
    served.log.published().wait_for(Option::is_some).await.unwrap();
    served.log.shutdown().await;
    let answer = served.cose(served.desk.intent("late"), "").await;
    assert_eq!((answer.problem().as_str(), answer.header("retry-after")), ("shutting-down", "5"));
    assert_eq!(served.get("/checkpoint").await.status.as_u16(), 200);
}

#[test]
fn the_catalog_has_everything_that_the_verifier_can_say() {
    for problem in PROBLEMS.iter().chain(admission::PROBLEMS) {
        assert_eq!(catalog::find(problem.code).map(|found| found.title), Some(problem.title));
    }
}
