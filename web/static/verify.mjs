// @ts-check
/**
 * The second implementation of the checks: what a visitor's own machine needs to find out what is proven.
 *
 * It runs in browsers and in Node.js, depends on nothing, and reaches no network: callers hand it bytes and a trust
 * policy. It is held to the same answers as the Rust library by the vectors in `tests/vectors`.
 *
 * | module | specification |
 * |---|---|
 * | `merkle` | RFC 6962 section 2.1 |
 * | `ed25519` | RFC 8032, strict |
 * | `note` | C2SP signed-note, tlog-cosignature |
 * | `policy` | C2SP tlog-policy, tlog-checkpoint |
 * | `proof` | C2SP tlog-proof |
 * | `cbor`, `json` | RFC 8949 section 4.2.1, RFC 8785 |
 * | `statement`, `payload`, `members`, `words` | RFC 9943 signed statements |
 * | `admission` | the rules `countersign/1` |
 * | `lineage`, `ran`, `findings` | the rules of `docs/LINEAGE.md` |
 * | `bundle` | one execution in one file |
 * | `evidence`, `evidence-file` | what convicts a log or an issuer, in one file (`docs/EVIDENCE.md`) |
 * | `report`, `audit` | what a check of a proof or a bundle found, stage by stage |
 *
 * @module
 */

export { LogState } from './verify/admission.mjs';
export { checkBundle } from './verify/audit.mjs';
export { parseBundle } from './verify/bundle.mjs';
export { CannotCheck, Refused } from './verify/bytes.mjs';
export { publicKey, verify as verifySignature } from './verify/ed25519.mjs';
export { checkEvidence } from './verify/evidence.mjs';
export { parseEvidence } from './verify/evidence-file.mjs';
export { FINDINGS } from './verify/findings.mjs';
export { judge } from './verify/lineage.mjs';
export {
  climb,
  emptyRoot,
  inclusionSteps,
  leafHash,
  verifyConsistency,
  verifyInclusion,
  verifyMultiproof,
} from './verify/merkle.mjs';
export { parseKey, parseNote, verifyCosignature, verifyNote } from './verify/note.mjs';
export { parseCheckpoint, parsePolicy, verifyCosignatures, verifyLog, verifyQuorum } from './verify/policy.mjs';
export { parseProof } from './verify/proof.mjs';
export { checkProof, holds } from './verify/report.mjs';
export { parseStatement, thumbprint, verifyStatement } from './verify/statement.mjs';
