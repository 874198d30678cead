//! The main line: from an issuer's key to a proof that verifies with the log gone.

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use countersign_tests::hammer::Prepared;
use countersign_tests::harness::{
    Program, Ran, System, execution, expect_code, get, operator, post, register, request, run, run_in,
};
use countersign_verifier::merkle::LeafHash;
use hyper::Method;
use serde_json::json;

use crate::parties::Parties;
use crate::submitting::{json as json_of, submit};
use crate::tree;

/// Checks a proof with the auditor's program.
#[track_caller]
fn verify(system: &System, entry: &Path, proof: &Path, more: &[&str]) -> Ran {
    let policy = system.policy_file();
    let files =
        ["--policy", policy.to_str().unwrap(), "--entry", entry.to_str().unwrap(), proof.to_str().unwrap()];
    run(Program::Verify, ["proof"].iter().chain(more).chain(&files))
}

#[test]
fn from_key_to_offline_proof_with_the_programs() {
    let mut system = System::start();
    let folder = system.folder().join("issuer");
    std::fs::create_dir(&folder).unwrap();
    let url = system.log.url().to_owned();
    let operator = system.log.data().join("operator.pem");
    let policy = system.policy_file();
    let (operator, policy) = (operator.to_str().unwrap(), policy.to_str().unwrap());
    let countersign = |args: &[&str]| run_in(&folder, Program::Countersign, args);

    countersign(&["keygen", "--out", "alice.pem"]).holds();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&folder.join("alice.pem").metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    countersign(&[
        "issuer",
        "add",
        "--log",
        &url,
        "--operator-key",
        operator,
        "--name",
        "alice",
        "--public-key",
        "alice.pub",
        "--roles",
        "requester",
        "--policy",
        policy,
    ])
    .holds();
    let intent = json!({
        "subject": {"type": "agent", "id": "a"}, "action": {"name": "read"}, "resource": {"type": "file", "id": "b"},
    });
    std::fs::write(folder.join("intent.json"), intent.to_string()).unwrap();
    countersign(&[
        "sign",
        "--key",
        "alice.pem",
        "--kind",
        "intent",
        "--iss",
        "alice",
        "--execution",
        "journey/1",
        "--payload",
        "intent.json",
        "--out",
        "intent.cose",
    ])
    .holds();
    countersign(&["submit", "--log", &url, "--policy", policy, "intent.cose"]).holds();
    let (entry, proof) = (folder.join("intent.cose"), folder.join("intent.cose.tlog-proof"));
    let index: u64 = {
        let proof = std::fs::read_to_string(&proof).unwrap();
        proof.lines().find_map(|line| line.strip_prefix("index ")).unwrap().parse().unwrap()
    };
    assert_eq!(get(&url, &format!("/entries/{index}.cose")).body, std::fs::read(&entry).unwrap());

    // Nothing of the log is left running, and the proof holds all the same.
    system.log.stop();
    system.witnesses.iter_mut().for_each(countersign_tests::harness::Witness::stop);
    let ran = verify(&system, &entry, &proof, &["--issuer-key", folder.join("alice.pub").to_str().unwrap()]);
    ran.holds();
    assert!(!ran.stdout.contains("FAIL"), "{}", ran.stdout);

    // Revoked, the key opens nothing any more; what it signed before still verifies.
    system.witnesses.iter_mut().for_each(countersign_tests::harness::Witness::start);
    system.log.start();
    countersign(&[
        "issuer",
        "revoke",
        "--log",
        &url,
        "--operator-key",
        operator,
        "--name",
        "alice",
        "--policy",
        policy,
    ])
    .holds();
    countersign(&[
        "sign",
        "--key",
        "alice.pem",
        "--kind",
        "intent",
        "--iss",
        "alice",
        "--execution",
        "journey/2",
        "--payload",
        "intent.json",
        "--out",
        "late.cose",
    ])
    .holds();
    let refused = countersign(&["submit", "--log", &url, "--policy", policy, "late.cose"]);
    assert_ne!(refused.code, Some(0));
    assert!(refused.stderr.contains("issuer-revoked"), "{refused:?}");
    assert!(!folder.join("late.cose.tlog-proof").exists());
    verify(&system, &entry, &proof, &[]).holds();
}

/// Runs a line of shell in a folder, as an issuer without our programs would.
#[track_caller]
fn shell(folder: &Path, line: &str) -> String {
    let output =
        Command::new("bash").args(["-euo", "pipefail", "-c", line]).current_dir(folder).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{line}\n{out}\n{err}");
    out.into_owned()
}

#[test]
fn an_issuer_with_curl_and_openssl_alone() {
    let system = System::start();
    let folder = system.folder().join("issuer");
    std::fs::create_dir(&folder).unwrap();
    let url = system.log.url();
    shell(
        &folder,
        "openssl genpkey -algorithm ed25519 -out me.pem && openssl pkey -in me.pem -pubout -out me.pub",
    );
    let operator = system.log.data().join("operator.pem");
    run_in(
        &folder,
        Program::Countersign,
        [
            "issuer",
            "add",
            "--log",
            url,
            "--operator-key",
            operator.to_str().unwrap(),
            "--name",
            "me",
            "--public-key",
            "me.pub",
            "--roles",
            "requester",
        ],
    )
    .holds();
    let public_key =
        shell(&folder, "openssl pkey -in me.pem -pubout -outform DER | tail -c 32 | base64 -w 0");
    let cti = shell(&folder, "openssl rand -base64 16");
    let iat: u64 = shell(&folder, "date +%s").trim().parse().unwrap();
    // The payload is formatted as people do: the log brings it into its one form before anything is signed.
    let request = json!({
        "kind": "intent", "iss": "me", "sub": "journey/curl", "iat": iat, "cti": cti.trim(), "public_key": public_key,
        "payload": {
            "subject": {"type": "User", "id": "me"}, "resource": {"type": "World", "id": "earth"},
            "action": {"name": "greet"},
        },
    });
    std::fs::write(folder.join("request.json"), serde_json::to_string_pretty(&request).unwrap()).unwrap();
    let prepared: serde_json::Value = serde_json::from_str(&shell(
        &folder,
        &format!("curl -fsS {url}/statements/prepare -H 'Content-Type: application/json' --data-binary @request.json"),
    ))
    .unwrap();
    let unbase64 = |member: &str| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.decode(prepared[member].as_str().unwrap()).unwrap()
    };
    std::fs::write(folder.join("to-be-signed"), unbase64("to_be_signed")).unwrap();
    shell(&folder, "openssl pkeyutl -sign -rawin -inkey me.pem -in to-be-signed -out signature");
    let mut signed = request.clone();
    signed["signature"] = shell(&folder, "base64 -w 0 signature").into();
    std::fs::write(folder.join("signed.json"), signed.to_string()).unwrap();
    let post = "-H 'Content-Type: application/json' -H 'Accept: text/plain' --data-binary @signed.json";
    shell(&folder, &format!("curl -fsS {url}/entries {post} -o entry.tlog-proof"));
    let mut entry = unbase64("statement");
    let blank = entry.len() - 64;
    entry[blank..].copy_from_slice(&std::fs::read(folder.join("signature")).unwrap());
    std::fs::write(folder.join("entry.cose"), &entry).unwrap();
    let (entry, proof) = (folder.join("entry.cose"), folder.join("entry.tlog-proof"));
    verify(&system, &entry, &proof, &["--issuer-key", folder.join("me.pub").to_str().unwrap()]).holds();
}

#[test]
fn batches_go_in_order_and_all_or_none() {
    let system = System::start();
    let parties = Parties::register(&system);
    let url = system.log.url();
    let before = system.size();

    // Later statements stand on earlier ones of the same batch.
    let id = execution("batch");
    let policy = parties.policy("batch");
    let intent = parties.intent(&id);
    let decision = parties.decision(&id, "permit", intent.entry_id(), policy.entry_id());
    let refs = json!({"decision": decision.entry_id().to_string()});
    let authorization = parties.authorization(&id, refs);
    let all = [policy, intent, decision, authorization]
        .map(countersign_verifier::statement::VerifiedStatement::into_bytes);
    let answer = post(url, "/entries/batch", "application/cbor-seq", all.concat());
    assert_eq!(answer.status.as_u16(), 200, "{}", String::from_utf8_lossy(&answer.body));
    let results = json_of(&answer);
    for (at, statement) in (0_u64..).zip(&all) {
        let result = &results[usize::try_from(at).unwrap()];
        assert_eq!(result["index"], before + at);
        assert_eq!(result["entry"], LeafHash::of(statement).to_string());
        let proof = result["proof"].as_str().unwrap();
        let proof = countersign_verifier::proof::TlogProof::parse(proof.as_bytes()).unwrap();
        proof.verify(LeafHash::of(statement), system.policy()).unwrap();
    }

    // One that is refused does not keep the others out, unless that was asked for.
    let good = || parties.intent(&execution("good")).into_bytes();
    let denied = parties.outcome(&id, LeafHash::of(b"no such entry")).into_bytes();
    let mixed = [good(), denied.clone(), good()];
    let answer = post(url, "/entries/batch?atomic=true", "application/cbor-seq", mixed.concat());
    let results = json_of(&answer);
    assert_eq!(results[0]["type"], "/errors/batch-refused", "{results}");
    assert_eq!(results[1]["type"], "/errors/reference-unresolved", "{results}");
    assert_eq!(results[2]["type"], "/errors/batch-refused", "{results}");
    assert_eq!(system.size(), before + 4);
    let answer = post(url, "/entries/batch", "application/cbor-seq", mixed.concat());
    let results = json_of(&answer);
    assert_eq!(results[0]["index"], before + 4, "{results}");
    assert_eq!(results[1]["type"], "/errors/reference-unresolved", "{results}");
    assert_eq!(results[2]["index"], before + 5, "{results}");

    // The same again changes nothing, and says where it is.
    let answer = post(url, "/entries/batch", "application/cbor-seq", mixed.concat());
    assert_eq!(json_of(&answer)[2]["index"], before + 5);
    assert_eq!(system.size(), before + 6);
    let answer = post(url, "/entries", "application/cose", mixed[0].clone());
    assert_eq!((answer.status.as_u16(), &json_of(&answer)["index"]), (200, &json!(before + 4)));
}

#[test]
fn every_tile_leads_to_the_root() {
    let system = System::start();
    let requester = register(&system, "requester", &["requester"]);
    let prepared = Prepared::sign(&requester, 700, 1000, 600, &|_| ()).unwrap();
    let all: Vec<Vec<u8>> = (0..700).map(|number| prepared.statement(number).unwrap()).collect();
    // Heads on both sides of where tiles end.
    let mut heads = vec![tree::rehash(&system).0];
    for part in [&all[..253], &all[253..254], &all[254..255], &all[255..700]] {
        let answer = post(system.log.url(), "/entries/batch", "application/cbor-seq", part.concat());
        assert_eq!(answer.status.as_u16(), 200);
        let (head, entries) = tree::rehash(&system);
        assert_eq!(entries[entries.len() - part.len()..], *part);
        for earlier in &heads {
            tree::assert_consistent(&system, earlier, &head);
        }
        heads.push(head);
    }
    assert_eq!(heads.last().unwrap().size, tree::size(702));
    assert_eq!(heads.iter().map(|head| head.size.get()).collect::<Vec<_>>(), [2, 255, 256, 257, 702]);
}

#[test]
fn what_an_answer_looks_like_is_the_clients_choice() {
    let system = System::start();
    let requester = register(&system, "requester", &["requester"]);
    let statement = || {
        let payload = serde_json::Value::Object(countersign_tests::statements::request());
        let kind = countersign_verifier::statement::Kind::Intent;
        requester.state(kind, &execution("accept"), None, payload).unwrap()
    };
    let send = |path: &str, accept: Option<&str>| {
        let body = Bytes::from(statement().into_bytes());
        let mut headers = vec![("content-type", "application/cose")];
        headers.extend(accept.map(|accept| ("accept", accept)));
        request(system.log.url(), Method::POST, path, &headers, body).unwrap()
    };
    let text = send("/entries", Some("text/plain"));
    assert_eq!(text.status.as_u16(), 201);
    assert!(
        text.body.starts_with(b"c2sp.org/tlog-proof@v1\nindex "),
        "{}",
        String::from_utf8_lossy(&text.body)
    );
    for accept in [None, Some("*/*"), Some("application/json"), Some("text/html, application/json;q=0.5")] {
        let answer = send("/entries?wait=sequenced", accept);
        assert_eq!(answer.status.as_u16(), 201, "{accept:?}");
        assert!(json_of(&answer)["proof"].is_string());
    }
    expect_code(&send("/entries", Some("image/png")), 406, "not-acceptable");
    // The operator signs like everybody else.
    let claims = operator(&system)
        .claims(
            "policy:p"
                .strip_prefix("policy:")
                .unwrap()
                .parse()
                .map(countersign_verifier::statement::Subject::Policy)
                .unwrap(),
        )
        .unwrap();
    let policy = json!({"name": "p", "version": "1", "engine": "cedar", "policies": [{"id": "a", "text": "permit(principal,action,resource);"}]});
    submit(
        &system,
        operator(&system).sign(countersign_verifier::statement::Kind::Policy, claims, policy).unwrap(),
    );
}
