// @ts-check
/**
 * Offline proofs (C2SP tlog-proof, `@v1`): that an entry is in a tree whose head has its quorum.
 *
 * @module
 */

import { MAX_SIZE, Refused, fromBase64, fromDecimal, fromUtf8, hashFromBase64, toUtf8 } from './bytes.mjs';
import { MAX_NOTE_BYTES, parseNote } from './note.mjs';

/** The largest proof file that is read, in bytes. */
export const MAX_PROOF_BYTES = MAX_NOTE_BYTES + 64 * 1024;
/** The most hashes that any inclusion proof has. */
const MAX_HASHES = 63;

/**
 * A proof as it stands in a file, of which nothing is known but its form. Nothing authenticates `extra`.
 *
 * @typedef {{
 *   extra?: Uint8Array,
 *   index: bigint,
 *   hashes: Uint8Array[],
 *   checkpoint: import('./note.mjs').SignedNote,
 * }} TlogProof
 */

/**
 * Reads a proof.
 *
 * @param {Uint8Array} bytes
 * @returns {TlogProof}
 */
export function parseProof(bytes) {
  if (bytes.length > MAX_PROOF_BYTES) throw new Refused(`a proof of ${bytes.length} bytes is larger than what is read`);
  const text = fromUtf8(bytes);
  if (text === undefined) throw new Refused('a proof is UTF-8 text');
  // The checkpoint has a blank line of its own, so the first one is what divides.
  const end = text.indexOf('\n\n');
  if (end < 0) throw new Refused('no blank line between the hashes and the checkpoint');
  const [header, ...lines] = text.slice(0, end).split('\n');
  if (header !== 'c2sp.org/tlog-proof@v1') throw new Refused('the first line is not "c2sp.org/tlog-proof@v1"');
  const extra = readExtra(lines);
  const position = lines.shift();
  const index = position?.startsWith('index ') ? fromDecimal(position.slice(6), MAX_SIZE - 1n) : undefined;
  if (index === undefined) throw new Refused('expected a line "index" with a decimal number');
  if (lines.length > MAX_HASHES) throw new Refused(`more than ${MAX_HASHES} hashes`);
  const hashes = lines.map((line, at) => {
    const hash = hashFromBase64(line);
    if (!hash) throw new Refused(`hash ${at + 1} is not the standard base64 of 32 bytes`);
    return hash;
  });
  return { ...(extra && { extra }), index, hashes, checkpoint: parseNote(toUtf8(text.slice(end + 2))) };
}

/**
 * @param {string[]} lines from which the line `extra` is taken, if there is one
 * @returns {Uint8Array | undefined}
 */
function readExtra(lines) {
  if (!lines[0]?.startsWith('extra ')) return undefined;
  const extra = fromBase64(lines[0].slice(6));
  if (!extra || extra.length === 0) throw new Refused('extra holds the standard base64 of one byte or more');
  lines.shift();
  return extra;
}
