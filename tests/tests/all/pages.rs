//! One execution, as people and programs read it.

use countersign_tests::client::Answer;
use countersign_tests::harness::{Program, Setup, System, expect_code, get, run};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::proof::TlogProof;

use crate::parties::Parties;
use crate::submitting::json;

#[track_caller]
fn page(system: &System, path: &str) -> String {
    let answer = get(system.log.url(), path);
    assert_eq!(answer.status.as_u16(), 200, "GET {path}: {}", String::from_utf8_lossy(&answer.body));
    assert_html(path, &answer);
    String::from_utf8(answer.body.to_vec()).unwrap()
}

#[track_caller]
fn assert_html(path: &str, answer: &Answer) {
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "GET {path}");
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("GET {path}: no CSP"));
    assert!(
        policy.contains("default-src 'none'") || policy.contains("default-src 'self'"),
        "GET {path}: {policy}"
    );
    assert!(!policy.contains("unsafe-inline"), "GET {path}: {policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "GET {path}");
}

#[test]
fn an_execution_can_be_browsed_and_taken_away() {
    let system = System::start();
    let lineage = Parties::register(&system).execute(&system, "pages");
    let url = system.log.url();

    assert!(page(&system, "/").contains("log.example/test"));
    let entries = page(&system, "/entries");
    let execution = page(&system, &format!("/executions/{}", lineage.id));
    let of_execution = json(&get(url, &format!("/executions/{}.json", lineage.id))).to_string();
    for (kind, taken) in lineage.entries() {
        let (index, id) = (taken.index, taken.id());
        assert!(entries.contains(&format!("/entries/{index}")), "{kind} is not on /entries");
        assert!(execution.contains(&format!("/entries/{index}")), "{kind} is not on its execution's page");
        assert!(
            of_execution.contains(&id.to_string()),
            "{kind} is not in its execution's JSON: {of_execution}"
        );
        let of_entry = page(&system, &format!("/entries/{index}"));
        assert!(of_entry.contains(&id.to_string()) && of_entry.to_lowercase().contains(kind), "{kind}");
        let twin = json(&get(url, &format!("/entries/{index}.json")));
        assert_eq!((&twin["id"], &twin["kind"]), (&id.to_string().into(), &kind.into()), "{twin}");
        assert!(page(&system, &format!("/entries/{index}/proof")).contains(&id.to_string()));
        assert_eq!(get(url, &format!("/entries/{index}.cose")).body, taken.bytes, "{kind}");
        let leaf = get(url, &format!("/leaf/{id}"));
        assert!(leaf.status.is_redirection(), "/leaf/{id}: {}", leaf.status);
        assert!(leaf.header("location").unwrap().ends_with(&format!("/entries/{index}")));

        let proof = get(url, &format!("/entries/{index}.tlog-proof")).body;
        let verified = TlogProof::parse(&proof).unwrap().verify(taken.id(), system.policy()).unwrap();
        assert_eq!(verified.index().get(), index);
    }
    assert!(page(&system, "/executions").contains(lineage.id.as_str()));
    assert!(page(&system, &format!("/entries/{}", lineage.policy.index)).contains("permit (principal"));
    page(&system, "/health");
    json(&get(url, "/health.json"));

    // What the explorer hands out, the auditor's program takes.
    let folder = system.folder();
    let (entry, proof) = (folder.join("e"), folder.join("p"));
    let index = lineage.outcome.index;
    std::fs::write(&entry, get(url, &format!("/entries/{index}.cose")).body).unwrap();
    std::fs::write(&proof, get(url, &format!("/entries/{index}.tlog-proof")).body).unwrap();
    let policy = system.policy_file();
    let args = ["--policy".as_ref(), policy.as_path(), "--entry".as_ref(), &entry, &proof];
    run(Program::Verify, ["proof".as_ref()].into_iter().chain(args)).holds();
}

#[test]
fn what_an_issuer_wrote_cannot_become_markup() {
    let system = System::start();
    let parties = Parties::register(&system);
    let attack = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let id = countersign_tests::harness::execution("markup");
    let payload = serde_json::json!({
        "subject": {"type": attack, "id": attack}, "action": {"name": attack}, "resource": {"type": attack, "id": attack},
        "context": {attack: attack},
    });
    let kind = countersign_verifier::statement::Kind::Intent;
    let statement = parties.requester.state(kind, &id, None, payload).unwrap();
    let taken = crate::submitting::submit(&system, statement);
    for path in [
        "/".to_owned(),
        "/entries".to_owned(),
        format!("/entries/{}", taken.index),
        format!("/entries/{}/proof", taken.index),
        format!("/executions/{id}"),
        "/executions".to_owned(),
    ] {
        let page = page(&system, &path);
        assert!(!page.contains("<script>alert") && !page.contains("<img src=x"), "{path}: {page}");
    }
}

#[test]
fn what_is_not_there_is_said_to_be_missing() {
    let system = System::start();
    let url = system.log.url();
    for (path, status) in [
        ("/entries/999999", 404),
        ("/executions/none", 404),
        ("/no-such-page", 404),
        ("/entries/x", 400),
        ("/entries/01", 400),
    ] {
        let answer = get(url, path);
        assert_eq!(answer.status.as_u16(), status, "GET {path}");
        assert_html(path, &answer);
    }
    let missing = LeafHash::of(b"nothing");
    assert_eq!(get(url, &format!("/leaf/{missing}")).status.as_u16(), 404);
    for path in ["/entries/999999.json", "/entries/999999.cose", "/entries/999999.tlog-proof"] {
        assert_eq!(get(url, path).status.as_u16(), 404, "GET {path}");
    }
}

#[test]
fn machines_find_health_metrics_and_the_interface_description() {
    let system = System::start();
    let url = system.log.url();
    assert_eq!(get(url, "/healthz").status.as_u16(), 200);
    assert_eq!(get(url, "/readyz").status.as_u16(), 200);
    let metrics = get(url, "/metrics");
    assert_eq!(metrics.status.as_u16(), 200);
    assert!(String::from_utf8_lossy(&metrics.body).contains("# TYPE "));
    let described = json(&get(url, "/openapi.json"));
    for path in ["/entries", "/entries/batch", "/statements/prepare", "/checkpoint", "/proof/inclusion"] {
        assert!(described["paths"][path].is_object(), "{path} is not described");
    }
    // What the explorer serves for programs is described, and there.
    let bundle = &described["paths"]["/executions/{id}.bundle"]["get"]["responses"]["200"]["content"];
    let [media_type] = &bundle.as_object().unwrap().keys().collect::<Vec<_>>()[..] else {
        panic!("{bundle}")
    };
    let lineage = Parties::register(&system).execute(&system, "described");
    let answer = get(url, &format!("/executions/{}.bundle", lineage.id));
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.header("content-type"), Some(media_type.as_str()));
}

#[test]
fn a_log_without_explorer_has_no_pages() {
    let system = System::start_with(&Setup { log_flags: vec!["--no-explorer"], ..Setup::default() });
    expect_code(&get(system.log.url(), "/"), 404, "not-found");
    expect_code(&get(system.log.url(), "/executions/x"), 404, "not-found");
    assert_eq!(get(system.log.url(), "/checkpoint").status.as_u16(), 200);
    assert_eq!(get(system.log.url(), "/errors").status.as_u16(), 200);
}
