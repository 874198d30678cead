//! Everything that can be wrong with a request: each has its own problem, with its own page, and changes nothing.

mod requests;
mod rules;
mod statements;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use countersign_tests::client::Answer;
use countersign_tests::clock;
use countersign_tests::harness::{System, get, post, problem_code, register};
use countersign_tests::statements::Issuer;
use countersign_verifier::statement::VerifiedStatement;
use serde_json::Value;

use crate::raw::Raw;

const COSE: &str = "application/cose";
const JSON: &str = "application/json";
const BATCH: &str = "application/cbor-seq";

/// What was tried, and what it was refused with.
struct Trials<'a> {
    system: &'a System,
    size: u64,
    seen: BTreeMap<String, String>,
}

impl<'a> Trials<'a> {
    fn new(system: &'a System) -> Self {
        Self { system, size: system.size(), seen: BTreeMap::new() }
    }

    /// Posts a body, and asserts that it is refused with this status and code.
    #[track_caller]
    fn refuse(
        &mut self,
        what: &str,
        path: &str,
        kind: &str,
        body: impl Into<Bytes>,
        status: u16,
        code: &str,
    ) {
        let answer = post(self.system.log.url(), path, kind, body);
        self.expect(what, &answer, status, code);
    }

    #[track_caller]
    fn expect(&mut self, what: &str, answer: &Answer, status: u16, code: &str) {
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(problem_code(answer).as_deref(), Some(code), "{what}: status {}: {text}", answer.status);
        assert_eq!(answer.status.as_u16(), status, "{what}: {text}");
        self.seen.insert(code.to_owned(), what.to_owned());
    }

    #[track_caller]
    fn cose(&mut self, what: &str, body: impl Into<Bytes>, status: u16, code: &str) {
        self.refuse(what, "/entries", COSE, body, status, code);
    }

    #[track_caller]
    fn statement(&mut self, what: &str, statement: VerifiedStatement, status: u16, code: &str) {
        self.cose(what, statement.into_bytes(), status, code);
    }

    #[track_caller]
    fn json(&mut self, what: &str, body: &Value, status: u16, code: &str) {
        self.refuse(what, "/entries", JSON, body.to_string(), status, code);
    }

    /// Asserts that nothing was taken, and that every problem is explained.
    #[track_caller]
    fn finish(self, distinct: usize) {
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(self.system.size(), self.size, "something that was refused is in the log");
        for (code, what) in &self.seen {
            let page = get(self.system.log.url(), &format!("/errors/{code}"));
            assert_eq!(page.status.as_u16(), 200, "/errors/{code}, as {what} was refused with");
            let page = String::from_utf8_lossy(&page.body);
            assert!(page.contains("<html") && page.contains(code), "{page}");
        }
        assert!(
            self.seen.len() >= distinct,
            "only {} distinct problems: {:?}",
            self.seen.len(),
            self.seen.keys()
        );
    }
}

fn requester(system: &System) -> Issuer {
    register(system, "requester", &["requester"])
}

fn raw(issuer: &Issuer) -> Raw {
    Raw::intent(issuer, clock::now())
}
