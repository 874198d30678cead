// @ts-check
/**
 * Bundles: one file with everything that an offline auditor needs for one execution.
 *
 * @module
 */

import { Refused, fromBase64, hashFromBase64, isUnicode, readJson, toUtf8 } from './bytes.mjs';
import { issuer } from './admission.mjs';
import { isExecutionId } from './members.mjs';
import { multiproofLength } from './merkle.mjs';
import { parseNote } from './note.mjs';
import { parseCheckpoint } from './policy.mjs';
import { parseStatement, thumbprint } from './statement.mjs';

/** @typedef {import('./lineage.mjs').Step} Step */

/** The largest bundle that is read, in bytes. */
export const MAX_BUNDLE_BYTES = 32 * 1024 * 1024;
/** The most entries that a bundle has. */
const MAX_ENTRIES = 4096;
const FORMAT = 'countersign-bundle/v1';
const NOT_A_BUNDLE = 'not a bundle in its one encoding: format, execution, checkpoint, entries, multiproof';

/**
 * A bundle that is complete in itself, of which nothing else is known.
 *
 * @typedef {{
 *   execution: string,
 *   checkpoint: import('./note.mjs').SignedNote,
 *   head: import('./policy.mjs').Checkpoint,
 *   entries: Step[],
 *   multiproof: Uint8Array[],
 * }} Bundle
 */

/**
 * Reads a bundle, in the one encoding that it has.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Bundle>}
 */
export async function parseBundle(bytes) {
  if (bytes.length > MAX_BUNDLE_BYTES) {
    throw new Refused(`a bundle of ${bytes.length} bytes is larger than what is read`);
  }
  const members = readJson(bytes, NOT_A_BUNDLE, readMembers);
  const { execution, checkpoint: note, entries: listed, multiproof: texts } = members;
  if (!isExecutionId(execution)) throw new Refused('the execution is not one that a statement could be about');
  if (!isUnicode(note)) throw new Refused('the checkpoint is not a text in Unicode');
  const checkpoint = parseNote(toUtf8(note));
  const head = parseCheckpoint(checkpoint.text);
  if (listed.length > MAX_ENTRIES) throw new Refused(`more than ${MAX_ENTRIES} entries: audit the log instead`);
  const entries = [];
  for (const [at, { index, statement }] of listed.entries()) {
    if (index <= (listed[at - 1]?.index ?? -1)) throw new Refused(`entry ${index} is not in ascending order`);
    const raw = fromBase64(statement);
    if (!raw) throw new Refused(`the statement of entry ${index} is not in standard base64`);
    entries.push({ index: BigInt(index), statement: await readEntry(index, raw) });
  }
  const multiproof = texts.map((text, at) => {
    const hash = hashFromBase64(text);
    if (!hash) throw new Refused(`hash ${at + 1} of the multiproof is not the standard base64 of 32 bytes`);
    return hash;
  });
  await checkComplete(execution, entries);
  const last = entries.at(-1)?.index ?? 0n;
  if (last >= head.size) throw new Refused(`entry ${last} is outside a tree of ${head.size} entries`);
  const want = multiproofLength(
    entries.map(({ index }) => index),
    head.size,
  );
  if (want !== multiproof.length) throw new Refused(`the multiproof has ${multiproof.length} hashes, expected ${want}`);
  return { execution, checkpoint, head, entries, multiproof };
}

/**
 * @param {number} index
 * @param {Uint8Array} raw
 */
async function readEntry(index, raw) {
  try {
    return await parseStatement(raw);
  } catch (error) {
    if (error instanceof Refused) error.message = `entry ${index}: ${error.message}`;
    throw error;
  }
}

/**
 * @typedef {{
 *   format: string,
 *   execution: string,
 *   checkpoint: string,
 *   entries: { index: number, statement: string }[],
 *   multiproof: string[],
 * }} Members
 */

/**
 * @param {any} value
 * @returns {Members | undefined} nothing when these are not the members of a bundle
 */
function readMembers(value) {
  const areTexts = (/** @type {unknown[]} */ ...values) => values.every((item) => typeof item === 'string');
  const { format, execution, checkpoint, entries, multiproof } = value;
  if (!areTexts(format, execution, checkpoint)) return undefined;
  if (!Array.isArray(entries) || !Array.isArray(multiproof)) return undefined;
  const isEntry = (/** @type {any} */ entry) => Number.isSafeInteger(entry?.index) && areTexts(entry.statement);
  if (format !== FORMAT || !entries.every(isEntry) || !areTexts(...multiproof)) return undefined;
  return {
    format,
    execution,
    checkpoint,
    entries: entries.map(({ index, statement }) => ({ index, statement })),
    multiproof,
  };
}

/**
 * The entries are those of the execution and those that they stand on, and no others: the genesis, each policy that is
 * cited, and for each of all these the registration of its key, the newest before it.
 *
 * @param {string} execution
 * @param {Step[]} entries
 */
async function checkComplete(execution, entries) {
  /** @type {Map<string, Step[]>} */
  const registrations = new Map();
  for (const step of entries) {
    const { kind, payload } = step.statement;
    const key = kind === 'issuer' ? payload.public_key : kind === 'genesis' ? payload.operator.public_key : undefined;
    if (!key) continue;
    const registered = issuer(kind === 'issuer' ? payload.name : 'operator', await thumbprint(key));
    registrations.set(registered, [...(registrations.get(registered) ?? []), step]);
  }
  const genesis = entries[0];
  if (genesis?.index !== 0n || genesis.statement.kind !== 'genesis') {
    throw new Refused('the genesis, entry 0, is missing');
  }
  const waiting = entries.filter(({ statement }) => statement.execution === execution);
  if (waiting.length === 0) throw new Refused(`no entry is of the execution ${execution}`);
  waiting.push(genesis);
  const belongs = new Set(waiting);
  /** @param {Step | undefined} step @param {string} what */
  const need = (step, what) => {
    if (!step) throw new Refused(`${what} is missing`);
    if (!belongs.has(step)) waiting.push(step);
    belongs.add(step);
  };
  for (let step = waiting.pop(); step; step = waiting.pop()) {
    const { index, statement } = step;
    const signer = registrations.get(issuer(statement.claims.iss, statement.kid)) ?? [];
    const ruling = signer.findLast((other) => other.index < index);
    if (step !== genesis) need(ruling, `the registration of the key that signed entry ${index}`);
    const policy = statement.references.get('policy');
    const isCited = (/** @type {Step} */ other) => other.statement.kind === 'policy' && other.statement.id === policy;
    if (policy !== undefined) need(entries.find(isCited), `the policy that entry ${index} cites`);
  }
  const surplus = entries.find((step) => !belongs.has(step));
  if (surplus) throw new Refused(`entry ${surplus.index} does not belong in this bundle`);
}
