// @ts-check
/**
 * Statements: RFC 9943 signed statements, one `COSE_Sign1` (RFC 9052) in deterministic CBOR with CWT claims in its
 * protected header and an RFC 8785 payload.
 *
 * @module
 */

import { Refused, equal, sha256, toHex } from './bytes.mjs';
import { CborReader, sigStructure } from './cbor.mjs';
import { verify } from './ed25519.mjs';
import { readCanonicalObject } from './json.mjs';
import { MAX_INTEGER, isExecutionId, isName, isOrigin } from './members.mjs';
import { leafHash } from './merkle.mjs';
import { readPayload } from './payload.mjs';
import { KINDS } from './words.mjs';

/** @typedef {import('./cbor.mjs').Cbor} Cbor */
/** @typedef {import('./words.mjs').Kind} Kind */

/** The longest statement, in bytes. */
export const MAX_STATEMENT = 65_535;

/**
 * What a statement says about itself. `aud`, `nbf` and `exp` are on every authorization, and on nothing else.
 *
 * @typedef {{
 *   iss: string,
 *   sub: string,
 *   aud?: string,
 *   exp?: number,
 *   nbf?: number,
 *   iat: number,
 *   cti: Uint8Array,
 * }} Claims
 */

/**
 * A well-formed statement whose signature is **not** checked.
 *
 * @typedef {{
 *   bytes: Uint8Array,
 *   id: string,
 *   kind: Kind,
 *   kid: Uint8Array,
 *   claims: Claims,
 *   execution: string | undefined,
 *   payload: Record<string, any>,
 *   references: Map<string, string>,
 *   toBeSigned: Uint8Array,
 *   signature: Uint8Array,
 * }} Statement
 */

const KIND_OF_TYPE = new Map(KINDS.map((kind) => [`application/vnd.countersign.${kind}+json`, kind]));
/** The kinds that are about something else than an execution. */
const PREFIX = new Map([
  ['issuer', 'issuer:'],
  ['policy', 'policy:'],
]);
const CLAIM_NAMES = ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'cti'];
/** The deterministic CBOR of a COSE_Key for Ed25519 up to the 32 bytes of x (RFC 9679). */
const COSE_KEY = Uint8Array.of(0xa3, 0x01, 0x01, 0x20, 0x06, 0x21, 0x58, 0x20);

/**
 * Reads a statement, refusing whatever is not exactly one, with the stable code of its problem document.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Statement>}
 */
export async function parseStatement(bytes) {
  if (bytes.length === 0 || bytes.length > MAX_STATEMENT) {
    throw new Refused(`the statement has ${bytes.length} bytes, expected 1 to ${MAX_STATEMENT}`, 'statement-size');
  }
  const reader = new CborReader(bytes, 'statement');
  const [header, payloadBytes, signature] = parts(reader.readAll());
  const headerReader = new CborReader(header, 'protected header');
  const { kind, kid, claims, isAscending } = readHeader(headerReader.readAll());
  if (!reader.isDeterministic || !headerReader.isDeterministic || !isAscending) {
    throw new Refused('the statement is not in deterministic CBOR', 'cose-not-deterministic');
  }
  const { payload, references } = readPayload(kind, readCanonicalObject(payloadBytes));
  const expected = kind === 'genesis' ? payload.origin : `${PREFIX.get(kind)}${payload.name}`;
  const execution = kind === 'genesis' || PREFIX.has(kind) ? undefined : claims.sub;
  if (execution === undefined && claims.sub !== expected) {
    throw new Refused(`sub is ${claims.sub}, but the payload is about ${expected}`, 'claim-subject-mismatch');
  }
  const id = toHex(await leafHash(bytes));
  const toBeSigned = sigStructure(header, payloadBytes);
  return { bytes, id, kind, kid, claims, execution, payload, references, toBeSigned, signature };
}

/**
 * Checks that `key` signed the statement: it names it in its `kid`, and the signature holds strictly. Throws if not.
 *
 * @param {Statement} statement
 * @param {Uint8Array} key the 32 bytes of a sound key
 */
export async function verifyStatement(statement, key) {
  if (!equal(statement.kid, await thumbprint(key))) {
    throw new Refused(`the statement names the key ${toHex(statement.kid)}, and this is another`, 'key-mismatch');
  }
  if (!(await verify(key, statement.toBeSigned, statement.signature))) {
    throw new Refused('the signature does not verify under the key that the statement names', 'signature-invalid');
  }
}

/**
 * @param {Uint8Array} key
 * @returns {Promise<Uint8Array>} the RFC 9679 SHA-256 thumbprint of a key: the `kid` of statements
 */
export function thumbprint(key) {
  return sha256(COSE_KEY, key);
}

/**
 * Takes the COSE_Sign1 apart: protected header, payload, signature.
 *
 * @param {Cbor} value
 * @returns {[Uint8Array, Uint8Array, Uint8Array]}
 */
function parts(value) {
  const items = value.type === 'tag' && value.number === 18n && value.content.type === 'array' && value.content.items;
  if (!items || items.length !== 4) throw shape('a COSE_Sign1 under tag 18, an array of four');
  const [header, unprotected, payload, signature] = items;
  if (header?.type !== 'bytes') throw shape('a byte string as protected header');
  if (unprotected?.type !== 'map' || unprotected.entries.length > 0) throw shape('an empty unprotected header');
  if (payload?.type !== 'bytes') throw shape('a byte string as payload');
  if (signature?.type !== 'bytes' || signature.value.length !== 64) throw shape('a signature of 64 bytes');
  return [header.value, payload.value, signature.value];
}

/**
 * @param {Cbor} value
 */
function readHeader(value) {
  const entries = value.type === 'map' ? value.entries : [];
  const keys = entries.map(([key]) => (key.type === 'integer' ? key.value : undefined));
  if (keys.length !== 4 || [1n, 3n, 4n, 15n].some((key, at) => keys[at] !== key)) {
    throw shape('a protected header with exactly the keys 1, 3, 4 and 15, in this order');
  }
  const [algorithm, contentType, keyId, claims] = entries.map(([, content]) => content);
  if (algorithm?.type !== 'integer' || ![-8n, -19n].includes(algorithm.value)) {
    throw new Refused('the algorithm is neither -8 (EdDSA) nor -19 (Ed25519)', 'algorithm-unknown');
  }
  const kind = contentType?.type === 'text' ? KIND_OF_TYPE.get(contentType.value) : undefined;
  if (!kind) throw new Refused('the content type is that of no kind of statement', 'kind-unknown');
  if (keyId?.type !== 'bytes' || keyId.value.length !== 32) throw shape('a kid of 32 bytes');
  return { kind, kid: keyId.value, ...readClaims(kind, claims) };
}

/**
 * @param {Kind} kind
 * @param {Cbor | undefined} value
 * @returns {{ claims: Claims, isAscending: boolean }}
 */
function readClaims(kind, value) {
  if (value?.type !== 'map') throw shape('a map of claims');
  /** @type {Record<string, any>} */
  const raw = {};
  let [last, isAscending] = [0n, true];
  for (const [key, content] of value.entries) {
    const claim = key.type === 'integer' && key.value > 0n ? CLAIM_NAMES[Number(key.value) - 1] : undefined;
    if (key.type !== 'integer' || claim === undefined) throw shape('claims with keys from 1 to 7');
    isAscending &&= last < key.value;
    last = key.value;
    raw[claim] = claimValue(claim, content);
  }
  checkClaims(kind, raw);
  return { claims: /** @type {Claims} */ (raw), isAscending };
}

/**
 * @param {string} claim
 * @param {Cbor} content
 * @returns {string | number | Uint8Array}
 */
function claimValue(claim, content) {
  if (claim === 'cti') {
    if (content.type === 'bytes' && content.value.length === 16) return content.value;
  } else if (['exp', 'nbf', 'iat'].includes(claim)) {
    const isTime = content.type === 'integer' && content.value >= 0n && content.value <= MAX_INTEGER;
    if (isTime) return Number(content.value);
  } else if (content.type === 'text') {
    return content.value;
  }
  throw invalidClaim(claim);
}

/**
 * Applies the rules of the kind: which claims there are, and which grammar the subject has.
 *
 * @param {Kind} kind
 * @param {Record<string, any>} raw
 */
function checkClaims(kind, raw) {
  if (!isName(present(raw, 'iss'))) throw invalidClaim('iss');
  if (!isSubject(kind, present(raw, 'sub'))) throw invalidClaim('sub');
  if (kind === 'authorization') {
    if (!isName(present(raw, 'aud'))) throw invalidClaim('aud');
    if (present(raw, 'exp') < present(raw, 'nbf')) {
      throw new Refused('the authorization ends before it begins', 'claim-window-empty');
    }
  } else {
    const surplus = ['aud', 'exp', 'nbf'].find((claim) => raw[claim] !== undefined);
    if (surplus) throw new Refused(`only an authorization has the claim ${surplus}`, 'claim-unexpected');
  }
  present(raw, 'iat');
  present(raw, 'cti');
}

/**
 * @param {Kind} kind
 * @param {string} subject
 */
function isSubject(kind, subject) {
  if (kind === 'genesis') return isOrigin(subject);
  const prefix = PREFIX.get(kind);
  if (prefix === undefined) return isExecutionId(subject);
  return subject.startsWith(prefix) && isName(subject.slice(prefix.length));
}

/**
 * @param {Record<string, any>} raw
 * @param {string} claim
 */
function present(raw, claim) {
  if (raw[claim] === undefined) throw new Refused(`the claim ${claim} is missing`, 'claim-missing');
  return raw[claim];
}

/** @param {string} claim */
function invalidClaim(claim) {
  return new Refused(`the claim ${claim} is not what it has to be`, 'claim-invalid');
}

/** @param {string} expected */
function shape(expected) {
  return new Refused(`the statement is not what it has to be: expected ${expected}`, 'cose-malformed');
}
