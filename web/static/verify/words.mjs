// @ts-check
/**
 * The closed lists of words that statements are made of. A word outside its list is refused.
 *
 * @module
 */

export const KINDS = /** @type {const} */ ([
  'genesis',
  'issuer',
  'policy',
  'intent',
  'decision',
  'authorization',
  'verification',
  'outcome',
  'enforcement',
  'close',
]);

/** @typedef {(typeof KINDS)[number]} Kind */

export const ROLES = /** @type {const} */ ([
  'operator',
  'author',
  'requester',
  'authority',
  'enforcer',
  'overseer',
]);

/** @typedef {(typeof ROLES)[number]} Role */

/** The roles of which a signer of each kind has to hold one. */
export const SIGNERS = /** @type {Readonly<Record<Kind, readonly Role[]>>} */ ({
  genesis: ['operator'],
  issuer: ['operator'],
  policy: ['operator', 'author'],
  intent: ['requester'],
  decision: ['authority'],
  authorization: ['authority'],
  verification: ['enforcer'],
  outcome: ['enforcer'],
  enforcement: ['overseer'],
  close: ['enforcer'],
});

/** The roles in which each kind refers to earlier entries. */
export const REFERENCES = /** @type {Readonly<Record<Kind, readonly string[]>>} */ ({
  genesis: [],
  issuer: [],
  policy: ['replaces'],
  intent: [],
  decision: ['intent', 'policy'],
  authorization: ['intent', 'decision', 'policy'],
  verification: ['authorization', 'intent'],
  outcome: ['authorization', 'verification', 'decision', 'intent'],
  enforcement: ['target'],
  close: ['outcome'],
});

/** All roles of references, in the order of the specification. */
export const ROLES_OF_REFERENCES = [
  'replaces',
  'intent',
  'policy',
  'decision',
  'authorization',
  'verification',
  'outcome',
  'target',
];

/** The kind of entry that a role of reference names. A target may be of any kind. */
/** @type {ReadonlyMap<string, Kind>} */
export const KIND_OF_ROLE = new Map([
  ['replaces', 'policy'],
  ['intent', 'intent'],
  ['policy', 'policy'],
  ['decision', 'decision'],
  ['authorization', 'authorization'],
  ['verification', 'verification'],
  ['outcome', 'outcome'],
]);

export const STATUSES = ['active', 'revoked'];
export const ENGINES = ['cedar'];
export const RULES = ['countersign/1'];
export const VERDICTS = ['permit', 'deny'];
export const DECISION_CODES = [
  'permitted',
  'denied_by_policy',
  'no_policy_permits',
  'needs_approval',
  'evaluation_error',
  'schema_mismatch',
  'policy_not_in_force',
];
export const RESULTS = ['pass', 'fail'];
export const VERIFICATION_CODES = [
  'ok',
  'authorization_missing',
  'policy_validation_failed',
  'runtime_mismatch',
  'scope_invalid',
  'continuity_broken',
  'not_yet_valid',
  'expired',
  'revoked',
  'quorum_missing',
  'replayed',
];
export const MODES = ['cosigned', 'sequenced', 'async'];
export const OUTCOMES = ['confirmed', 'failed', 'unknown', 'not_executed'];
export const ENFORCEMENTS = ['revoke', 'halt', 'quarantine', 'release'];
