// @ts-check
/**
 * Signed notes (C2SP signed-note): keys, and texts with signatures under them.
 *
 * @module
 */

import { Refused, equal, fromBase64, fromHex, fromUtf8, sha256, toHex, toUtf8 } from './bytes.mjs';
import { publicKey, verify } from './ed25519.mjs';

/** The largest note that is read, in bytes. */
export const MAX_NOTE_BYTES = 128 * 1024;
/** The most signature lines that are read. */
export const MAX_SIGNATURES = 64;

/** Ed25519 over the text of a note: logs sign with it. */
export const NOTE_KEY = 0x01;
/** Ed25519 over a timestamped checkpoint: witnesses sign with it. */
export const COSIGNATURE_KEY = 0x04;
/** ML-DSA-44 over a timestamped checkpoint: such keys are read, their signatures are not checked. */
export const ML_DSA_KEY = 0x06;

const KEY_LENGTH = new Map([
  [NOTE_KEY, 32],
  [COSIGNATURE_KEY, 32],
  [ML_DSA_KEY, 1312],
]);

/**
 * A key to verify by.
 *
 * @typedef {{ name: string, id: Uint8Array, kind: number, material: Uint8Array }} VerifierKey
 */

/**
 * One line under a note. For a cosignature, `signature` is the time and the signature.
 *
 * @typedef {{ name: string, id: Uint8Array, signature: Uint8Array }} SignatureLine
 */

/**
 * A text with signature lines, of which nothing is known but its form.
 *
 * @typedef {{ text: string, signatures: SignatureLine[] }} SignedNote
 */

/**
 * @param {string} name
 * @returns {boolean} whether it is a key name: not empty, no white space, no plus sign
 */
export function isKeyName(name) {
  return name !== '' && !/[\p{White_Space}+]/u.test(name);
}

/**
 * Reads `<name>+<key id>+<base64 of type and key>`, and computes the key id again.
 *
 * @param {string} text
 * @returns {Promise<VerifierKey>}
 */
export async function parseKey(text) {
  const [name = '', stated = '', ...rest] = text.split('+');
  const id = fromHex(stated, 4);
  const typed = rest.length > 0 ? fromBase64(rest.join('+')) : undefined;
  const kind = typed?.[0];
  if (!id || !typed || kind === undefined) {
    throw new Refused('the key is not of the form <name>+<8 lowercase hex digits>+<base64>');
  }
  const material = typed.subarray(1);
  if (!isKeyName(name)) throw new Refused('a key name is not empty and has no white space and no plus sign');
  if (KEY_LENGTH.get(kind) !== material.length) {
    throw new Refused(`a key of type ${kind} with ${material.length} bytes is not one that is known here`);
  }
  const computed = (await sha256(toUtf8(`${name}\n`), typed)).subarray(0, 4);
  if (!equal(id, computed)) throw new Refused(`the key says its id is ${stated}, but it is ${toHex(computed)}`);
  if (kind !== ML_DSA_KEY) publicKey(material);
  return { name, id, kind, material };
}

/**
 * Reads a note.
 *
 * @param {Uint8Array} bytes
 * @returns {SignedNote}
 */
export function parseNote(bytes) {
  if (bytes.length > MAX_NOTE_BYTES) throw new Refused(`a note of ${bytes.length} bytes is larger than what is read`);
  const note = fromUtf8(bytes);
  if (note === undefined) throw new Refused('a note is UTF-8 text');
  if (bytes.some((byte) => byte < 0x20 && byte !== 0x0a)) {
    throw new Refused('a note has no control characters but line feeds');
  }
  // The text may have blank lines of its own, so the last one is what divides.
  const end = note.lastIndexOf('\n\n');
  if (end < 0) throw new Refused('no blank line between text and signatures');
  return { text: note.slice(0, end + 1), signatures: parseLines(note.slice(end + 2)) };
}

/**
 * @param {string} text
 * @returns {SignatureLine[]}
 */
function parseLines(text) {
  if (!text.endsWith('\n')) throw new Refused('a note ends with a signature line and its line feed');
  const lines = text.slice(0, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw new Refused(`more than ${MAX_SIGNATURES} signature lines`);
  return lines.map((line, at) => {
    const [dash, name = '', blob = '', ...surplus] = line.split(' ');
    const bytes = fromBase64(blob);
    if (dash !== '\u2014' || !isKeyName(name) || !bytes || bytes.length < 5 || surplus.length > 0) {
      throw new Refused(`signature line ${at + 1} is not: em dash, space, key name, space, base64`);
    }
    return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
  });
}

/**
 * Whether a line names this key: by name and by key id, which stand for key and algorithm.
 *
 * @param {SignatureLine} line
 * @param {VerifierKey} key
 */
export function names(line, key) {
  return line.name === key.name && equal(line.id, key.id);
}

/**
 * Finds the lines by `keys` (type 0x01), every one of which has to verify, and one at least has to be there.
 *
 * @param {SignedNote} note
 * @param {VerifierKey[]} keys
 * @returns {Promise<SignatureLine[]>} the first line of each key
 */
export async function verifyNote(note, keys) {
  /** @type {Map<VerifierKey, SignatureLine>} */
  const verified = new Map();
  for (const line of note.signatures) {
    for (const key of keys.filter((known) => known.kind === NOTE_KEY && names(line, known))) {
      if (!(await verify(key.material, toUtf8(note.text), line.signature))) {
        throw new Refused(`the signature under the name ${line.name} does not verify`);
      }
      if (!verified.has(key)) verified.set(key, line);
    }
  }
  if (verified.size === 0) throw new Refused('none of the known keys signed the note');
  return [...verified.values()];
}

/**
 * The message that a cosignature (C2SP tlog-cosignature, type 0x04) is over.
 *
 * @param {string} text the text of the note
 * @param {bigint} time
 */
function cosigned(text, time) {
  return toUtf8(`cosignature/v1\ntime ${time}\n${text}`);
}

/**
 * Checks that `line` is a cosignature by `key` over `text`.
 *
 * @param {string} text
 * @param {SignatureLine} line
 * @param {VerifierKey} key of type 0x04, the one that the line names
 * @returns {Promise<bigint>} when it was made, in seconds since 1970 by the witness's clock
 */
export async function verifyCosignature(text, line, key) {
  if (line.signature.length !== 72) {
    throw new Refused(`a cosignature has 72 bytes, this one has ${line.signature.length}`);
  }
  const time = BigInt(`0x${toHex(line.signature.subarray(0, 8))}`);
  if (time >= 2n ** 63n) throw new Refused('the time of the cosignature is above 2^63-1 seconds');
  if (!(await verify(key.material, cosigned(text, time), line.signature.subarray(8)))) {
    throw new Refused(`the cosignature in the name of ${key.name} does not verify`);
  }
  return time;
}

