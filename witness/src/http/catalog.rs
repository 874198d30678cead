//! All sorts of refusals, with what they mean and what to do about them.

use countersign_verifier::statement::Problem as Sort;

use crate::refusal::Refusal;

/// The page of a sort of refusal, relative to the witness.
pub(super) fn uri(sort: &Sort) -> String {
    format!("/errors/{}", sort.code)
}

/// The sort of a refusal.
pub(super) fn of(refusal: &Refusal) -> &'static Sort {
    match refusal {
        Refusal::Malformed(_) | Refusal::NoOrigin(_) => &MALFORMED,
        Refusal::UnknownLog(_) => &UNKNOWN_LOG,
        Refusal::Untrusted(_) => &UNTRUSTED,
        Refusal::NotACheckpoint(_) => &NOT_A_CHECKPOINT,
        Refusal::ExtensionLines(_) => &EXTENSION_LINES,
        Refusal::OldAboveNew { .. } => &OLD_ABOVE_NEW,
        Refusal::EmptyRoot { .. } => &EMPTY_ROOT,
        Refusal::OtherSize { .. } => &OTHER_SIZE,
        Refusal::NeedlessProof { .. } => &NEEDLESS_PROOF,
        Refusal::OtherRoot { .. } => &OTHER_ROOT,
        Refusal::Inconsistent { .. } => &INCONSISTENT,
        Refusal::TooMany { .. } => &TOO_MANY,
        Refusal::Busy => &BUSY,
        Refusal::RolledBack(_) => &ROLLED_BACK,
        Refusal::ClockUnset | Refusal::ClockBehind { .. } => &CLOCK_BEHIND,
        Refusal::Stopped(_) => &STOPPED,
    }
}

/// The sort with this code.
pub(super) fn by_code(code: &str) -> Option<&'static Sort> {
    all().find(|sort| sort.code == code)
}

/// All of them, with those of the door, which refuses before a request is looked at.
pub(super) fn all() -> impl Iterator<Item = &'static Sort> {
    countersign_serving::PROBLEMS.iter().chain(ALL).copied()
}

/// The witness's own, in the order in which a request meets them.
const ALL: &[&Sort] = &[
    &NOT_FOUND,
    &METHOD,
    &TOO_LARGE,
    &TOO_SLOW,
    &MALFORMED,
    &UNKNOWN_LOG,
    &UNTRUSTED,
    &NOT_A_CHECKPOINT,
    &EXTENSION_LINES,
    &OLD_ABOVE_NEW,
    &EMPTY_ROOT,
    &OTHER_SIZE,
    &NEEDLESS_PROOF,
    &OTHER_ROOT,
    &INCONSISTENT,
    &TOO_MANY,
    &BUSY,
    &ROLLED_BACK,
    &CLOCK_BEHIND,
    &STOPPED,
    &NOT_COSIGNED_YET,
    &LOG_LINE_LOST,
    &INTERNAL,
];

macro_rules! sorts {
    ($($name:ident = $code:literal, $status:literal, $title:literal: $explanation:literal; $remedy:literal;)*) => {
        $(pub(super) static $name: Sort = Sort {
            code: $code,
            title: $title,
            status: $status,
            explanation: $explanation,
            remedy: $remedy,
        };)*
    };
}

sorts! {
    NOT_FOUND = "not-found", 404, "There is nothing here":
        "The path is none of the routes of a witness.";
        "The page at / lists the routes.";
    METHOD = "method-not-allowed", 405, "This route takes another method":
        "The path exists, but not for this method.";
        "Use the method that the Allow header names.";
    TOO_LARGE = "request-too-large", 413, "The request is too large":
        "The body is larger than a proof and the largest note that is read.";
        "Send the checkpoint with the signatures of the log only, without the cosignatures of others.";
    TOO_SLOW = "request-too-slow", 408, "The request took too long":
        "The body did not arrive in time, or the witness did not come to an answer in time.";
        "Ask again. Nothing is lost: if the head was cosigned in the meantime, the answer says so.";
    MALFORMED = "malformed-request", 400, "The request cannot be read":
        "The body is not an add-checkpoint request as C2SP tlog-witness describes it.";
        "Send a line \"old <size>\", up to 63 lines with a hash in base64, a blank line, and the signed checkpoint.";
    UNKNOWN_LOG = "unknown-log", 404, "This witness does not watch the log":
        "The first line of the checkpoint is the origin of a log that this witness was not told to watch.";
        "Ask the operator of the witness to add the log: countersign-witness add-log --data DIR --vkey VKEY.";
    UNTRUSTED = "untrusted-checkpoint", 403, "The checkpoint is not signed by the log":
        "No signature by a key that this witness knows for the log is under the checkpoint, or one in the name of such a key is false.";
        "Sign the checkpoint with the key that the operator of the witness was given, and with no false signature beside it.";
    NOT_A_CHECKPOINT = "not-a-checkpoint", 400, "The signed note is not a checkpoint":
        "The log signed the note, but its text is not an origin, a size without leading zeros and a root hash.";
        "Sign checkpoints as C2SP tlog-checkpoint describes them.";
    EXTENSION_LINES = "extension-lines", 400, "The checkpoint has extension lines":
        "A cosignature would cover lines whose meaning this witness does not know.";
        "Sign checkpoints of three lines.";
    OLD_ABOVE_NEW = "old-size-above-new", 400, "The old size is above the new one":
        "A tree never shrinks, so that there is no proof from a larger to a smaller one.";
        "Send the size that this witness cosigned last as the old size; a 409 answer says which it is.";
    EMPTY_ROOT = "empty-root", 422, "The empty tree has another root":
        "The tree of size 0 has one root only, the SHA-256 of nothing. The log signed another one, and the request is kept as evidence.";
        "Something is wrong with the log. Find out how it came to sign this.";
    OTHER_SIZE = "other-size", 409, "This witness cosigned another size last":
        "The old size in the request is not the size that this witness cosigned last. The body of the answer is that size.";
        "Build the proof from the size in the answer and ask again. If it is above the log's own size, the log has lost entries: stop it.";
    NEEDLESS_PROOF = "needless-proof", 422, "There is nothing to prove":
        "From size 0, or from a size to itself, the proof is empty.";
        "Send no hashes.";
    OTHER_ROOT = "other-root", 422, "The log has signed two trees of one size":
        "This witness cosigned a head of the same size with another root. The log has forked; the request is kept as evidence.";
        "Stop the log and find out which of the two histories its readers were shown. A fork cannot be mended.";
    INCONSISTENT = "inconsistent", 422, "The proof does not hold":
        "The proof does not lead from the head that this witness cosigned last to this one. If no proof does, the log has forked.";
        "Build the proof anew from the size in the request. If it still does not hold, the log does not hold the tree that was cosigned.";
    TOO_MANY = "too-many-requests", 429, "The log has used up its share":
        "The log has announced how many cosignatures a day it asks for, and has had so many.";
        "Ask again after the time in Retry-After, and less often.";
    BUSY = "busy", 429, "Too many requests are waiting":
        "This witness takes on no more requests than it can answer soon.";
        "Ask again after the time in Retry-After.";
    ROLLED_BACK = "rolled-back", 503, "The witness has forgotten what it cosigned":
        "The database of this witness is older than its high-water mark, or tells another history. Cosigning could help a fork, so that nothing is signed for this log.";
        "For the operator: stop the witness, run countersign-witness recover --data DIR --from high-water, start it again. For the log: count on the other witnesses until then.";
    CLOCK_BEHIND = "clock-behind", 503, "The clock of the witness is wrong":
        "A cosignature now would be dated before the previous one, or before 1970.";
        "For the operator: set the clock of the machine. If it was ahead for a while, the witness goes on when the time of the previous cosignature has come.";
    STOPPED = "signing-stopped", 503, "The witness has stopped signing":
        "Keeping what was cosigned has failed, and it is not known what was kept. Until the next start nothing is signed.";
        "For the operator: mend the cause that the answer names, often a full or broken disk, and start the witness again: it compares database and high-water mark.";
    NOT_COSIGNED_YET = "not-cosigned-yet", 404, "Nothing of this log has been cosigned":
        "There is no checkpoint that this witness has cosigned and can show, under the hash in the path.";
        "The path is the lowercase hex SHA-256 of the origin. If it is right, wait until the log asks for a cosignature.";
    LOG_LINE_LOST = "log-line-lost", 503, "The line of the log is lost":
        "This witness was mended from its high-water mark, which remembers what was cosigned and not the log's signature under it, without which no checkpoint is shown.";
        "Ask the log to have a head cosigned: from then on that one is shown. Whoever wants to know what was cosigned finds size and root in the answer.";
    INTERNAL = "internal", 500, "The witness has failed":
        "Something happened that should not happen.";
        "Ask again. For the operator: the log of the program says more.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_one_sort_and_each_sort_is_found() {
        for sort in all() {
            assert!(std::ptr::eq(by_code(sort.code).unwrap(), sort), "{}", sort.code);
        }
    }
}
