//! The two implementations on input that nobody chose: what one accepts the other accepts, what one refuses the other
//! refuses. Every run is the same, because its randomness follows from a fixed seed.

use std::ops::Range;

use base64::Engine as _;
use countersign_tests::node::Node;
use countersign_tests::vectors::{answers, files, trees};
use proptest::prelude::RngExt as _;
use proptest::test_runner::{RngAlgorithm, TestRng};
use serde_json::{Value, json};

/// How many changed inputs each file of vectors gives.
const ROUNDS: usize = 1_500;
/// The size of the largest tree whose proofs are all tried.
const LARGEST: u64 = 13;

fn random() -> TestRng {
    TestRng::from_seed(RngAlgorithm::ChaCha, &[42; 32])
}

fn below(random: &mut TestRng, end: usize) -> usize {
    random.random_range::<usize, Range<usize>>(0..end.max(1))
}

/// Asks both, and returns what they agree on.
#[track_caller]
fn agree(node: &mut Node, file: &str, input: &Value) -> Value {
    let theirs = node.answer(file, input).unwrap_or_else(|error| panic!("{file}: {error}\n{input}"));
    let ours = answers::answer(file, input);
    assert_eq!(outline(&theirs), outline(&ours), "{file}: {input}\nJavaScript: {theirs}\nRust: {ours}");
    ours
}

/// The answer without the code of a refusal: of several things that are wrong, either implementation may meet
/// another first.
fn outline(answer: &Value) -> Value {
    if answer.get("refused").is_some() { json!("refused") } else { answer.clone() }
}

/// Changes bytes as transport, an attacker and a careless programmer would.
fn mutate(random: &mut TestRng, bytes: &mut Vec<u8>) {
    let at = below(random, bytes.len());
    match below(random, 6) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, random.random()),
        2 if !bytes.is_empty() => drop(bytes.remove(at)),
        3 if !bytes.is_empty() => bytes[at] = random.random(),
        4 => bytes.extend_from_slice(&bytes.clone()[at..]),
        _ if !bytes.is_empty() => bytes[at] ^= 1 << below(random, 8),
        _ => bytes.push(0),
    }
}

/// The vectors, each with one of its bytes changed somewhere.
#[test]
fn changed_vectors_get_the_same_answers() {
    let (mut node, mut random) = (Node::start().unwrap(), random());
    for (file, member) in [
        ("statements", "statement"),
        ("notes", "note"),
        ("policies", "policy"),
        ("proofs", "proof"),
        ("proofs", "entry"),
        ("bundles", "bundle"),
    ] {
        let cases = files().into_iter().find(|made| made.name == file).unwrap().cases;
        // What is short and sound has most to lose; the largest inputs would only slow this down.
        let cases: Vec<_> = cases.into_iter().filter(|case| case.input.to_string().len() < 16_000).collect();
        let mut refused = 0;
        for round in 0..ROUNDS {
            let mut input = cases[below(&mut random, cases.len())].input.clone();
            let mut bytes = read(&input[member]);
            for _ in 0..=round % 3 {
                mutate(&mut random, &mut bytes);
            }
            input[member] = write(&bytes);
            let answer = agree(&mut node, file, &input);
            let is_refused = answer.get("refused").is_some()
                || answer["form"] == false
                || answer["stages"]["format"] == "fail";
            refused += usize::from(is_refused);
        }
        assert!(refused > 0, "{file}: no change was ever refused");
    }
}

/// Every proof in every small tree, sound, and changed in one place.
#[test]
fn proofs_of_small_trees_get_the_same_answers() {
    let (mut node, mut random) = (Node::start().unwrap(), random());
    let mut refused = 0;
    for (file, sound) in (1..=LARGEST).flat_map(trees::sound) {
        assert_eq!(agree(&mut node, file, &sound)["holds"], true, "{file}: {sound}");
        let mut spoiled = sound.clone();
        spoil(&mut random, &mut spoiled);
        refused += usize::from(agree(&mut node, file, &spoiled)["holds"] == false);
    }
    assert!(refused > 100, "only {refused} spoiled proofs were refused");
}

/// Changes a number by a little, or drops, doubles or changes a hash.
fn spoil(random: &mut TestRng, input: &mut Value) {
    let members: Vec<String> = input.as_object().unwrap().keys().cloned().collect();
    let member = &members[below(random, members.len())];
    match &mut input[member] {
        Value::Array(items) if !items.is_empty() => {
            let at = below(random, items.len());
            match below(random, 3) {
                0 => drop(items.remove(at)),
                1 => items.insert(at, items[at].clone()),
                _ => items.swap(0, at),
            }
        }
        Value::String(text) => {
            if let Ok(number) = text.parse::<u64>() {
                let by = below(random, 3) as u64;
                *text = number.saturating_sub(1).saturating_add(by).to_string();
            }
        }
        _ => {}
    }
}

fn read(value: &Value) -> Vec<u8> {
    match value.as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => base64::engine::general_purpose::STANDARD.decode(value["base64"].as_str().unwrap()).unwrap(),
    }
}

fn write(bytes: &[u8]) -> Value {
    json!({"base64": base64::engine::general_purpose::STANDARD.encode(bytes)})
}
