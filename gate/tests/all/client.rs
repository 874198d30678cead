//! The client: what it takes for proven, what it repeats, what it reports.

use countersign_gate::client::{Client, Receipt, Shown, SubmitError, Submitted, Trust, Unproven, Wait};
use countersign_verifier::statement::payload::{Action, Entity, Intent};
use countersign_verifier::statement::{Payload, References, Role, Statement, Subject};
use proptest::prelude::*;

use crate::log::{Fault, TestLog};
use crate::tree::{Tree, issuer, now};

fn start() -> TestLog {
    let mut tree = Tree::new();
    tree.register("alice", issuer("alice", [1; 32]).public_key(), &[Role::Requester]);
    TestLog::start(tree)
}

fn intent(execution: &str) -> Statement {
    let entity = |id: &str| Entity { entity_type: "Thing".to_owned(), id: id.to_owned(), properties: None };
    let payload = Payload::Intent(Intent {
        subject: entity("a"),
        action: Action { name: "do".to_owned(), properties: None },
        resource: entity("b"),
        context: None,
        parent: None,
    });
    let subject = Subject::Execution(execution.parse().unwrap());
    let by = issuer("alice", [1; 32]);
    by.state(now(), subject, None, &payload, &References::default()).unwrap().statement().clone()
}

fn submit(client: &Client, statement: &Statement, wait: Wait) -> Result<Submitted, SubmitError> {
    block_on(client.submit(statement.bytes(), wait))
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn trusting(log: &TestLog) -> Client {
    let policy = log.lock().tree.parsed_policy();
    Client::new(&log.url, Trust::Policy(Box::new(policy))).unwrap()
}

fn logged(submitted: Submitted) -> Receipt {
    match submitted {
        Submitted::Logged(receipt) => *receipt,
        Submitted::Accepted { .. } => panic!("only accepted"),
    }
}

#[test]
fn a_receipt_says_how_far_it_was_checked() {
    let log = start();
    let (client, statement) = (trusting(&log), intent("x"));
    let receipt = logged(submit(&client, &statement, Wait::Cosigned).unwrap());
    assert_eq!((receipt.index.get(), receipt.known), (2, false));
    assert_eq!(receipt.shown, Shown::Cosigned { witnesses: 2 });
    let policy = log.lock().tree.parsed_policy();
    assert!(receipt.proof.verify(receipt.entry, &policy).is_ok());
    let again = logged(submit(&client, &statement, Wait::Sequenced).unwrap());
    assert_eq!((again.index, again.known, again.shown), (receipt.index, true, Shown::LogSigned));
    let trusting_nothing = Client::new(&log.url, Trust::Nothing).unwrap();
    let receipt = logged(submit(&trusting_nothing, &statement, Wait::Cosigned).unwrap());
    assert_eq!(receipt.shown, Shown::InclusionOnly);
}

#[test]
fn a_batch_keeps_its_order_and_reports_each() {
    let log = start();
    let statements = [intent("a"), intent("b"), intent("c")];
    let outsider = {
        let by = issuer("mallory", [2; 32]);
        let Payload::Intent(_) = statements[0].payload() else { panic!() };
        let subject = Subject::Execution("m".parse().unwrap());
        by.state(now(), subject, None, statements[0].payload(), &References::default()).unwrap()
    };
    let batch =
        [statements[0].bytes(), outsider.statement().bytes(), statements[1].bytes(), statements[2].bytes()];
    let results = block_on(trusting(&log).submit_batch(&batch, Wait::Cosigned)).unwrap();
    let indices: Vec<_> =
        results.iter().map(|result| result.as_ref().ok().and_then(Submitted::index)).collect();
    assert_eq!(
        indices
            .iter()
            .map(|index| index.map(countersign_verifier::merkle::LeafIndex::get))
            .collect::<Vec<_>>(),
        [Some(2), None, Some(3), Some(4)]
    );
    let problem = results[1].as_ref().err().and_then(SubmitError::refusal).unwrap();
    assert_eq!(problem.code, "issuer-not-registered");
    assert!(problem.page.as_ref().unwrap().as_str().starts_with(log.url.as_str()));
    assert!(block_on(trusting(&log).submit_batch(&[], Wait::Cosigned)).unwrap().is_empty());
}

#[test]
fn answers_that_prove_something_else_do_not_count() {
    let log = start();
    for (fault, wait) in [
        (Fault::OtherEntry, Wait::Cosigned),
        (Fault::OtherProof, Wait::Cosigned),
        (Fault::OtherProof, Wait::Sequenced),
        (Fault::OtherLog, Wait::Cosigned),
        (Fault::OtherLog, Wait::Sequenced),
        (Fault::OneWitness, Wait::Cosigned),
    ] {
        log.fail(None, fault);
        let error = submit(&trusting(&log), &intent("x"), wait).unwrap_err();
        let SubmitError::Unproven { why, proof } = error else { panic!("{fault:?}: {error}") };
        let expected = match (fault, wait) {
            (Fault::OtherEntry, _) => matches!(*why, Unproven::OtherEntry { .. }),
            (Fault::OtherProof | Fault::OtherLog | Fault::OneWitness, Wait::Cosigned) => {
                matches!(*why, Unproven::Policy(_))
            }
            (Fault::OtherProof, _) => matches!(*why, Unproven::Inclusion(_)),
            (Fault::OtherLog, _) => matches!(*why, Unproven::Log(_)),
            _ => false,
        };
        assert!(expected, "{fault:?} {wait}: {why:?}");
        assert!(proof.starts_with("c2sp.org/tlog-proof@v1\n"), "the evidence is kept");
    }
    // Without a policy the inclusion is still checked.
    log.fail(None, Fault::OtherProof);
    let client = Client::new(&log.url, Trust::Nothing).unwrap();
    assert!(matches!(submit(&client, &intent("y"), Wait::Cosigned), Err(SubmitError::Unproven { .. })));
}

#[test]
fn what_is_in_but_not_cosigned_is_accepted_and_found_again() {
    let log = start();
    let (client, statement) = (trusting(&log), intent("x"));
    log.fail(None, Fault::NoWitness);
    let submitted = submit(&client, &statement, Wait::Cosigned).unwrap();
    assert!(
        matches!(submitted, Submitted::Accepted { index: Some(index), .. } if index.get() == 2),
        "{submitted:?}"
    );
    log.mend();
    assert!(logged(submit(&client, &statement, Wait::Cosigned).unwrap()).known);
}

#[test]
fn a_busy_log_is_asked_again_within_patience() {
    let log = start();
    log.fail(None, Fault::BusyOnce);
    logged(submit(&trusting(&log), &intent("x"), Wait::Cosigned).unwrap());
    log.fail(None, Fault::BusyOnce);
    let statement = intent("y");
    let results = block_on(trusting(&log).submit_batch(&[statement.bytes()], Wait::Cosigned)).unwrap();
    assert!(results[0].is_ok());
    log.fail(None, Fault::Stopped);
    let error = submit(&trusting(&log), &statement, Wait::Cosigned).unwrap_err();
    assert!(matches!(error, SubmitError::Failed(_)) && error.may_be_taken(), "{error}");
    log.fail(None, Fault::Busy);
    let error = submit(&trusting(&log), &intent("z"), Wait::Cosigned).unwrap_err();
    assert!(matches!(error, SubmitError::Busy { .. }), "{error}");
    let error = block_on(trusting(&log).submit_once(intent("z").bytes(), Wait::Cosigned)).unwrap_err();
    assert!(matches!(error, SubmitError::Busy { .. }), "{error}");
}

#[test]
fn refusals_can_be_shown_on_a_terminal() {
    let log = start();
    log.fail(None, Fault::Refuse);
    let error = submit(&trusting(&log), &intent("x"), Wait::Cosigned).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("not by you") && text.contains("/errors/role-missing"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn a_log_that_is_not_there_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    drop(listener);
    let client = Client::new(&url, Trust::Nothing).unwrap();
    assert!(matches!(submit(&client, &intent("x"), Wait::Cosigned), Err(SubmitError::Unreachable(_))));
    for address in ["ftp://log.example/", "data:x"] {
        assert!(matches!(
            Client::new(&address.parse().unwrap(), Trust::Nothing),
            Err(SubmitError::Address(_))
        ));
    }
}

#[test]
fn keys_are_listed_by_name() {
    let log = start();
    let keys = block_on(trusting(&log).registered_keys("alice")).unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0].public_key, *issuer("alice", [1; 32]).public_key());
    assert_eq!(keys[0].roles, [Role::Requester]);
    let error = block_on(trusting(&log).registered_keys("../entries")).unwrap_err();
    assert_eq!(error.refusal().unwrap().code, "issuer-not-found");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a server answers, the client comes back with an error or a proof that holds.
    #[test]
    fn no_answer_is_believed(status in prop::sample::select(vec![200_u16, 201, 202, 204, 301, 400, 429, 500, 503]), body in prop_oneof![
        "\\PC{0,80}",
        Just("{}".to_owned()),
        Just("[]".to_owned()),
        Just(r#"{"index":0,"entry":"","proof":""}"#.to_owned()),
        Just(r#"[{"index":0,"entry":"","proof":""}]"#.to_owned()),
        Just(r#"{"index":18446744073709551615,"entry":null,"proof":"c2sp.org/tlog-proof@v1\nindex 0\n\nx\n"}"#.to_owned()),
    ]) {
        let statement = intent("x");
        let answered = block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
            let code = axum::http::StatusCode::from_u16(status).unwrap();
            let answer = move || async move { (code, [("retry-after", "3600")], body) };
            let router = axum::Router::new().fallback(answer);
            let server = tokio::spawn(async move { axum::serve(listener, router).await });
            let client = Client::new(&url, Trust::Nothing).unwrap();
            let single = client.submit(statement.bytes(), Wait::Cosigned).await;
            let batch = client.submit_batch(&[statement.bytes()], Wait::Cosigned).await;
            server.abort();
            (single, batch)
        });
        prop_assert!(!matches!(answered.0, Ok(Submitted::Logged(_))));
        prop_assert!(!answered.1.into_iter().flatten().any(|one| matches!(one, Ok(Submitted::Logged(_)))));
    }
}
