//! What can be wrong with a statement, in words for those who made it.

/// One way in which something is refused: what an RFC 9457 problem document and the page it points to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// The stable code in kebab case, the last segment of the problem's `type`.
    pub code: &'static str,
    /// A few words that never change with the occurrence.
    pub title: &'static str,
    /// The HTTP status that fits (RFC 9110).
    pub status: u16,
    /// What it means, in one plain sentence.
    pub explanation: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

const BAD_REQUEST: u16 = 400;
const CONTENT_TOO_LARGE: u16 = 413;

/// Everything that [`StatementError`](super::StatementError), [`SignatureError`](super::SignatureError) and
/// [`SubmissionError`](super::SubmissionError) can say.
pub const PROBLEMS: &[Problem] = &[
    Problem {
        code: "statement-size",
        title: "The statement is empty or too long",
        status: CONTENT_TOO_LARGE,
        explanation: "A statement is one entry of the log, and an entry has 1 to 65,535 bytes.",
        remedy: "Put large material in by its digest, as {\"sha256\": \"<hex>\"}, and keep the material yourself.",
    },
    Problem {
        code: "cose-malformed",
        title: "Not the COSE_Sign1 of a statement",
        status: BAD_REQUEST,
        explanation: "A statement is a COSE_Sign1 under CBOR tag 18, with the protected header keys 1, 3, 4 and 15, \
                      an empty unprotected header, a payload and a signature of 64 bytes.",
        remedy: "Send the statement itself as application/cose, or have its bytes made by POST /statements/prepare.",
    },
    Problem {
        code: "cose-not-deterministic",
        title: "Not in deterministic CBOR",
        status: BAD_REQUEST,
        explanation: "The bytes say what a statement can say, but in another encoding than the one that RFC 8949 \
                      section 4.2.1 gives it: lengths are definite and as short as possible, keys ascend.",
        remedy: "Switch your CBOR library to deterministic encoding, then sign and send again.",
    },
    Problem {
        code: "algorithm-unknown",
        title: "Not an accepted signature algorithm",
        status: BAD_REQUEST,
        explanation: "Statements are signed with Ed25519, named -8 (EdDSA) or -19 (Ed25519) in header 1.",
        remedy: "Sign with an Ed25519 key and set the header alg to -8.",
    },
    Problem {
        code: "kind-unknown",
        title: "Not a known kind of statement",
        status: BAD_REQUEST,
        explanation: "The content type in header 3 is application/vnd.countersign.<kind>+json, and the kinds are a \
                      closed list.",
        remedy: "Use one of genesis, issuer, policy, intent, decision, authorization, verification, outcome, \
                 enforcement and close.",
    },
    Problem {
        code: "claim-missing",
        title: "A claim is missing",
        status: BAD_REQUEST,
        explanation: "Every statement has the claims iss, sub, iat and cti, and an authorization has aud, nbf and exp \
                      as well.",
        remedy: "Add the claim and sign again.",
    },
    Problem {
        code: "claim-unexpected",
        title: "A claim is there that this kind does not have",
        status: BAD_REQUEST,
        explanation: "Only an authorization has an audience and a time window, so only it has aud, nbf and exp.",
        remedy: "Leave the claim out and sign again.",
    },
    Problem {
        code: "claim-invalid",
        title: "A claim is not what it has to be",
        status: BAD_REQUEST,
        explanation: "iss is a registered name, sub the execution id (or origin, issuer:<name>, policy:<name>), aud \
                      an issuer name; nbf, exp and iat are whole seconds since 1970; cti is 16 random bytes.",
        remedy: "Correct the claim that the detail names and sign again.",
    },
    Problem {
        code: "claim-window-empty",
        title: "The authorization ends before it begins",
        status: BAD_REQUEST,
        explanation: "nbf is later than exp, so the authorization would never hold.",
        remedy: "Set nbf at or before exp and sign again.",
    },
    Problem {
        code: "claim-subject-mismatch",
        title: "The subject is not what the payload is about",
        status: BAD_REQUEST,
        explanation: "The sub of a genesis is its origin, that of an issuer statement issuer:<name>, that of a \
                      policy policy:<name>.",
        remedy: "Make sub and payload agree and sign again.",
    },
    Problem {
        code: "json-malformed",
        title: "Not a JSON object",
        status: BAD_REQUEST,
        explanation: "What has to be one JSON object in UTF-8 is something else, or something follows it.",
        remedy: "Correct the JSON at the line and column in the detail.",
    },
    Problem {
        code: "json-duplicate-member",
        title: "A member occurs twice",
        status: BAD_REQUEST,
        explanation: "Readers of JSON disagree on which of two members of one name counts, so there may be only one.",
        remedy: "Leave one of them out.",
    },
    Problem {
        code: "json-number",
        title: "A number is not an exact integer",
        status: BAD_REQUEST,
        explanation: "Payloads carry integers from -(2^53-1) to 2^53-1 and no fractions or exponents, which every \
                      reader keeps exactly.",
        remedy: "Write other numbers as texts, or count in smaller units.",
    },
    Problem {
        code: "json-too-deep",
        title: "The payload is nested too deep",
        status: BAD_REQUEST,
        explanation: "Arrays and objects of a payload are nested at most 16 levels deep, the payload itself included.",
        remedy: "Flatten it, or put the deep part in by its digest.",
    },
    Problem {
        code: "json-not-canonical",
        title: "The payload is not in canonical form",
        status: BAD_REQUEST,
        explanation: "A payload has one spelling only, that of RFC 8785 (JCS): sorted members, no white space, \
                      fewest escapes.",
        remedy: "Serialize the payload with a JCS library, or have it done by POST /statements/prepare, then sign.",
    },
    Problem {
        code: "member-missing",
        title: "A required member is missing",
        status: BAD_REQUEST,
        explanation: "This kind of statement cannot do without the member that the pointer names.",
        remedy: "Add the member.",
    },
    Problem {
        code: "member-unknown",
        title: "A member is not known",
        status: BAD_REQUEST,
        explanation: "This kind of statement does not have the member that the pointer names, and what nobody \
                      understands is not recorded.",
        remedy: "Correct its name, or put free-form data under properties, context, constraints or details.",
    },
    Problem {
        code: "member-invalid",
        title: "A member is not what it has to be",
        status: BAD_REQUEST,
        explanation: "The member that the pointer names has another type, or a value outside its grammar or list.",
        remedy: "Give it a value as the detail says.",
    },
    Problem {
        code: "member-contradiction",
        title: "Two members contradict each other",
        status: BAD_REQUEST,
        explanation: "A permit has the code permitted and a pass the code ok, and no other decision or result has.",
        remedy: "Make verdict and code agree.",
    },
    Problem {
        code: "reference-missing",
        title: "A required reference is missing",
        status: BAD_REQUEST,
        explanation: "This kind of statement stands on an earlier entry and has to name it under refs.",
        remedy: "Submit the earlier statement first, then name its entry id under refs.",
    },
    Problem {
        code: "reference-unknown",
        title: "Not a reference of this kind of statement",
        status: BAD_REQUEST,
        explanation: "Each kind of statement refers to earlier entries in its own roles, and has no others.",
        remedy: "Leave the reference out, or correct its role.",
    },
    Problem {
        code: "key-mismatch",
        title: "The statement names another key",
        status: BAD_REQUEST,
        explanation: "The kid in header 4 is not the RFC 9679 SHA-256 thumbprint of the key it should be.",
        remedy: "Compute the thumbprint of the key that signs, set it as kid and sign again.",
    },
    Problem {
        code: "signature-invalid",
        title: "The signature does not verify",
        status: BAD_REQUEST,
        explanation: "The signature is not one by the key named in kid over the Sig_structure of this statement, or \
                      not one that every strict Ed25519 verifier accepts.",
        remedy: "Sign exactly the bytes that POST /statements/prepare gives as to_be_signed, with that key.",
    },
];
