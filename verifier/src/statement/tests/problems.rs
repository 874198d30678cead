//! Every refusal has its page.

use std::collections::BTreeSet;

use super::super::problem::{PROBLEMS, Problem};
use super::*;

/// The codes that the `code` functions of a source file can give.
pub(crate) fn codes_in(source: &str) -> impl Iterator<Item = &str> {
    source.split("fn code(&self)").skip(1).flat_map(|function| {
        let body = function.split("\n    }\n").next().unwrap();
        body.lines().filter_map(|line| line.split("=> \"").nth(1)?.split('"').next())
    })
}

/// A table says everything, once, and in full sentences.
pub(crate) fn check_table(problems: &[Problem], sources: &[&str]) {
    let stated: BTreeSet<&str> = sources.iter().flat_map(|source| codes_in(source)).collect();
    let explained: BTreeSet<&str> = problems.iter().map(|problem| problem.code).collect();
    assert_eq!(stated, explained);
    assert_eq!(explained.len(), problems.len(), "a code is explained twice");
    for Problem { code, title, status, explanation, remedy } in problems {
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
        assert!((400..600).contains(status), "{code}");
        assert!(!title.ends_with('.') && title.len() < 60, "{code}: {title}");
        for sentence in [explanation, remedy] {
            assert!(sentence.ends_with('.') && !sentence.contains("  "), "{code}: {sentence}");
        }
    }
}

#[test]
fn every_code_is_explained_and_no_other() {
    check_table(
        PROBLEMS,
        &[
            include_str!("../claims.rs"),
            include_str!("../envelope.rs"),
            include_str!("../error.rs"),
            include_str!("../json.rs"),
            include_str!("../member.rs"),
            include_str!("../submission.rs"),
        ],
    );
}

#[test]
fn messages_say_what_was_found_and_what_was_expected() {
    let mut intent = payload(Kind::Intent);
    intent["subject"]["id"] = json!(7);
    assert_eq!(
        draft(Kind::Intent, &intent).unwrap_err().to_string(),
        "payload: /subject/id is 7, expected a text that is not empty"
    );
    let mut verification = payload(Kind::Verification);
    verification["mode"] = json!("x".repeat(1000));
    let message = draft(Kind::Verification, &verification).unwrap_err().to_string();
    assert!(message.starts_with("payload: /mode is \"xxx") && message.len() < 200, "{message}");
    assert!(message.ends_with("expected one of cosigned, sequenced, async"), "{message}");
    let other = PublicKey::from(&SigningKey::from_bytes(&[8; 32]));
    let error =
        Statement::parse(sample(Kind::Intent).statement().bytes()).unwrap().verify(&other).unwrap_err();
    assert_eq!(error.code(), "key-mismatch");
    assert!(error.to_string().contains(&KeyThumbprint::of(&other).to_string()));
}
