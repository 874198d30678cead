//! Statements: what issuers say and the log keeps.
//!
//! A statement is an RFC 9943 Signed Statement: one `COSE_Sign1` (RFC 9052) in deterministic CBOR (RFC 8949 section
//! 4.2.1), with CWT claims in its protected header and an RFC 8785 (JCS) JSON payload. Every statement has one
//! encoding only; anything else is refused and never repaired, because its exact bytes are the entry of the log.
//!
//! - [`Statement`] is well-formed: every rule that needs nothing but its own bytes holds. Its signature is **not**
//!   checked.
//! - [`VerifiedStatement`] is signed by the key it names. Whether that key may sign it is not known here: that is
//!   for [`crate::admission`].
//! - [`Draft`] is a statement without signature, [`Submission`] the JSON form for those without a CBOR library.
//!
//! Nothing here looks at a clock, at a log or at other statements.

mod claims;
mod direct;
mod draft;
mod envelope;
mod error;
mod excerpt;
mod json;
mod key;
mod member;
mod names;
pub mod payload;
mod pointer;
mod problem;
mod references;
mod signed;
mod submission;
mod values;
mod words;

#[cfg(test)]
pub(crate) mod tests;

pub use claims::{Claim, ClaimError, Claims, ID_LENGTH, Subject, Validity};
pub(crate) use direct::to_be_signed;
pub use draft::Draft;
pub use envelope::{Algorithm, EnvelopeError, MAX_STATEMENT};
pub use error::{SignatureError, StatementError};
pub use excerpt::Excerpt;
pub use json::{JsonError, MAX_DEPTH, read_payload, read_value};
pub use key::{KeyThumbprint, Signature};
pub use member::MemberError;
pub use names::{ExecutionId, IssuerName, NameError, PolicyName, UnixSeconds};
pub use payload::Payload;
pub use pointer::Pointer;
pub use problem::{PROBLEMS, Problem};
pub use references::References;
pub use signed::{Statement, VerifiedStatement};
pub use submission::{Submission, SubmissionError};
pub use values::{FreeForm, Material, Sha256Digest};
pub use words::{
    DecisionCode, EnforcementAction, IssuerStatus, Kind, Mode, OutcomeStatus, PolicyEngine, RefRole, Role,
    Rules, UnknownWord, Verdict, VerificationCode, VerificationResult,
};
