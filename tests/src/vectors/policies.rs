//! Trust policies, in form.

use serde_json::{Value, json};

use super::keys::{WITNESSES, log, note_signer, policy, witness};
use super::{Case, File};

pub(super) fn file() -> File {
    let input = |policy: &[u8]| json!({ "policy": super::bytes(policy) });
    let accepted = |logs: usize, witnesses: usize| json!({"logs": logs, "witnesses": witnesses});
    let head = policy().rsplit_once("group ").map(|(head, _)| head.to_owned()).unwrap_or_default();
    let with = |lines: &str| format!("{head}{lines}");
    let other = note_signer("log.example/other", 9).verifier().to_string();
    let w3 = include_str!("../../vectors/c2sp/w3.vkey").trim_end();
    let good: Vec<(&str, String, Value)> = vec![
        ("two of three", policy(), accepted(1, 4)),
        ("one witness", with("quorum a\n"), accepted(1, 4)),
        ("no witness asked for", with("quorum none\n"), accepted(1, 4)),
        ("nothing but a quorum", "quorum none\n".to_owned(), accepted(0, 0)),
        (
            "groups of groups",
            with("group x any a b\ngroup y all c d\ngroup g 2 x y\nquorum g\n"),
            accepted(1, 4),
        ),
        (
            "words of the language as names",
            with("group any any a\ngroup 2 1 any\nquorum 2\n"),
            accepted(1, 4),
        ),
        ("comments, blank lines, tabs", with("\n# why\n#\n\t quorum \t a \n"), accepted(1, 4)),
        ("a second log", with(&format!("log {other} https://log.example/other\nquorum a\n")), accepted(2, 4)),
        ("a witness of type 6", with(&format!("witness e {w3}\nquorum e\n")), accepted(1, 5)),
    ];
    let mut cases: Vec<Case> = good
        .into_iter()
        .map(|(name, policy, expect)| Case::good(name, input(policy.as_bytes()), expect))
        .collect();
    let octets = [with("group ").as_bytes(), b"\xff any a\nquorum \xff\n"].concat();
    cases.push(Case::good("a name that is not UTF-8", input(&octets), accepted(1, 4)));
    let log = log().verifier().to_string();
    let first = witness(WITNESSES[0]).verifier().to_string();
    for (name, lines) in [
        ("no quorum", String::new()),
        ("two quorums", "quorum a\nquorum a\n".to_owned()),
        ("no line feed at the end", "quorum a".to_owned()),
        ("a word too many", "quorum a # why\n".to_owned()),
        ("a quorum of nobody", "quorum z\n".to_owned()),
        ("a group defined after its use", "quorum g\ngroup g any a\n".to_owned()),
        ("a carriage return", "quorum a\r\n".to_owned()),
        ("DEL", "quorum a\u{7f}\n".to_owned()),
        ("a capital letter", "Quorum a\n".to_owned()),
        ("a group without threshold", "group g\nquorum g\n".to_owned()),
        ("a group of all of nobody", "group g all\nquorum g\n".to_owned()),
        ("a group of any of nobody", "group g any\nquorum g\n".to_owned()),
        ("a name taken by a witness", "group a any b\nquorum a\n".to_owned()),
        ("the name none", "group none any b\nquorum none\n".to_owned()),
        ("none as a member", "group g any none\nquorum g\n".to_owned()),
        ("a member twice", "group g any a a\nquorum g\n".to_owned()),
        ("a member of two groups", "group g any a\ngroup h any a\nquorum g\n".to_owned()),
        ("a group as a member of itself", "group g any g\nquorum g\n".to_owned()),
        ("the threshold 0", "group g 0 a b\nquorum g\n".to_owned()),
        ("a threshold above the members", "group g 3 a b\nquorum g\n".to_owned()),
        ("a threshold with a leading zero", "group g 01 a b\nquorum g\n".to_owned()),
        ("a threshold in words", "group g most a b\nquorum g\n".to_owned()),
        ("the log's key twice", format!("log {log}\nquorum a\n")),
        ("a witness's key twice, under another name", format!("witness e {first}\nquorum a\n")),
        ("a witness's key for a log", format!("log {first}\nquorum a\n")),
        ("a log's key for a witness", format!("witness e {other}\nquorum a\n")),
        ("a URL of another scheme", format!("log {other} ftp://log.example/\nquorum a\n")),
        ("a URL that is none", format!("log {other} log.example\nquorum a\n")),
        ("a key that is none", "witness e nonsense\nquorum a\n".to_owned()),
        ("a witness without key", "witness e\nquorum a\n".to_owned()),
    ] {
        cases.push(Case::bad(name, input(with(&lines).as_bytes()), json!({"refused": true})));
    }
    cases.push(Case::bad("no bytes", input(b""), json!({"refused": true})));
    File {
        name: "policies",
        about: "Is this a trust policy, and how many logs and witnesses does it name?",
        cases,
    }
}
