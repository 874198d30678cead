//! The catalog of problems: everything that any handler can refuse with, and what to do about it.
//!
//! What is wrong with a statement, and which admission rule it breaks, is the verifier's to say; what page there is
//! not, the explorer's, which may be served beside the log. The server's own
//! problems are constants here, so that a handler cannot refuse with anything that has no page.

use countersign_verifier::admission;
use countersign_verifier::statement::{self, Problem};

/// All problems, in the order in which the page at `/errors` lists them.
pub fn all() -> impl Iterator<Item = &'static Problem> {
    let of_statements = statement::PROBLEMS.iter().chain(admission::PROBLEMS);
    codes::ALL
        .iter()
        .copied()
        .chain(countersign_serving::PROBLEMS.iter().copied())
        .chain(of_statements)
        .chain(countersign_web::PROBLEMS)
}

/// The problem with this code.
pub fn find(code: &str) -> Option<&'static Problem> {
    all().find(|problem| problem.code == code)
}

/// The `type` of a problem, which is also the path of its page.
pub fn type_uri(code: &str) -> String {
    format!("/errors/{code}")
}

macro_rules! problems {
    ($($name:ident = $status:literal $code:literal, $title:literal, $explanation:literal, $remedy:literal;)+) => {
        $(
            #[doc = $title]
            pub static $name: Problem = Problem {
                code: $code,
                title: $title,
                status: $status,
                explanation: $explanation,
                remedy: $remedy,
            };
        )+

        /// The server's own problems.
        pub static ALL: &[&Problem] = &[$(&$name),+];
    };
}

/// The server's own problems.
pub mod codes {
    use super::Problem;

    problems! {
        NOT_FOUND = 404 "not-found",
            "Nothing is at this address",
            "The log has no page and no interface under this path.",
            "Compare the path with GET /openapi.json, which lists every one that there is.";

        METHOD_NOT_ALLOWED = 405 "method-not-allowed",
            "The method does not exist at this address",
            "The path is one of the log's, but not with this method.",
            "Use one of the methods in the header Allow of the answer.";

        NOT_ACCEPTABLE = 406 "not-acceptable",
            "No answer in an accepted media type",
            "The header Accept names no media type in which this answer exists. Receipts in COSE (RFC 9942) are not \
             offered yet.",
            "Accept application/json, or text/plain for the bare tlog-proof, or leave the header out.";

        UNSUPPORTED_MEDIA_TYPE = 415 "unsupported-media-type",
            "The body has a media type that is not read here",
            "Each address reads its own media types only, and the header Content-Type has to name one of them.",
            "Send a statement to /entries as application/cose or application/json, a batch to /entries/batch as \
             application/cbor-seq.";

        UNSUPPORTED_ENCODING = 415 "unsupported-content-encoding",
            "The body is compressed",
            "Bodies are read as they are: the bytes of a statement are what its signature and its place in the log \
             stand on.",
            "Send the body without Content-Encoding.";

        BODY_TOO_LARGE = 413 "body-too-large",
            "The body is larger than is read here",
            "The server stopped reading at its limit and kept nothing. A statement has at most 65,535 bytes, its \
             JSON form at most 256 KiB, a batch at most 16 MiB.",
            "Put large material into a statement by its digest, and send larger batches in several.";

        BODY_TIMEOUT = 408 "body-timeout",
            "The body did not arrive in time",
            "The server waits only a bounded time for a body, so that slow connections cannot use it up. Nothing was \
             kept.",
            "Send it again; over a slow line send smaller batches.";

        BODY_INCOMPLETE = 400 "body-incomplete",
            "The body broke off",
            "The connection ended, or its framing broke, before the body was complete. Nothing was kept.",
            "Send it again.";

        QUERY_PARAMETER_UNKNOWN = 400 "query-parameter-unknown",
            "A query parameter is not known",
            "This address does not have the query parameter that the detail names, or it stands there twice. A \
             parameter that is passed over could be one that mattered to you, so none is.",
            "Leave it out, or correct its name.";

        QUERY_PARAMETER_INVALID = 400 "query-parameter-invalid",
            "A query parameter is missing or has a wrong value",
            "A query parameter that this address needs is missing, or has a value outside its range.",
            "Give it a value as the detail says.";

        BATCH_MALFORMED = 400 "batch-malformed",
            "The batch is not a CBOR sequence",
            "A batch is a CBOR sequence (RFC 8742): one to 1,024 statements, one after the other, with nothing between \
             them. Where its bytes cannot be told apart into items, nothing of it is taken.",
            "Concatenate the exact bytes of the statements.";

        BATCH_TOO_LONG = 413 "batch-too-long",
            "The batch has too many statements",
            "A batch has at most 1,024 statements. Nothing of it was taken.",
            "Send it in several batches, one after the other if later statements refer to earlier ones.";

        BATCH_REFUSED = 409 "batch-refused",
            "Another statement of the batch was refused",
            "The batch asked for all or none, and another of its statements was refused. So this one was not taken \
             either, although nothing may be wrong with it.",
            "Correct the statement that was refused, then send the batch again.";

        CLOCK_SKEW = 400 "clock-skew",
            "The statement was not made now",
            "The claim iat has to be within five minutes of the server's clock, so that the log's order and the \
             issuers' times stay comparable. A statement that the log already holds is answered whatever its age.",
            "Set the issuer's clock right, make the statement anew with the current time, and submit it at once.";

        ISSUER_NOT_FOUND = 404 "issuer-not-found",
            "No issuer of this name",
            "No key has been registered in this log under this name, as of the newest entry.",
            "Check the name: it is case-sensitive, and special characters in a URL are percent-encoded.";

        RATE_LIMITED = 429 "rate-limited",
            "Too many statements by this issuer",
            "Each issuer may submit only so many statements a second, so that none crowds out the others. This one \
             was not taken.",
            "Wait as long as the header Retry-After says, then send the same bytes again.";

        OVERLOADED = 503 "overloaded",
            "The log is busy",
            "More statements are waiting than the log lets wait. This one was not taken: rather than to let it wait \
             without end, the log says so at once.",
            "Wait as long as the header Retry-After says, then send the same bytes again: what the log already holds \
             is never entered twice.";

        SHUTTING_DOWN = 503 "shutting-down",
            "The log is shutting down",
            "The log takes no new statements while it shuts down. What it acknowledged is kept.",
            "Send the same bytes again when it is back.";

        STOPPED = 503 "log-stopped",
            "The log has stopped taking statements",
            "The log found itself in a state in which it cannot be sure of never contradicting itself, and so signs \
             nothing any more. What it holds can still be read. Whether a statement that was under way has been taken \
             shows after a restart.",
            "Send the same bytes again when it is back. Its operator finds the cause, and how to recover, at /readyz.";

        NO_CHECKPOINT = 404 "no-checkpoint-yet",
            "No head has its quorum yet",
            "The log serves a checkpoint only when enough of its witnesses have cosigned it, and none has been so far.",
            "Ask again as the header Retry-After says. Where it lasts, the operator finds at /readyz which witness is \
             missing.";

        TILE_PATH_INVALID = 404 "tile-path-invalid",
            "Not the path of a tile",
            "Tiles have exactly one path each (C2SP tlog-tiles): /tile/<level>/<index> or /tile/entries/<index>, the \
             index in groups of three digits with x before all but the last, and .p/<width> at the end of a partial one.",
            "Build the path as the specification says. Other spellings of the same tile are not served, so that caches \
             keep it once.";

        TILE_NOT_PUBLISHED = 404 "tile-not-published",
            "No published head implies this tile",
            "The tile, or this width of it, begins or ends beyond the newest head that has its quorum.",
            "Fetch /checkpoint first and ask only for the tiles that its size implies.";

        SIZE_NOT_PUBLISHED = 404 "size-not-published",
            "No head of this size is published",
            "Proofs are given against trees that the newest head with a quorum covers, and this size is beyond it.",
            "Fetch /checkpoint and use its size or a smaller one.";

        INDEX_NOT_IN_TREE = 404 "index-not-in-tree",
            "The tree does not have this entry",
            "Entries count from 0, so a tree of a given size ends with the index one below it.",
            "Use an index below the size.";

        STORE_UNREADABLE = 500 "store-unreadable",
            "The log cannot read its store",
            "What was asked for may or may not exist: the disk under the log, or the data on it, failed.",
            "Ask again later. The operator finds the cause in the server's own log under the value of x-request-id.";

        NOT_READY = 503 "not-ready",
            "The log is not ready",
            "The process runs but does not take statements or does not publish heads, for the reasons in the detail.",
            "Do as the reasons say. What is already published can still be read.";

        INTERNAL_ERROR = 500 "internal-error",
            "The server failed",
            "Something went wrong that is not the fault of the request. A statement may or may not have been taken.",
            "Send the same bytes again: what the log already holds is answered with its place, and never entered twice. \
             Give the operator the value of the header x-request-id.";
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_kebab_case_and_explained() {
        let mut seen = HashSet::new();
        for problem in all() {
            let Problem { code, title, status, explanation, remedy } = *problem;
            assert!(seen.insert(code), "{code} stands there twice");
            assert!(
                code.split('-')
                    .all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase())),
                "{code} is not kebab case"
            );
            assert!((400..600).contains(&status), "{code} has the status {status}");
            for text in [title, explanation, remedy] {
                assert!(
                    text.starts_with(|first: char| first.is_uppercase()
                        || !first.is_alphabetic()
                        || text.starts_with("nbf")
                        || text.starts_with("iss")),
                    "{code}: {text}"
                );
                assert!(!text.contains("  "), "{code}: {text}");
            }
            assert!(explanation.ends_with('.') && remedy.ends_with('.'), "{code}");
            assert_eq!(find(code).map(|found| found.title), Some(title));
        }
        assert!(find("no-such-problem").is_none());
    }
}
