//! `POST /entries/batch`.

use axum::http::StatusCode;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::proof::TlogProof;
use countersign_verifier::quorum::Policy;
use serde_json::{Value, json};

use super::served::{Answer, Served};
use super::statements::{Signer, request};

fn codes(answer: &Answer) -> Vec<Value> {
    let answers = answer.json();
    let answers = answers.as_array().unwrap();
    answers.iter().map(|item| item.get("type").or(item.get("index")).unwrap().clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn later_statements_stand_on_earlier_ones_also_by_keys_that_these_register() {
    let served = Served::start().await;
    let newcomer = Signer::new("newcomer", 7);
    let registration = served.operator.registration(&newcomer, &["requester", "authority"], "active");
    let intent = newcomer.intent("batch");
    let mut payload = request();
    payload["refs"] = json!({"intent": LeafHash::of(&intent).to_string()});
    let authorization = newcomer.cose("authorization", "batch", payload);
    let statements = [registration, intent, authorization];
    let answer = served.batch(&statements, "").await;
    assert_eq!(
        (answer.status, codes(&answer)),
        (StatusCode::OK, vec![json!(2), json!(3), json!(4)]),
        "{answer:?}"
    );
    let policy = Policy::parse(b"quorum none\n").unwrap().for_log(served.ground.key.clone());
    let answers = answer.json();
    for (statement, item) in statements.iter().zip(answers.as_array().unwrap()) {
        let proof = TlogProof::parse(item["proof"].as_str().unwrap().as_bytes()).unwrap();
        proof.verify(LeafHash::of(statement), &policy).unwrap();
        assert_eq!(item["checkpoint"], answers[0]["checkpoint"], "one head for all");
    }
    let again = served.batch(&statements, "?atomic=true").await;
    assert_eq!((codes(&again), served.size()), (vec![json!(2), json!(3), json!(4)], 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_statement_gets_its_own_verdict() {
    let served = Served::start().await;
    let stranger = Signer::new("stranger", 9);
    let good = served.desk.intent("good");
    let statements = [
        good.clone(),
        b"\x01".to_vec(),
        stranger.intent("x"),
        good,
        served.desk.cose("close", "x", json!({"entries": 1})),
    ];
    let answer = served.batch(&statements, "").await;
    let expected = [
        json!(2),
        json!("/errors/cose-malformed"),
        json!("/errors/issuer-not-registered"),
        json!(2),
        json!(3),
    ];
    assert_eq!((answer.status, codes(&answer)), (StatusCode::OK, expected.to_vec()));
    assert_eq!(answer.json()[1]["status"], 400);
    assert_eq!(served.size(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_or_none_enters_none_when_one_is_refused_before_or_by_the_rules() {
    let served = Served::start().await;
    let refused = json!("/errors/batch-refused");
    // Refused before the queue: a stranger. Refused by the rules: a close after the close.
    let close = || served.desk.cose("close", "x", json!({"entries": 1}));
    for (culprit, code) in
        [(Signer::new("stranger", 9).intent("x"), "issuer-not-registered"), (close(), "execution-closed")]
    {
        let answer = served
            .batch(&[served.desk.intent("a"), close(), culprit, served.desk.intent("b")], "?atomic=true")
            .await;
        let expected = [refused.clone(), refused.clone(), json!(format!("/errors/{code}")), refused.clone()];
        assert_eq!((answer.status, codes(&answer)), (StatusCode::OK, expected.to_vec()), "{answer:?}");
        assert!(answer.json()[0]["detail"].as_str().unwrap().contains("statement 2"), "{answer:?}");
        assert_eq!(served.size(), 2);
    }
    // The same, each for itself.
    let answer = served
        .batch(&[served.desk.intent("a"), close(), close(), served.desk.intent("b")], "?atomic=false")
        .await;
    assert_eq!(codes(&answer), [json!(2), json!(3), json!("/errors/execution-closed"), json!(4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_batch_is_refused_whole() {
    let served = Served::start().await;
    let good = served.desk.intent("good");
    let cut = good[..good.len() - 1].to_vec();
    for (statements, code) in [
        (vec![], "batch-malformed"),
        (vec![good.clone(), cut], "batch-malformed"),
        (vec![good.clone(), vec![0xff]], "batch-malformed"),
        (vec![good.clone(), vec![0x9f]], "batch-malformed"),
        (vec![vec![0x01]; 1025], "batch-too-long"),
        (vec![vec![0x00; 16 * 1024 * 1024 + 1]], "body-too-large"),
    ] {
        assert_eq!(served.batch(&statements, "").await.problem(), code);
        assert_eq!(served.size(), 2, "{code}");
    }
    let longest = vec![vec![0x01]; 1024];
    let answer = served.batch(&longest, "").await;
    assert_eq!((answer.status, codes(&answer).len()), (StatusCode::OK, 1024));
    assert!(codes(&answer).iter().all(|code| code == "/errors/cose-malformed"));
    for query in ["?atomic=yes", "?atomic", "?wait=never"] {
        assert_eq!(
            served.batch(std::slice::from_ref(&good), query).await.problem(),
            "query-parameter-invalid"
        );
    }
    let answer = served.post("/entries/batch", "application/cose", good.clone()).await;
    assert_eq!(answer.problem(), "unsupported-media-type");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_batch_of_good_statements_is_taken() {
    let served = Served::start().await;
    let statements: Vec<Vec<u8>> =
        (0..1024).map(|number| served.desk.intent(&format!("n:{number}"))).collect();
    let answer = served.batch(&statements, "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let places: Vec<Value> = (2..1026).map(|index| json!(index)).collect();
    assert_eq!(codes(&answer), places);
}
