//! Who may ask, how, and what is refused before anything is decided.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use countersign_tests::client::Answer;
use countersign_tests::harness::{Process, Program, get, run};
use hyper::Method;
use serde_json::{Value, json};

use super::point::{Point, asked, with};
use crate::submitting::json;

const EVALUATION: &str = "/access/v1/evaluation";
const JSON: (&str, &str) = ("content-type", "application/json");

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

#[test]
fn what_is_no_request_is_refused_with_its_status_and_nothing_is_recorded() {
    let point = Point::start();
    let (good, size) = (asked("alice", "read", "record-1"), point.size());
    let body = good.to_string();
    let refused = |method, path: &str, headers: &[_], body: &str, status, said| {
        let answer = point.request(method, path, headers, body);
        let plain = Some("text/plain; charset=utf-8");
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (status, plain),
            "{path}: {}",
            text(&answer)
        );
        assert!(text(&answer).contains(said) && !text(&answer).contains("true"), "{said}: {}", text(&answer));
    };
    let changed = |member, name, value| with(good.clone(), member, name, value).to_string();
    for (body, status, said) in [
        ("{".to_owned(), 400, "is not JSON"),
        (String::new(), 400, "is not JSON"),
        ("[]".to_owned(), 400, "expected an object"),
        ("{}".to_owned(), 400, "/action is missing"),
        (body.replacen('{', "{\"subject\":{},", 1), 400, "/subject occurs twice"),
        (changed("context", "risk", json!(0.5)), 400, "not an integer"),
        (changed("context", "risk", Value::Null), 400, "/context/risk is null"),
        (changed("subject", "id", json!(7)), 400, "/subject/id"),
        (changed("context", "intent", json!("x")), 400, "/context/intent"),
        (changed("context", "x", json!("x".repeat(30_000))), 413, "at most 24576"),
        (" ".repeat(256 * 1024 + 1), 413, "at most 262144 bytes"),
    ] {
        refused(Method::POST, EVALUATION, &[JSON], &body, status, said);
    }
    for headers in [vec![], vec![("content-type", "text/json")], vec![JSON, ("content-encoding", "gzip")]] {
        refused(Method::POST, EVALUATION, &headers, &body, 415, "Content-Type: application/json");
    }
    refused(Method::GET, EVALUATION, &[], "", 405, "the method POST");
    refused(Method::POST, "/.well-known/authzen-configuration", &[JSON], &body, 405, "the method GET");
    refused(Method::POST, "/access/v1/search/subject", &[JSON], &body, 404, "authzen-configuration");
    refused(Method::POST, "/access/v1/evaluations", &[JSON], "{\"evaluations\":7}", 400, "/evaluations");
    assert_eq!(point.size(), size, "what was refused left something in the log");
    // Members that the specification does not have are not looked at, also null.
    let answer = point.evaluate(&with(
        with(good, "subject", "vendor", Value::Null),
        "context",
        "network",
        json!("office"),
    ));
    assert_eq!(answer["decision"], true);
}

/// The first line of what comes back to a request with these `Host` headers.
fn asked_as(point: &Point, hosts: &[&str]) -> String {
    let body = asked("alice", "read", "record-1").to_string();
    let hosts = hosts.iter().map(|host| ["host: ", host, "\r\n"].concat()).collect::<Vec<_>>().concat();
    let mut stream = TcpStream::connect(point.url.trim_start_matches("http://")).unwrap();
    let length = body.len();
    let request = format!(
        "POST {EVALUATION} HTTP/1.1\r\n{hosts}content-type: application/json\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_page_that_has_its_name_stand_for_this_machine_is_not_heard() {
    let point = Point::start();
    let address = point.url.trim_start_matches("http://");
    for hosts in [&[address][..], &["localhost:1"]] {
        assert_eq!(asked_as(&point, hosts), "HTTP/1.1 200 OK", "{hosts:?}");
    }
    let size = point.size();
    for hosts in [
        &["evil.example"][..],
        &["127.0.0.1.evil.example"],
        &[address, "evil.example"],
        &["evil.example", address],
    ] {
        assert_eq!(asked_as(&point, hosts), "HTTP/1.1 403 Forbidden", "{hosts:?}");
    }
    let without = asked_as(&point, &[]);
    assert!(["HTTP/1.1 400 Bad Request", "HTTP/1.1 403 Forbidden"].contains(&without.as_str()), "{without}");
    assert_eq!(point.size(), size);
}

#[test]
fn it_says_where_it_is_and_gives_back_the_id_of_a_request() {
    let mut point = Point::prepare("url = \"https://pdp.example/a/\"");
    let answer = |point: &Point| get(&point.url, "/.well-known/authzen-configuration");
    point.serve();
    assert_eq!(
        json(&answer(&point)),
        json!({
            "policy_decision_point": "https://pdp.example/a",
            "access_evaluation_endpoint": "https://pdp.example/a/access/v1/evaluation",
            "access_evaluations_endpoint": "https://pdp.example/a/access/v1/evaluations",
        })
    );
    assert_eq!(point.process().terminate().code(), Some(0));
    point.configure("");
    point.serve();
    let configuration = json(&answer(&point));
    assert_eq!(configuration["policy_decision_point"], point.url, "it is the address that was used");
    assert_eq!(get(&point.url, "/healthz").status.as_u16(), 200);

    let body = asked("alice", "read", "record-1").to_string();
    let id = "bfe9eb29-ab87-4ca3-be83-a1d5d8305716";
    for (path, body, status) in
        [(EVALUATION, body.as_str(), 200), (EVALUATION, "{", 400), ("/nowhere", "", 404)]
    {
        let answer = point.request(Method::POST, path, &[JSON, ("x-request-id", id)], body);
        assert_eq!((answer.status.as_u16(), answer.header("x-request-id")), (status, Some(id)));
        assert!(
            answer.header("x-countersign-request-id").is_some_and(|own| own != id),
            "the one in the log file"
        );
        let answer = point.request(Method::POST, path, &[JSON], body);
        assert!(answer.header("x-request-id").is_some_and(|own| own != id));
    }
}

#[test]
fn without_the_token_nobody_is_heard_and_without_one_at_all_nobody_elsewhere() {
    let mut point = Point::prepare("token = \"token\"");
    let token = "0123456789abcdef0123456789abcdef";
    std::fs::write(point.file("token"), format!("{token}\n")).unwrap();
    let mode = |mode| {
        std::fs::set_permissions(point.file("token"), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(0o644);
    let open = run(Program::Countersign, point.args("127.0.0.1:0"));
    assert!(open.fails(1).contains("chmod 600"), "{open:?}");
    mode(0o600);
    point.serve();
    let (size, body) = (point.size(), asked("alice", "read", "record-1").to_string());
    let bearer = |token: &str| format!("Bearer {token}");
    let ask = |authorization: &str| {
        let headers = [JSON, ("authorization", authorization)];
        point.request(Method::POST, EVALUATION, &headers, &body).status.as_u16()
    };
    for wrong in [
        "",
        "Bearer",
        &bearer(&token[1..]),
        &bearer(&format!("{token}0")),
        &bearer(&token.to_uppercase()),
        &format!("Basic {token}"),
    ] {
        assert_eq!(ask(wrong), 401, "{wrong:?}");
    }
    let refused = point.request(Method::POST, EVALUATION, &[JSON], &body);
    assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (401, Some("Bearer")));
    // Whether the body is one is nobody's business either.
    assert_eq!(point.request(Method::POST, EVALUATION, &[JSON], "{").status.as_u16(), 401);
    assert_eq!(point.size(), size);
    assert_eq!(ask(&bearer(token)), 200);
    assert_eq!(get(&point.url, "/.well-known/authzen-configuration").status.as_u16(), 200);
    assert!(!point.output().contains(token), "the token is in the log file");

    point.process().terminate();
    point.configure("");
    let everywhere = run(Program::Countersign, point.args("0.0.0.0:0"));
    assert!(everywhere.fails(1).contains("decide.token"), "{everywhere:?}");
    point.configure("token = \"token\"");
    let nowhere = run(Program::Countersign, point.args("0.0.0.0:0"));
    assert!(nowhere.fails(1).contains("decide.url"), "{nowhere:?}");
    point.configure("token = \"token\"\nurl = \"https://pdp.example\"");
    let mut process = Process::start(Program::Countersign, point.args("0.0.0.0:0"), "decision point", &[]);
    process.url().unwrap();
    assert_eq!(process.terminate().code(), Some(0));
}

#[test]
fn a_configuration_that_cannot_be_meant_is_refused_with_its_reason() {
    let point = Point::prepare("");
    let refused = |said: &str| {
        let ran = run(Program::Countersign, point.args("127.0.0.1:0"));
        assert!(ran.fails(1).contains(said), "{said}: {ran:?}");
    };
    for (more, said) in [
        ("polcies = []", "unknown field `polcies`"),
        ("schema = \"nowhere\"", "nowhere"),
        ("timeout_seconds = 0", "decide.timeout_seconds is 0"),
        ("max_decisions = 1", "decide.max_decisions is 1"),
        ("url = \"ftp://pdp.example\"", "decide.url is ftp"),
        ("policy_name = \"\"", "decide.policy_name"),
        ("token = \"nowhere\"", "nowhere"),
    ] {
        point.configure(more);
        refused(said);
    }
    point.configure("");
    std::fs::write(point.file("access.cedar"), "permit (principal, action, resource").unwrap();
    refused("is not a Cedar policy");
    std::fs::write(point.file("access.cedar"), "").unwrap();
    refused("has no policy");
    std::fs::write(point.file("access.cedar"), super::point::POLICIES).unwrap();
    std::fs::write(
        point.file("entities.json"),
        "[{\"uid\": {\"type\": \"user\", \"id\": \"a\"}, \"attrs\": {\"x\": 1.5}, \"parents\": []}]",
    )
    .unwrap();
    refused("/0/attrs/x is not an integer");
    let text = std::fs::read_to_string(point.file("decide.toml")).unwrap();
    std::fs::write(point.file("decide.toml"), text.split("[decide]").next().unwrap()).unwrap();
    refused("the table [decide] is missing");
}
