//! `POST /entries` and `POST /statements/prepare`.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, RootHash, TreeSize, verify_inclusion};
use countersign_verifier::note::SignedNote;
use countersign_verifier::proof::TlogProof;
use countersign_verifier::quorum::Policy;
use countersign_verifier::receipt::Receipt;
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};

use super::served::{Answer, Ground, Served, Setting, post};
use super::statements::{NOW, bytes_of, request};
use crate::engine::witness::{Mood, TestWitness, policy};

/// Checks everything that an answer claims about a statement, and that all of it is about one head.
fn check(answer: &Answer, statement: &[u8], policy: &Policy) -> u64 {
    let json = answer.json();
    let mut members: Vec<&String> = json.as_object().unwrap().keys().collect();
    members.sort();
    assert_eq!(members, ["checkpoint", "entry", "inclusion", "index", "proof"], "exactly these");
    let (entry, index) = (LeafHash::of(statement), json["index"].as_u64().unwrap());
    assert_eq!(json["entry"], entry.to_string());
    let proof = TlogProof::parse(json["proof"].as_str().unwrap().as_bytes()).unwrap();
    let verified = proof.verify(entry, policy).unwrap();
    assert_eq!(verified.index().get(), index);
    assert_eq!(json["checkpoint"], proof.checkpoint.to_string());
    let hashes: Vec<Value> = proof.hashes.iter().map(|hash| json!(hash.to_base64())).collect();
    assert_eq!(json["inclusion"], Value::Array(hashes));
    assert_eq!(answer.header("location"), format!("/entries/{index}"));
    index
}

fn without_witnesses(served: &Served) -> Policy {
    Policy::parse(b"quorum none\n").unwrap().for_log(served.ground.key.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_entered_once_and_proven_every_time() {
    let served = Served::start().await;
    let policy = without_witnesses(&served);
    let statement = served.desk.intent("once");
    let first = served.cose(statement.clone(), "").await;
    assert_eq!((first.status, first.header("content-type")), (StatusCode::CREATED, "application/json"));
    let index = check(&first, &statement, &policy);
    served.enter(served.desk.intent("later")).await;
    for query in ["", "?wait=cosigned", "?wait=sequenced"] {
        let again = served.cose(statement.clone(), query).await;
        assert_eq!(again.status, StatusCode::OK);
        assert_eq!(check(&again, &statement, &policy), index);
    }
    assert_eq!(served.size(), 4);
    // The proof alone, as a file.
    let accept =
        Request::post("/entries").header("content-type", "application/cose").header("accept", "text/plain");
    let text = served.send(accept.body(Body::from(statement.clone())).unwrap()).await;
    assert_eq!((text.status, text.header("content-type")), (StatusCode::OK, "text/plain; charset=utf-8"));
    assert_eq!(text.text(), served.cose(statement.clone(), "").await.json()["proof"]);
    assert!(TlogProof::parse(&text.body).unwrap().verify(LeafHash::of(&statement), &policy).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_receipt_gets_one_for_new_and_known_statements() {
    let served = Served::start().await;
    let key = *served.ground.key.public_key().unwrap();
    let asking = |query: &str, content_type: &str, body: Vec<u8>| {
        let request = Request::post(format!("/entries{query}")).header("content-type", content_type);
        served.send(request.header("accept", "application/cose").body(Body::from(body)).unwrap())
    };
    let (statement, form) =
        (served.desk.intent("receipt"), served.desk.json("intent", "receipt:json", request()));
    let media = "application/cose";
    for (query, content_type, body, bytes, status, subject) in [
        ("", media, statement.clone(), statement.clone(), StatusCode::CREATED, "receipt"),
        ("", media, statement.clone(), statement.clone(), StatusCode::OK, "receipt"),
        ("?wait=sequenced", media, statement.clone(), statement, StatusCode::OK, "receipt"),
        (
            "",
            "application/json",
            form.to_string().into(),
            bytes_of(&form),
            StatusCode::CREATED,
            "receipt:json",
        ),
    ] {
        let answer = asking(query, content_type, body).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, media), "{answer:?}");
        assert!(answer.header("location").starts_with("/entries/"));
        let receipt = Receipt::parse(&answer.body).unwrap();
        let root = receipt.verify(LeafHash::of(&bytes), &key).unwrap();
        assert_eq!(root, served.log.sequenced_head().checkpoint.root);
        assert_eq!(
            (receipt.origin().as_str(), receipt.subject()),
            (served.ground.key.name().as_str(), subject)
        );
        assert!(receipt.verify(LeafHash::of(b"another"), &key).is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_is_answered_also_when_it_is_late_or_its_issuer_revoked() {
    let served = Served::start().await;
    let policy = without_witnesses(&served);
    let statement = served.desk.intent("early");
    let form = served.desk.json("intent", "early:too", request());
    let index = check(&served.cose(statement.clone(), "").await, &statement, &policy);
    assert_eq!(served.json(&form).await.status, StatusCode::CREATED);
    served.enter(served.operator.registration(&served.desk, &[], "revoked")).await;
    served.at(NOW + 1_000_000);
    let again = served.cose(statement.clone(), "").await;
    assert_eq!((again.status, check(&again, &statement, &policy)), (StatusCode::OK, index));
    assert_eq!(served.json(&form).await.status, StatusCode::OK);
    let batch = served.batch(std::slice::from_ref(&statement), "").await;
    assert_eq!(batch.json()[0]["index"], index);
    assert_eq!(served.cose(served.desk.intent("now"), "").await.problem(), "clock-skew");
    served.at(NOW);
    assert_eq!(served.cose(served.desk.intent("now"), "").await.problem(), "issuer-revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_of_one_statement_are_one_entry() {
    let served = Served::start().await;
    let form = served.desk.json("intent", "both", request());
    let entered = served.json(&form).await;
    assert_eq!(entered.status, StatusCode::CREATED, "{entered:?}");
    let index = check(&entered, &bytes_of(&form), &without_witnesses(&served));
    let again = served.cose(bytes_of(&form), "").await;
    assert_eq!((again.status, again.json()["index"].as_u64()), (StatusCode::OK, Some(index)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_prepared_can_be_signed_and_submitted() {
    let served = Served::start().await;
    let mut form = served.desk.unsigned("intent", "prepared", request());
    let size = served.size();
    let prepared = served.post("/statements/prepare", "application/json", form.to_string()).await;
    assert_eq!(prepared.status, StatusCode::OK);
    let prepared = prepared.json();
    let decode = |name: &str| STANDARD.decode(prepared[name].as_str().unwrap()).unwrap();
    let signature = served.desk.key.sign(&decode("to_be_signed")).to_bytes();
    form["signature"] = json!(STANDARD.encode(signature));
    assert_eq!(served.size(), size, "preparing enters nothing");
    assert_eq!(served.json(&form).await.status, StatusCode::CREATED);
    // The statement that was shown is the one that was entered, signature apart.
    let (shown, entered) = (decode("statement"), bytes_of(&form));
    assert_eq!(shown[..shown.len() - 64], entered[..entered.len() - 64]);
    assert_eq!((&shown[shown.len() - 64..], &entered[entered.len() - 64..]), (&[0; 64][..], &signature[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_wait_for_the_quorum_of_real_witnesses() {
    let ground = Ground::found();
    let mut witnesses = Vec::new();
    for name in ["w1", "w2", "w3"] {
        witnesses.push(TestWitness::start(name, &ground.key).await);
    }
    let text = policy(2, &witnesses.iter().collect::<Vec<_>>());
    let trust = Policy::parse(text.as_bytes()).unwrap().for_log(ground.key.clone());
    witnesses[2].set(Mood::Broken);
    let served = Served::with(ground, Setting { policy: text, ..Setting::default() }).await;
    served.register(&served.desk, &["requester"]).await;
    for number in 0..5 {
        let statement = served.desk.intent(&format!("cosigned:{number}"));
        let answer = served.cose(statement.clone(), "").await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        check(&answer, &statement, &trust);
    }
    let ready = served.get("/readyz").await;
    assert_eq!((ready.status, ready.json()["status"].as_str()), (StatusCode::OK, Some("ready")));
    assert_eq!(ready.json()["warnings"][0]["code"], "witness-refuses", "{ready:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quorum_nothing_is_lost_and_nothing_is_published() {
    let ground = Ground::found();
    let witness = TestWitness::start("w", &ground.key).await;
    witness.set(Mood::Broken);
    let setting =
        Setting { policy: policy(1, &[&witness]), wait: Duration::from_millis(200), ..Setting::default() };
    let served = Served::with(ground, setting).await;
    served.register(&served.desk, &["requester"]).await;
    let statement = served.desk.intent("waiting");
    let answer = served.cose(statement.clone(), "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::ACCEPTED, "1"));
    assert_eq!(answer.header("location"), "/entries/2");
    assert_eq!(answer.json(), json!({"index": 2, "entry": LeafHash::of(&statement).to_string()}));
    let batch = served.batch(&[statement.clone(), b"\x00".to_vec()], "").await;
    assert_eq!((batch.status, batch.header("retry-after")), (StatusCode::ACCEPTED, "1"));
    assert_eq!(
        (&batch.json()[0]["index"], &batch.json()[1]["type"]),
        (&json!(2), &json!("/errors/cose-malformed"))
    );
    // What is durable can be had at once, under a head that the log alone signed.
    let sequenced = served.cose(statement.clone(), "?wait=sequenced").await;
    assert_eq!(sequenced.status, StatusCode::OK);
    check(&sequenced, &statement, &without_witnesses(&served));
    for path in ["/checkpoint", "/tile/0/000.p/1", "/proof/inclusion?index=0&size=1"] {
        let answer = served.get(path).await;
        assert_eq!(
            (answer.problem().as_str(), answer.header("retry-after")),
            ("no-checkpoint-yet", "1"),
            "{path}"
        );
    }
    let ready = served.get("/readyz").await;
    assert_eq!((ready.problem().as_str(), ready.status), ("not-ready", StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(ready.json()["reasons"][0]["code"], "quorum-missing");
    assert!(ready.json()["detail"].as_str().unwrap().contains("witness w"), "{ready:?}");
    assert_eq!(served.get("/healthz").await.status, StatusCode::OK);
    // When the witness is back, the same bytes get their proof.
    witness.set(Mood::Honest);
    let trust = served.log.policy().clone();
    for _ in 0..100 {
        let answer = served.cose(statement.clone(), "").await;
        if answer.status == StatusCode::OK {
            assert_eq!(check(&answer, &statement, &trust), 2);
            return;
        }
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    panic!("the quorum came back, and no proof did");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_submissions_each_get_a_place_of_their_own() {
    let served = Served::start().await;
    let policy = without_witnesses(&served);
    let statements: Vec<Vec<u8>> = (0..64).map(|number| served.desk.intent(&format!("c:{number}"))).collect();
    let answers = statements.iter().map(|statement| {
        let (router, statement) = (served.router.clone(), statement.clone());
        tokio::spawn(async move { post(router, "/entries", "application/cose", statement).await })
    });
    let answers: Vec<_> = answers.collect();
    let mut places = std::collections::BTreeSet::new();
    for (answer, statement) in answers.into_iter().zip(&statements) {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, StatusCode::CREATED);
        assert!(places.insert(check(&answer, statement, &policy)));
    }
    assert_eq!(served.size(), 2 + 64);
    // Every proof by query, against the newest head, for every place.
    let head = SignedNote::parse(&served.get("/checkpoint").await.body).unwrap();
    let root = RootHash::from_base64(head.text().lines().nth(2).unwrap()).unwrap();
    let size = TreeSize::new(66).unwrap();
    for statement in &statements {
        let index = served.cose(statement.clone(), "").await.json()["index"].as_u64().unwrap();
        let proof = served.get(&format!("/proof/inclusion?index={index}&size=66")).await.json();
        let hashes: Vec<NodeHash> = proof["hashes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hash| NodeHash::from_base64(hash.as_str().unwrap()).unwrap())
            .collect();
        let index = LeafIndex::new(index).unwrap();
        verify_inclusion(LeafHash::of(statement), index, size, &hashes, root).unwrap();
    }
}
