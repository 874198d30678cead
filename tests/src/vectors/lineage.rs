//! Lineages, and what they come to: both sides of every rule, as stories.

use countersign_verifier::lineage::LineageVerdict;
use serde_json::{Value, json};

use super::{Case, File, base64};
use crate::stories;

pub(super) fn file() -> File {
    let cases =
        stories::cases().into_iter().map(|stories::Case { name, told, verdict, findings, .. }| {
            // Of what belongs to no execution only policies are asked for.
            let entries: Vec<Value> = told
                .indexed()
                .filter(|(_, one)| {
                    one.statement().execution().is_some() || one.statement().kind().as_str() == "policy"
                })
                .map(|(index, one)| {
                    let statement = json!({"base64": base64(one.statement().bytes())});
                    json!({"index": index.to_string(), "statement": statement})
                })
                .collect();
            let findings: Vec<Value> =
                findings.iter().map(|(label, code)| json!([code, told.index(label).to_string()])).collect();
            Case {
                name: name.to_owned(),
                valid: matches!(verdict, LineageVerdict::Governed | LineageVerdict::Denied),
                input: json!({ "entries": entries }),
                expect: json!({"verdict": verdict, "findings": findings}),
            }
        });
    File { name: "lineage", about: "Do the steps of this execution fit each other?", cases: cases.collect() }
}
