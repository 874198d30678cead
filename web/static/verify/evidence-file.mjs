// @ts-check
/**
 * How evidence is written: JSON in its RFC 8785 form, so that the same evidence is the same file.
 *
 * @module
 */

import { Refused, fromBase64, hashFromBase64, isUnicode, readJson, toUtf8 } from './bytes.mjs';
import { publicKey } from './ed25519.mjs';
import { parseNote } from './note.mjs';

/** The largest evidence that is read, in bytes. */
const MAX_EVIDENCE_BYTES = 1024 * 1024;
const FORMAT = 'countersign-evidence/v1';

/**
 * An entry with its path to the root of a head.
 *
 * @typedef {{ index: bigint, bytes: Uint8Array, proof: Uint8Array[] }} Included
 */

/**
 * What a tree begins with: the root over its first entries, and the proof of that.
 *
 * @typedef {{ root: Uint8Array, proof: Uint8Array[] }} Prefix
 */

/**
 * Evidence as it stands in a file, of which nothing is known but its form.
 *
 * @typedef {{
 *   kind: 'heads' | 'claimed_head' | 'admission',
 *   heads: import('./note.mjs').SignedNote[],
 *   entries: Included[],
 *   key: Uint8Array | undefined,
 *   prefix: Prefix | undefined,
 * }} Evidence
 */

/**
 * Reads evidence, in the one encoding that it has.
 *
 * @param {Uint8Array} bytes
 * @returns {Evidence}
 */
export function parseEvidence(bytes) {
  if (bytes.length > MAX_EVIDENCE_BYTES) {
    throw new Refused(`evidence of ${bytes.length} bytes is larger than what is read`);
  }
  const members = readJson(bytes, 'not evidence in its one encoding', readMembers);
  const { checkpoints, entries = [], key, kind, prefix } = members;
  const evidence = {
    kind: /** @type {Evidence['kind']} */ (kind),
    heads: checkpoints.map(readNote),
    entries: entries.map(readEntry),
    key: key === undefined ? undefined : publicKey(fromBase64(key) ?? new Uint8Array()),
    prefix: prefix && { root: hash(prefix.root), proof: prefix.proof.map(hash) },
  };
  const [notes, count] = [checkpoints.length, entries.length];
  const fits =
    kind === 'heads'
      ? notes === 2 && count === 0 && key === undefined && prefix !== undefined
      : kind === 'claimed_head'
        ? notes === 1 && count === 2 && key === undefined && prefix !== undefined
        : kind === 'admission' && notes === 1 && count > 0 && prefix === undefined;
  if (!fits) throw new Refused(`these are not the members of evidence of the kind ${kind}`);
  return evidence;
}

/**
 * @typedef {{ index: number, proof: string[], statement: string }} EntryMember
 * @typedef {{
 *   checkpoints: string[],
 *   entries?: EntryMember[],
 *   format: string,
 *   key?: string,
 *   kind: string,
 *   prefix?: { proof: string[], root: string },
 * }} Members
 */

/**
 * @param {any} value
 * @returns {Members | undefined} nothing when these are not the members of evidence
 */
function readMembers(value) {
  const areTexts = (/** @type {unknown} */ list) =>
    Array.isArray(list) && list.every((item) => typeof item === 'string');
  const isEntry = (/** @type {any} */ entry) =>
    Number.isSafeInteger(entry?.index) && entry.index >= 0 && areTexts(entry.proof) && areTexts([entry.statement]);
  const { checkpoints, entries = [], format, key, kind, prefix } = value;
  const isFile =
    format === FORMAT &&
    areTexts(checkpoints) &&
    areTexts([kind, key ?? '']) &&
    Array.isArray(entries) &&
    entries.every(isEntry) &&
    (prefix === undefined || (areTexts(prefix?.proof) && areTexts([prefix.root])));
  if (!isFile) return undefined;
  return {
    checkpoints,
    ...(entries.length > 0 && {
      entries: entries.map(({ index, proof, statement }) => ({ index, proof, statement })),
    }),
    format,
    ...(key !== undefined && { key }),
    kind,
    ...(prefix !== undefined && { prefix: { proof: prefix.proof, root: prefix.root } }),
  };
}

/** @param {string} note */
function readNote(note) {
  if (!isUnicode(note)) throw new Refused('a head is not a text in Unicode');
  return parseNote(toUtf8(note));
}

/**
 * @param {EntryMember} entry
 * @returns {Included}
 */
function readEntry({ index, proof, statement }) {
  const bytes = fromBase64(statement);
  if (!bytes) throw new Refused(`the statement of entry ${index} is not in standard base64`);
  return { index: BigInt(index), bytes, proof: proof.map(hash) };
}

/** @param {string} text */
function hash(text) {
  const bytes = hashFromBase64(text);
  if (!bytes) throw new Refused('a hash is not the standard base64 of 32 bytes');
  return bytes;
}
