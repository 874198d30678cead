//! What cannot be shown, and why: a page for people, a problem document (RFC 9457) for programs.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use countersign_verifier::causes::with_causes;
use countersign_verifier::statement::Problem;
use serde::Serialize;

use super::answer::{respond, set};
use super::frame::is_beginning;
use super::{Ask, Cache, Frame, Section, Sentence, Text};
use crate::mirror::{Known, ReadError};

macro_rules! problems {
    ($($name:ident = $status:literal $code:literal, $title:literal, $explanation:literal, $remedy:literal;)+) => {
        /// The sorts of problems by name.
        pub(crate) mod codes {
            use super::Problem;
            $(
                pub(crate) const $name: Problem = Problem {
                    code: $code,
                    title: $title,
                    status: $status,
                    explanation: $explanation,
                    remedy: $remedy,
                };
            )+
        }

        /// Everything that the explorer refuses with, each with a page at `/errors/<code>`.
        pub const PROBLEMS: &[Problem] = &[$(codes::$name),+];
    };
}

problems! {
    PAGE_UNKNOWN = 404 "page-unknown",
        "There is no such page",
        "Nothing is at this address.",
        "Start from the first page, or search for an entry number, an entry id or an execution.";
    PAGE_READ_ONLY = 405 "page-read-only",
        "Pages are only for reading",
        "The address is that of a page, and pages are asked for with GET or HEAD.",
        "To state something, see the log's own interface: its /openapi.json names the address and the method.";
    ENTRY_NOT_YET = 404 "entry-not-yet",
        "This entry does not exist yet",
        "The number is beyond the last entry of the log. Numbers are given in order and none is left out, so the \
         entry may come to exist later.",
        "Compare the number with what you were given, or come back when the log has grown.";
    ENTRY_ID_UNKNOWN = 404 "entry-id-unknown",
        "No entry with this id is known here",
        "The explorer knows the ids of the entries it has read. That an id is not among them does not prove that the \
         log lacks the entry.",
        "Check the id: it is the SHA-256 leaf hash of the exact bytes of the statement. If it was just submitted, \
         wait for a head that includes it.";
    EXECUTION_UNKNOWN = 404 "execution-unknown",
        "No execution with this id is known here",
        "No entry that the explorer has read names this execution.",
        "Check the id, capital letters included. If its first statement was just submitted, wait for a head that \
         includes it.";
    BUNDLE_TOO_LARGE = 422 "bundle-too-large",
        "The execution is too large for one file",
        "A bundle has at most 4,096 entries and 32 MiB, and this execution with what it stands on has more.",
        "Audit the log instead, which judges executions of any size: countersign-verify log.";
    BUNDLE_IMPOSSIBLE = 502 "bundle-impossible",
        "The log lacks what the execution stands on",
        "An entry of the execution names a policy or is signed by a key that the log does not have. A log that follows \
         its rules takes no such entry.",
        "Tell the log's operator, and audit the log: countersign-verify log.";
    STILL_READING = 503 "still-reading",
        "The explorer is still reading the log",
        "A bundle has every entry that the execution has under the newest head, and the explorer has not read that far \
         yet.",
        "Come back in a moment.";
    INDEX_MALFORMED = 400 "index-malformed",
        "Not the number of an entry",
        "Entries are numbered from 0, in decimal digits without sign, spaces or leading zeros.",
        "Correct the number.";
    SIZE_MALFORMED = 400 "size-malformed",
        "Not a tree that has this entry",
        "The size of a tree is the number of its entries: larger than the number of the entry, and at most what the \
         explorer has read.",
        "Leave the size out to get the proof for the newest head.";
    ENTRY_ID_MALFORMED = 400 "entry-id-malformed",
        "Not the id of an entry",
        "An entry id is 64 lowercase hexadecimal digits.",
        "Copy the whole id.";
    NO_HEAD_YET = 503 "no-head-yet",
        "The log has not published anything yet",
        "A log publishes a head once a quorum of its witnesses has cosigned it, and the explorer shows nothing before \
         that.",
        "Come back in a moment. If this lasts, the log's operator should look at its witnesses.";
    LOG_UNREADABLE = 502 "log-unreadable",
        "The log could not be read",
        "The explorer asks the log for what it shows, and got no usable answer.",
        "Try again. If this lasts, look at the health page.";
    LOG_CONTRADICTS_HEAD = 502 "log-contradicts-head",
        "What the log serves contradicts its signed head",
        "The bytes that the log served do not lead to the root that it signed, so the explorer does not show them.",
        "Tell the log's operator and its witnesses. The health page keeps what is known about contradictions.";
}

/// One refusal.
#[derive(Debug)]
pub(crate) struct Refusal {
    problem: &'static Problem,
    detail: Sentence,
    retry_after: Option<u32>,
    section: Section,
    /// Where the reader may want to go instead.
    ways: Vec<(String, &'static str)>,
}

impl Refusal {
    pub(crate) fn new(problem: &'static Problem, detail: Sentence) -> Self {
        Self { problem, detail, retry_after: None, section: Section::None, ways: Vec::new() }
    }

    /// Says when to come back, in seconds.
    #[must_use]
    pub(crate) fn again_in(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Offers another page.
    #[must_use]
    pub(crate) fn or(mut self, href: impl Into<String>, name: &'static str) -> Self {
        self.ways.push((href.into(), name));
        self
    }

    #[must_use]
    pub(crate) fn within(mut self, section: Section) -> Self {
        self.section = section;
        self
    }

    /// When nothing at all is known yet, that is the reason, whatever was asked for.
    pub(crate) fn unless_begun(known: &Known) -> Option<Self> {
        if is_beginning(known) {
            let mut refusal = Self::new(
                &codes::NO_HEAD_YET,
                Sentence::of("No head with its quorum has been published yet."),
            );
            refusal.retry_after = Some(2);
            return Some(refusal);
        }
        let trouble = known.trouble().filter(|_| known.head().is_none())?;
        let mut refusal =
            Self::new(&codes::LOG_UNREADABLE, Sentence::of(format!("{}.", Text::new(with_causes(trouble)))));
        refusal.retry_after = Some(5);
        Some(refusal)
    }

    pub(crate) fn respond(self, ask: &Ask, known: &Known) -> Response<Body> {
        let frame = Frame::new(known, self.section, self.problem.title, "");
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let document = Document {
            r#type: format!("/errors/{}", self.problem.code),
            title: self.problem.title,
            status: self.problem.status,
            detail: self.detail.plain(),
        };
        let html = RefusalPage { frame, problem: self.problem, detail: self.detail, ways: self.ways };
        let mut response = respond(ask, status, Cache::Never, &html, "application/problem+json", &document);
        if let Some(seconds) = self.retry_after {
            set(&mut response, header::RETRY_AFTER, &seconds.to_string());
        }
        response
    }
}

impl From<ReadError> for Refusal {
    fn from(error: ReadError) -> Self {
        let problem = match error {
            ReadError::Changed { .. } => &codes::LOG_CONTRADICTS_HEAD,
            _ => &codes::LOG_UNREADABLE,
        };
        tracing::warn!(error = %with_causes(&error), "the log could not be read for a page");
        Self::new(problem, Sentence::of(format!("{}.", Text::new(with_causes(&error)))))
            .or("/health", "Health of the log")
    }
}

/// A problem document (RFC 9457 section 3).
#[derive(Serialize)]
struct Document {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: String,
}

#[derive(Template)]
#[template(path = "refusal.html")]
struct RefusalPage {
    frame: Frame,
    problem: &'static Problem,
    detail: Sentence,
    ways: Vec<(String, &'static str)>,
}

/// The page about a sort of problem.
#[derive(Template, Serialize)]
#[template(path = "explanation.html")]
pub(crate) struct Explanation {
    #[serde(skip)]
    pub(crate) frame: Frame,
    code: &'static str,
    title: &'static str,
    status: u16,
    #[serde(rename = "explanation")]
    words: &'static str,
    remedy: &'static str,
}

impl Explanation {
    pub(crate) fn find(known: &Known, code: &str) -> Option<Self> {
        let Problem { code, title, status, explanation, remedy } =
            *PROBLEMS.iter().find(|problem| problem.code == code)?;
        let frame = Frame::new(known, Section::None, title, format!("/errors/{code}"))
            .json(format!("/errors/{code}.json"));
        Some(Self { frame, code, title, status, words: explanation, remedy })
    }
}
