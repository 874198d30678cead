//! What can keep a well-formed statement out, in words for those who made it.

use crate::statement::Problem;

const FORBIDDEN: u16 = 403;
const CONFLICT: u16 = 409;
const UNPROCESSABLE: u16 = 422;
const INSUFFICIENT_STORAGE: u16 = 507;

/// Everything that [`Refusal`](super::Refusal) can say.
pub const PROBLEMS: &[Problem] = &[
    Problem {
        code: "genesis-missing",
        title: "The log is not founded yet",
        status: CONFLICT,
        explanation: "The first entry of a log is its genesis, which names its operator, and nothing can enter before.",
        remedy: "Submit the genesis first; countersign-log init makes one.",
    },
    Problem {
        code: "genesis-again",
        title: "The log is founded already",
        status: CONFLICT,
        explanation: "A log has one genesis, its entry 0, and this log has entries.",
        remedy: "To found another log, start one with its own origin and data.",
    },
    Problem {
        code: "genesis-not-by-operator",
        title: "The genesis is not by the operator it names",
        status: FORBIDDEN,
        explanation: "A genesis is issued under the name operator and signed by the very key that it names.",
        remedy: "Sign the genesis with the operator's key and set iss to operator.",
    },
    Problem {
        code: "already-present",
        title: "The statement is in the log already",
        status: CONFLICT,
        explanation: "A log holds every statement once, at the index in the detail.",
        remedy: "Take the entry that is there; to state the same again, make a new statement with a new cti.",
    },
    Problem {
        code: "log-full",
        title: "The log is full",
        status: INSUFFICIENT_STORAGE,
        explanation: "A log has at most 2^63-1 entries.",
        remedy: "Start another log.",
    },
    Problem {
        code: "issuer-not-registered",
        title: "The issuer's key is not registered",
        status: FORBIDDEN,
        explanation: "The log takes statements from registered keys only, and the key in kid was never registered \
                      under the name in iss.",
        remedy: "Ask the log's operator to register the key: countersign issuer add.",
    },
    Problem {
        code: "issuer-revoked",
        title: "The issuer's key was revoked",
        status: FORBIDDEN,
        explanation: "The operator revoked the key that signed the statement, in the entry that the detail names.",
        remedy: "Sign with a key that is registered and active, or ask the log's operator.",
    },
    Problem {
        code: "role-missing",
        title: "The issuer does not hold the role",
        status: FORBIDDEN,
        explanation: "Each kind of statement is signed in a role, and the key is not registered for this one.",
        remedy: "Sign with a key that holds the role, or ask the log's operator to register the key for it.",
    },
    Problem {
        code: "operator-name",
        title: "Only the operator operates",
        status: FORBIDDEN,
        explanation: "The role operator can be given to another key of the name operator, and to no other name.",
        remedy: "Register the new operator's key under the name operator, or leave the role out.",
    },
    Problem {
        code: "operator-self",
        title: "An operator's key cannot give itself up",
        status: CONFLICT,
        explanation: "If an operator's key could revoke itself or drop its role, a log could lose its last operator.",
        remedy: "Register a new operator's key, and let that one revoke the old.",
    },
    Problem {
        code: "reference-unresolved",
        title: "A reference names no entry of this log",
        status: UNPROCESSABLE,
        explanation: "Statements stand on earlier entries of the same log, and the one that the pointer names is not \
                      among them.",
        remedy: "Submit the earlier statement first, wait for its entry id, and name that.",
    },
    Problem {
        code: "reference-kind",
        title: "A reference names an entry of another kind",
        status: UNPROCESSABLE,
        explanation: "The role of a reference says which kind of entry it names, and this entry is of another.",
        remedy: "Name an entry of the kind in the detail.",
    },
    Problem {
        code: "reference-execution",
        title: "A reference names an entry of another execution",
        status: UNPROCESSABLE,
        explanation: "The statements of one execution refer to each other, and to nothing of another execution but \
                      policies, which belong to none.",
        remedy: "Use the same execution id throughout, or name an entry of this execution.",
    },
    Problem {
        code: "decision-denies",
        title: "An authorization cannot stand on a denial",
        status: UNPROCESSABLE,
        explanation: "The decision that the authorization names did not permit.",
        remedy: "Do not authorize; if circumstances changed, make a new decision and name that.",
    },
    Problem {
        code: "outcome-again",
        title: "The authorization has an outcome already",
        status: CONFLICT,
        explanation: "An authorization is for one execution, so it has one outcome at most.",
        remedy: "Get a new authorization for each execution; what changed after an outcome goes into an enforcement.",
    },
    Problem {
        code: "execution-closed",
        title: "The execution is closed",
        status: CONFLICT,
        explanation: "After the close of an execution nothing but enforcement is added to it.",
        remedy: "Start a new execution with its own id.",
    },
];
