//! Heads under policies: who signed, who cosigned, and whether that is enough.

use countersign_verifier::note::SignedNote;
use serde_json::{Value, json};

use super::keys::{COSIGNED_AT, WITNESSES, cosigned, head, line, log, note_signer, policy, witness};
use super::notes::verdict;
use super::trees::Tree;
use super::{Case, File};

#[expect(clippy::many_single_char_names, clippy::too_many_lines, reason = "it is a list")]
pub(super) fn file() -> File {
    let checkpoint = head(300, Tree::new().root(300));
    let note = |seeds: &[u8]| cosigned(&checkpoint, seeds);
    let [a, b, c, d] = WITNESSES;
    let of = |lines: &str| policy().replace("group two 2 a b c\nquorum two\n", lines);
    let nested = of("group x any a b\ngroup y all c d\ngroup g 2 x y\nquorum g\n");
    let mut cases = Vec::new();
    let mut push = |name: &str,
                    policy: &str,
                    note: &SignedNote,
                    log: bool,
                    quorum: Option<&[(&str, u64)]>| {
        let quorum_verdict = if log { verdict(quorum.is_some()) } else { json!("not_checked") };
        let cosigned: Option<Vec<Value>> = quorum
            .map(|cosigned| cosigned.iter().map(|(name, time)| json!([name, time.to_string()])).collect());
        let input = json!({"policy": policy, "note": note.to_string()});
        let expect =
            json!({"log_signature": verdict(log), "witness_quorum": quorum_verdict, "cosigned": cosigned});
        cases.push(if log && quorum.is_some() {
            Case::good(name, input, expect)
        } else {
            Case::bad(name, input, expect)
        });
    };
    let t = COSIGNED_AT;
    push("two of three", &policy(), &note(&[a, b]), true, Some(&[("a", t), ("b", t)]));
    push(
        "all that are known",
        &policy(),
        &note(&[a, b, c, d]),
        true,
        Some(&[("a", t), ("b", t), ("c", t), ("d", t)]),
    );
    push(
        "a witness that nobody knows is ignored",
        &policy(),
        &note(&[199, a, b]),
        true,
        Some(&[("a", t), ("b", t)]),
    );
    push("no witness asked for", &of("quorum none\n"), &note(&[]), true, Some(&[]));
    push("one witness", &of("quorum d\n"), &note(&[d]), true, Some(&[("d", t)]));
    push("groups of groups", &nested, &note(&[b, c, d]), true, Some(&[("b", t), ("c", t), ("d", t)]));
    let times = |times: &[(u8, u64)]| {
        let note = note(&[]);
        let lines = times.iter().map(|(seed, time)| line(&checkpoint, *seed, *time));
        note.with_signatures(note.signatures().iter().cloned().chain(lines).collect())
    };
    push(
        "the earliest time of a witness counts",
        &policy(),
        &times(&[(b, 7), (a, 9), (a, 8)]),
        true,
        Some(&[("b", 7), ("a", 8)]),
    );
    push(
        "the last time that there is",
        &of("quorum a\n"),
        &times(&[(a, i64::MAX.unsigned_abs())]),
        true,
        Some(&[("a", i64::MAX.unsigned_abs())]),
    );

    push("one of three", &policy(), &note(&[a]), true, None);
    push("one of three, twice", &policy(), &note(&[a, a]), true, None);
    push("a witness that is known but does not count", &policy(), &note(&[a, d]), true, None);
    push("a group of all, with one missing", &nested, &note(&[a, b, c]), true, None);
    push("no witness at all", &policy(), &note(&[]), true, None);
    let forge = |note: &SignedNote, seed: u8| {
        // The time is part of what is signed, so a line with another time is false.
        let text = note.to_string();
        let (sound, other) =
            (line(&checkpoint, seed, t).to_string(), line(&checkpoint, seed, t + 1).to_string());
        let split = sound.len() - 40;
        let forged = text.replace(&sound, &format!("{}{}", &other[..split], &sound[split..]));
        SignedNote::parse(forged.as_bytes()).expect("a note")
    };
    push(
        "a false line of a known witness spoils the head",
        &policy(),
        &forge(&note(&[a, b, c]), c),
        true,
        None,
    );
    push(
        "a false line of a known witness that does not count",
        &policy(),
        &forge(&note(&[a, b, d]), d),
        true,
        None,
    );
    let of_other = head(299, Tree::new().root(299));
    let lines = cosigned(&of_other, &[a, b]).signatures()[1..].to_vec();
    let moved = note(&[]).with_signatures([note(&[]).signatures().to_vec(), lines].concat());
    push("cosignatures of another head", &policy(), &moved, true, None);

    let stranger = note_signer("log.example/other", 9);
    push("a log that the policy does not name", &policy(), &checkpoint.sign(&stranger), false, None);
    let accepts_stranger = format!("log {}\nquorum none\n", stranger.verifier());
    push("a log that signs for another origin", &accepts_stranger, &checkpoint.sign(&stranger), false, None);
    push("no log in the policy", "quorum none\n", &note(&[a, b]), false, None);
    let renamed = note_signer("log.example/vectors", 9);
    push("another key under the log's name", &policy(), &checkpoint.sign(&renamed), false, None);
    let text = note(&[a, b]).to_string().replacen("\n300\n", "\n301\n", 1);
    let changed = SignedNote::parse(text.as_bytes()).expect("a note");
    push("another size than was signed", &policy(), &changed, false, None);
    assert_eq!(log().verifier().name().as_str(), checkpoint.origin.as_str(), "the log signs for its origin");
    cases.extend(names_that_look_alike(&note(&[a]), &note(&[b, a])));
    cases.extend(not_checkpoints());
    let about = "Did a log of the policy sign this head, and did the policy's quorum of witnesses cosign it?";
    File { name: "heads", about, cases }
}

/// Names are octets, so that two which are not UTF-8 are two, however they are shown.
fn names_that_look_alike(one: &SignedNote, both: &SignedNote) -> [Case; 2] {
    let head = format!("log {}\n", log().verifier());
    let [first, second] = [WITNESSES[0], WITNESSES[1]].map(|seed| witness(seed).verifier().to_string());
    let policy = [
        head.as_bytes(),
        b"witness \xff ",
        first.as_bytes(),
        b"\nwitness \xfe ",
        second.as_bytes(),
        b"\ngroup g all \xff \xfe\nquorum g\n",
    ]
    .concat();
    let input = |note: &SignedNote| json!({"policy": super::bytes(&policy), "note": note.to_string()});
    let time = COSIGNED_AT.to_string();
    let cosigned = json!([["\u{fffd}'", time], ["\u{fffd}", time]]);
    [
        Case::bad(
            "all of two whose names are not UTF-8, with one missing",
            input(one),
            json!({"log_signature": "pass", "witness_quorum": "fail", "cosigned": null}),
        ),
        Case::good(
            "all of two whose names are not UTF-8",
            input(both),
            json!({"log_signature": "pass", "witness_quorum": "pass", "cosigned": cosigned}),
        ),
    ]
}

/// Texts that the log signed and that are no heads.
fn not_checkpoints() -> Vec<Case> {
    let root = Tree::new().root(3).to_base64();
    let origin = super::keys::ORIGIN;
    let policy = format!("log {}\nquorum none\n", log().verifier());
    let cases = [
        ("two lines", format!("{origin}\n3\n")),
        ("a size with a leading zero", format!("{origin}\n03\n{root}\n")),
        ("a size with a sign", format!("{origin}\n+3\n{root}\n")),
        ("a size of 2^63", format!("{origin}\n9223372036854775808\n{root}\n")),
        ("a root of 31 bytes", format!("{origin}\n3\n{}\n", super::base64(&[1; 31]))),
        ("an empty extension line", format!("{origin}\n3\n{root}\n\n")),
        ("an empty origin", format!("\n3\n{root}\n")),
    ];
    let bad = cases.map(|(name, text)| {
        let expect = json!({"log_signature": "fail", "witness_quorum": "not_checked", "cosigned": null});
        Case::bad(
            format!("signed, but no head: {name}"),
            json!({"policy": policy, "note": signed(&text)}),
            expect,
        )
    });
    let expect = json!({"log_signature": "pass", "witness_quorum": "pass", "cosigned": []});
    let extended = format!("{origin}\n3\n{root}\nan extension\nand another\n");
    let largest = format!("{origin}\n9223372036854775807\n{root}\n");
    let good = [("extension lines", extended), ("a size of 2^63 - 1", largest)].map(|(name, text)| {
        Case::good(name, json!({"policy": policy, "note": signed(&text)}), expect.clone())
    });
    good.into_iter().chain(bad).collect()
}

/// A note of any text, with the log's line.
fn signed(text: &str) -> String {
    use ed25519_dalek::Signer as _;
    let signature = super::keys::signing_key(super::keys::LOG).sign(text.as_bytes()).to_bytes();
    let id = log().verifier().id();
    let blob = super::base64(&[&id.as_bytes()[..], &signature].concat());
    format!("{text}\n\u{2014} {} {blob}\n", log().verifier().name())
}
