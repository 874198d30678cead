//! Everything that can be wrong with a request: each has its own problem, with its own page, and changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use countersign_tests::client::Answer;
use countersign_tests::harness::{
    System, execution, expect_code, get, issuer_name, operator, post, problem_code, register, request,
};
use countersign_tests::statements::{Issuer, random};
use countersign_tests::{clock, statements};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::{Kind, Subject, VerifiedStatement};
use hyper::Method;
use serde_json::{Value, json};

use crate::parties::Parties;
use crate::raw::{Raw, text, unsigned};
use crate::submitting::submit;

const COSE: &str = "application/cose";
const JSON: &str = "application/json";
const BATCH: &str = "application/cbor-seq";

/// What was tried, and what it was refused with.
struct Trials<'a> {
    system: &'a System,
    size: u64,
    seen: BTreeMap<String, String>,
}

impl<'a> Trials<'a> {
    fn new(system: &'a System) -> Self {
        Self { system, size: system.size(), seen: BTreeMap::new() }
    }

    /// Posts a body, and asserts that it is refused with this status and code.
    #[track_caller]
    fn refuse(
        &mut self,
        what: &str,
        path: &str,
        kind: &str,
        body: impl Into<Bytes>,
        status: u16,
        code: &str,
    ) {
        let answer = post(self.system.log.url(), path, kind, body);
        self.expect(what, &answer, status, code);
    }

    #[track_caller]
    fn expect(&mut self, what: &str, answer: &Answer, status: u16, code: &str) {
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(problem_code(answer).as_deref(), Some(code), "{what}: status {}: {text}", answer.status);
        assert_eq!(answer.status.as_u16(), status, "{what}: {text}");
        self.seen.insert(code.to_owned(), what.to_owned());
    }

    #[track_caller]
    fn cose(&mut self, what: &str, body: impl Into<Bytes>, status: u16, code: &str) {
        self.refuse(what, "/entries", COSE, body, status, code);
    }

    #[track_caller]
    fn statement(&mut self, what: &str, statement: VerifiedStatement, status: u16, code: &str) {
        self.cose(what, statement.into_bytes(), status, code);
    }

    #[track_caller]
    fn json(&mut self, what: &str, body: &Value, status: u16, code: &str) {
        self.refuse(what, "/entries", JSON, body.to_string(), status, code);
    }

    /// Asserts that nothing was taken, and that every problem is explained.
    #[track_caller]
    fn finish(self, distinct: usize) {
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(self.system.size(), self.size, "something that was refused is in the log");
        for (code, what) in &self.seen {
            let page = get(self.system.log.url(), &format!("/errors/{code}"));
            assert_eq!(page.status.as_u16(), 200, "/errors/{code}, as {what} was refused with");
            let page = String::from_utf8_lossy(&page.body);
            assert!(page.contains("<html") && page.contains(code), "{page}");
        }
        assert!(
            self.seen.len() >= distinct,
            "only {} distinct problems: {:?}",
            self.seen.len(),
            self.seen.keys()
        );
    }
}

fn requester(system: &System) -> Issuer {
    register(system, "requester", &["requester"])
}

fn raw(issuer: &Issuer) -> Raw {
    Raw::intent(issuer, clock::now())
}

#[test]
fn bytes_that_are_no_statement() {
    let system = System::start();
    let issuer = requester(&system);
    let mut trials = Trials::new(&system);
    let good = raw(&issuer).sign(&issuer);
    trials.cose("nothing", Vec::new(), 413, "statement-size");
    trials.cose("one byte too many", vec![0xd2; 65_536], 413, "body-too-large");
    trials.cose("text", "hello", 400, "cose-malformed");
    trials.cose("half a statement", good[..good.len() / 2].to_vec(), 400, "cose-malformed");
    trials.cose("something after it", [&good[..], &[0]].concat(), 400, "cose-malformed");
    let with = |change: fn(&mut Raw)| {
        let mut raw = raw(&issuer);
        change(&mut raw);
        raw.sign(&issuer)
    };
    trials.cose("no tag", with(|raw| raw.tag.clear()), 400, "cose-malformed");
    trials.cose("another tag", with(|raw| raw.tag = vec![0xd1]), 400, "cose-malformed");
    trials.cose("a long tag", with(|raw| raw.tag = vec![0xd8, 18]), 400, "cose-not-deterministic");
    trials.cose(
        "an unprotected header",
        with(|raw| raw.unprotected = vec![0xa1, 4, 0x41, 0]),
        400,
        "cose-malformed",
    );
    trials.cose(
        "a header of no length",
        with(|raw| raw.unprotected = vec![0xbf, 0xff]),
        400,
        "cose-not-deterministic",
    );
    trials.cose("ES256", with(|raw| raw.algorithm = vec![0x26]), 400, "algorithm-unknown");
    trials.cose("a short kid", with(|raw| raw.kid.truncate(31)), 400, "cose-malformed");
    let another_kind = |raw: &mut Raw| raw.content_type = "application/vnd.countersign.wish+json".to_owned();
    trials.cose("another kind", with(another_kind), 400, "kind-unknown");
    let another_type = |raw: &mut Raw| raw.content_type = "text/plain".to_owned();
    trials.cose("another content type", with(another_type), 400, "kind-unknown");
    let mut changed = good.clone();
    *changed.last_mut().unwrap() ^= 1;
    trials.cose("a changed signature", changed, 400, "signature-invalid");
    let mut changed = good.clone();
    let at = changed.len() - 70;
    changed[at] ^= 1;
    trials.cose("a changed payload", changed, 400, "json-malformed");
    trials.finish(8);
    // The same, unchanged, is taken: it was only ever the change that was refused.
    assert_eq!(post(system.log.url(), "/entries", COSE, good).status.as_u16(), 201);
}

#[test]
fn claims_that_are_wrong() {
    let system = System::start();
    let issuer = requester(&system);
    let mut trials = Trials::new(&system);
    let now = clock::now().get();
    let without = |claim: u8| {
        let mut raw = raw(&issuer);
        raw.claims.retain(|(key, _)| *key != claim);
        raw.sign(&issuer)
    };
    let with = |claim: u8, value: Vec<u8>| raw(&issuer).claim(claim, value).sign(&issuer);
    for (claim, name) in [(1, "iss"), (2, "sub"), (6, "iat"), (7, "cti")] {
        trials.cose(name, without(claim), 400, "claim-missing");
    }
    trials.cose("an audience", with(3, text("someone")), 400, "claim-unexpected");
    trials.cose("an end", with(4, unsigned(now + 10)), 400, "claim-unexpected");
    trials.cose("a subject with a space", with(2, text("a b")), 400, "claim-invalid");
    trials.cose("a subject of 129 characters", with(2, text(&"a".repeat(129))), 400, "claim-invalid");
    trials.cose("another claim", with(8, unsigned(1)), 400, "cose-malformed");
    trials.cose("a short id", with(7, vec![0x41, 1]), 400, "claim-invalid");
    trials.cose("ten minutes ago", with(6, unsigned(now - 600)), 400, "clock-skew");
    trials.cose("in ten minutes", with(6, unsigned(now + 600)), 400, "clock-skew");
    let parties = Parties::register(&system);
    trials.size = system.size();
    let mut ends_first = json_form(&parties.authorization(&execution("window"), json!({})));
    (ends_first["nbf"], ends_first["exp"]) = (json!(now + 20), json!(now + 10));
    trials.json("an end before the beginning", &ends_first, 400, "claim-window-empty");
    let mut not_its_own = json_form(&parties.policy("one"));
    not_its_own["sub"] = json!("policy:two");
    trials.json("a subject that is not the payload's", &not_its_own, 400, "claim-subject-mismatch");
    trials.finish(6);
}

/// The JSON form of a statement.
fn json_form(statement: &VerifiedStatement) -> Value {
    use base64::Engine as _;
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let statement = statement.statement();
    let claims = statement.claims();
    let mut form = json!({
        "kind": statement.kind(), "iss": claims.issuer, "sub": claims.subject.to_string(),
        "iat": claims.issued_at, "cti": base64(&claims.id),
        "payload": serde_json::from_slice::<Value>(statement.payload_json()).unwrap(),
        "signature": statement.signature().to_base64(),
        "public_key": base64(&[0; 32]),
    });
    if let Some(validity) = &claims.validity {
        form["aud"] = json!(validity.audience);
        (form["nbf"], form["exp"]) = (json!(validity.not_before), json!(validity.expires));
    }
    // Any key will do where the refusal comes before the signature is looked at.
    form["public_key"] = json!(base64(Issuer::generate(issuer_name("x")).unwrap().public_key().as_bytes()));
    form
}

#[test]
fn payloads_that_say_what_cannot_be_said() {
    let system = System::start();
    let issuer = requester(&system);
    let mut trials = Trials::new(&system);
    let with = |payload: &[u8]| {
        let mut raw = raw(&issuer);
        raw.payload = payload.to_vec();
        raw.sign(&issuer)
    };
    let intent = |more: &str| {
        with(format!(r#"{{"action":{{"name":"a"}},{more}"resource":{{"id":"a","type":"b"}},"subject":{{"id":"c","type":"d"}}}}"#).as_bytes())
    };
    trials.cose("no object", with(b"[]"), 400, "json-malformed");
    trials.cose("no JSON", with(b"{"), 400, "json-malformed");
    trials.cose("no UTF-8", with(b"\xff"), 400, "json-malformed");
    trials.cose("white space", with(b"{ }"), 400, "json-not-canonical");
    trials.cose("a fraction", intent(r#""context":{"a":1.5},"#), 400, "json-number");
    trials.cose("too large a number", intent(r#""context":{"a":9007199254740992},"#), 400, "json-number");
    trials.cose("a name twice", intent(r#""context":{"a":1,"a":1},"#), 400, "json-duplicate-member");
    let deep = format!(r#""context":{{"a":{}{}}},"#, "[".repeat(20), "]".repeat(20));
    trials.cose("too deep", intent(&deep), 400, "json-too-deep");
    trials.cose(
        "no subject",
        with(br#"{"action":{"name":"a"},"resource":{"id":"a","type":"b"}}"#),
        400,
        "member-missing",
    );
    trials.cose("an unknown member", intent(r#""colour":"red","#), 400, "member-unknown");
    trials.cose("an empty text", intent(r#""parent":"","#), 400, "member-invalid");
    trials.cose(
        "references of another kind",
        intent(r#""refs":{"outcome":"00"},"#),
        400,
        "reference-unknown",
    );
    let form = json_form(&Parties::register(&system).decision(
        &execution("words"),
        "permit",
        LeafHash::of(b"a"),
        LeafHash::of(b"b"),
    ));
    trials.size = system.size();
    let mut said = form.clone();
    said["payload"]["code"] = json!("denied_by_policy");
    trials.json("a permit that denies", &said, 400, "member-contradiction");
    let mut said = form.clone();
    said["payload"]["refs"].as_object_mut().unwrap().remove("intent");
    trials.json("a decision on nothing", &said, 400, "reference-missing");
    for (member, value) in
        [("kind", json!("wish")), ("cti", json!("short")), ("signature", json!("")), ("public_key", json!(7))]
    {
        let mut said = form.clone();
        said[member] = value;
        trials.json(member, &said, 400, "member-invalid");
        said.as_object_mut().unwrap().remove(member);
        trials.json(member, &said, 400, if member == "cti" { "claim-missing" } else { "member-missing" });
    }
    trials.json("another key", &form, 400, "signature-invalid");
    trials.refuse("no JSON at all", "/entries", JSON, "{\"kind\":", 400, "json-malformed");
    trials.refuse("nothing to prepare", "/statements/prepare", JSON, "{}", 400, "member-missing");
    trials.refuse("too large to read", "/entries", JSON, vec![b' '; 300 * 1024], 413, "body-too-large");
    trials.finish(12);
}

#[test]
fn issuers_who_may_not() {
    let system = System::start();
    let issuer = requester(&system);
    let operator = operator(&system);
    let enforcer = register(&system, "enforcer", &["enforcer"]);
    let retired = register(&system, "retired", &["requester"]);
    let registration = |name: &str, key: &Issuer, roles: &[&str], status: &str| {
        use base64::Engine as _;
        let key = base64::engine::general_purpose::STANDARD.encode(key.public_key().as_bytes());
        json!({"name": name, "public_key": key, "roles": roles, "status": status})
    };
    let register = |by: &Issuer, payload: Value| {
        let name = payload["name"].as_str().unwrap().to_owned();
        by.sign(Kind::Issuer, by.claims(Subject::Issuer(issuer_name(&name))).unwrap(), payload).unwrap()
    };
    submit(&system, register(&operator, registration("retired", &retired, &["requester"], "revoked")));

    let mut trials = Trials::new(&system);
    let intent = |by: &Issuer| {
        by.state(Kind::Intent, &execution("who"), None, Value::Object(statements::request())).unwrap()
    };
    let stranger = Issuer::generate(issuer_name("stranger")).unwrap();
    trials.statement("nobody knows", intent(&stranger), 403, "issuer-not-registered");
    let impostor = Issuer::generate(issuer.name().clone()).unwrap();
    trials.statement("another key under a known name", intent(&impostor), 403, "issuer-not-registered");
    let borrowed = Issuer::new(issuer_name("borrowed"), issuer.key().clone());
    trials.statement("a known key under another name", intent(&borrowed), 403, "issuer-not-registered");
    trials.statement("retired", intent(&retired), 403, "issuer-revoked");
    trials.statement("without the role", intent(&enforcer), 403, "role-missing");
    let own = registration("requester", &issuer, &["requester", "authority"], "active");
    trials.statement("who registers himself", register(&issuer, own), 403, "role-missing");
    let usurper = registration("usurper", &stranger, &["operator"], "active");
    trials.statement("another operator", register(&operator, usurper), 403, "operator-name");
    let resign = registration("operator", &operator, &["operator"], "revoked");
    trials.statement("an operator who resigns", register(&operator, resign), 409, "operator-self");
    // A statement of one issuer with the signature of another.
    let mut forged = intent(&issuer).into_bytes();
    let signature = forged.len() - 64;
    forged[signature..].copy_from_slice(intent(&stranger).statement().signature().as_bytes());
    trials.cose("somebody else's signature", forged, 400, "signature-invalid");
    trials.finish(6);
}

#[test]
fn steps_that_do_not_follow() {
    let system = System::start();
    let parties = Parties::register(&system);
    let done = parties.execute(&system, "done");
    let (open, other) = (execution("open"), execution("other"));
    let intent = submit(&system, parties.intent(&open));
    let denial = submit(&system, parties.decision(&open, "deny", intent.id(), done.policy.id()));
    let authorization = submit(&system, parties.authorization(&open, json!({})));
    submit(&system, parties.outcome(&open, authorization.id()));

    let mut trials = Trials::new(&system);
    let genesis = system.log.url();
    let genesis = get(genesis, "/entries/0.cose").body;
    let operator = operator(&system);
    let mut payload: Value = {
        let read = countersign_verifier::statement::Statement::parse(&genesis).unwrap();
        serde_json::from_slice(read.payload_json()).unwrap()
    };
    let origin = countersign_verifier::checkpoint::Origin::new(countersign_tests::harness::ORIGIN).unwrap();
    let again =
        operator.sign(Kind::Genesis, operator.claims(Subject::Log(origin)).unwrap(), payload.take()).unwrap();
    trials.statement("a second genesis", again, 409, "genesis-again");
    let nowhere = LeafHash::of(b"nowhere");
    trials.statement("an outcome of nothing", parties.outcome(&open, nowhere), 422, "reference-unresolved");
    trials.statement("an outcome of an intent", parties.outcome(&open, intent.id()), 422, "reference-kind");
    let elsewhere = parties.outcome(&other, authorization.id());
    trials.statement("an outcome of another execution", elsewhere, 422, "reference-execution");
    let second = parties.outcome(&open, authorization.id());
    trials.statement("a second outcome", second, 409, "outcome-again");
    let refs = json!({"decision": denial.id().to_string()});
    trials.statement("against a denial", parties.authorization(&open, refs), 422, "decision-denies");
    trials.statement("after the close", parties.intent(&done.id), 409, "execution-closed");
    let ran = json!({"status": "confirmed", "exit_code": 0});
    let unauthorized = parties.enforcer.state(Kind::Outcome, &open, None, ran);
    assert!(unauthorized.is_err(), "an outcome without authorization is not even a statement");
    trials.finish(7);

    // Enforcement is the one thing that may follow a close.
    let target = done.outcome.id().to_string();
    let halt = json!({"action": "quarantine", "reason": "found out later", "refs": {"target": target}});
    submit(&system, parties.overseer.state(Kind::Enforcement, &done.id, None, halt).unwrap());
}

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
    trials.refuse("no such address", "/entries/new", COSE, good(), 405, "method-not-allowed");
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
    trials.refuse("a batch of 17 MiB", "/entries/batch", BATCH, vec![0; 17 << 20], 413, "body-too-large");
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
    trials.finish(13);
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
    // A client that went away before its answer: the statement is in all the same, once.
    let mut stream = connect();
    write!(stream, "{head}content-length: {}\r\n\r\n", statement.len()).unwrap();
    stream.write_all(&statement).unwrap();
    drop(stream);
    system.log.published(system.policy(), 3);
    let again = post(system.log.url(), "/entries", COSE, statement);
    assert_eq!(again.status.as_u16(), 200, "{}", String::from_utf8_lossy(&again.body));
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
