//! The shared vectors: what every implementation has to make of given bytes.
//!
//! [`files`] makes all of them from fixed seeds, so the same bytes come out whenever it runs; `countersign-vectors`
//! writes them below `tests/vectors`, whose README says what each file holds. What is expected is stated here by hand,
//! case by case, and never asked from the code under test: [`answers`] is what the library then has to say.

mod admission;
pub mod answers;
mod bundles;
mod ed25519;
mod edit;
mod evidence;
mod heads;
mod keys;
mod lineage;
mod members;
mod notes;
mod payloads;
mod policies;
mod proofs;
mod raw;
mod spelling;
mod statements;
pub mod trees;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// One file of cases, all about the same question.
#[derive(Debug)]
pub struct File {
    /// The file name without suffix, which names the question.
    pub name: &'static str,
    /// What is asked.
    pub about: &'static str,
    /// The cases.
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is about, different from all others of its file.
    pub name: String,
    /// Whether an implementation accepts what it is given.
    pub valid: bool,
    /// What an implementation is given.
    pub input: Value,
    /// What it has to say.
    pub expect: Value,
}

impl Case {
    fn good(name: impl Into<String>, input: Value, expect: Value) -> Self {
        Self { name: name.into(), valid: true, input, expect }
    }

    fn bad(name: impl Into<String>, input: Value, expect: Value) -> Self {
        Self { name: name.into(), valid: false, input, expect }
    }
}

/// All vectors.
pub fn files() -> Vec<File> {
    vec![
        ed25519::file(),
        trees::inclusion(),
        trees::consistency(),
        trees::multiproof(),
        notes::vkeys(),
        notes::notes(),
        policies::file(),
        heads::file(),
        proofs::file(),
        statements::file(),
        admission::file(),
        lineage::file(),
        bundles::file(),
        evidence::file(),
    ]
}

impl File {
    /// The file as it is stored: JSON, one case a line. Long texts and bytes that several inputs have stand in `shared`,
    /// once.
    pub fn to_json(&self) -> String {
        let mut counts = BTreeMap::new();
        for case in &self.cases {
            count(&case.input, &mut counts);
        }
        let shared: Vec<String> =
            counts.into_iter().filter(|(_, times)| *times > 1).map(|(text, _)| text).collect();
        let places: BTreeMap<&str, usize> =
            shared.iter().enumerate().map(|(at, text)| (text.as_str(), at)).collect();
        let cases = self.cases.iter().map(|Case { name, valid, input, expect }| {
            let input = share(input.clone(), &places);
            format!(
                "  {{\"name\": {}, \"valid\": {valid}, \"input\": {input}, \"expect\": {expect}}}",
                json!(name)
            )
        });
        let cases: Vec<String> = cases.collect();
        let shared: Vec<String> = shared.iter().map(|value| format!("  {value}")).collect();
        format!(
            "{{\n \"about\": {},\n \"cases\": [\n{}\n ],\n \"shared\": [\n{}\n ]\n}}\n",
            json!(self.about),
            cases.join(",\n"),
            shared.join(",\n")
        )
    }
}

/// Below this length a value is written where it stands.
const LONG: usize = 100;

/// A text, or bytes in base64, that is long enough to be shared: as the JSON that it is written as.
fn shareable(value: &Value) -> Option<String> {
    let is_bytes = value.as_object().is_some_and(|members| members.contains_key("base64"));
    Some(value.to_string()).filter(|text| (is_bytes || value.is_string()) && text.len() >= LONG)
}

fn count(value: &Value, counts: &mut BTreeMap<String, usize>) {
    match (shareable(value), value) {
        (Some(text), _) => *counts.entry(text).or_default() += 1,
        (None, Value::Object(members)) => members.values().for_each(|value| count(value, counts)),
        (None, Value::Array(items)) => items.iter().for_each(|item| count(item, counts)),
        _ => {}
    }
}

/// Writes the place among the shared in the place of the value.
fn share(value: Value, places: &BTreeMap<&str, usize>) -> Value {
    if let Some(place) = shareable(&value).and_then(|text| places.get(text.as_str())) {
        return json!({ "shared": place });
    }
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (name, share(value, places))).collect()
        }
        Value::Array(items) => items.into_iter().map(|item| share(item, places)).collect(),
        other => other,
    }
}

/// Bytes in a case: a text stands for its UTF-8, anything else for base64 in an object.
fn bytes(bytes: &[u8]) -> Value {
    match core::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": base64(bytes) }),
    }
}

/// The bytes that [`bytes`] wrote.
fn read_bytes(value: &Value) -> Vec<u8> {
    match (value.as_str(), value.get("base64").and_then(Value::as_str)) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (None, Some(text)) => STANDARD.decode(text).expect("base64 in a vector"),
        (None, None) => panic!("neither a text nor base64: {value}"),
    }
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
