// @ts-check
/**
 * Trust policies (C2SP tlog-policy), the heads that they accept (C2SP tlog-checkpoint), and who cosigned those.
 *
 * A policy comes to whoever relies on it out of band, never from the log that it judges.
 *
 * @module
 */

import { MAX_SIZE, Refused, equal, fromDecimal, fromUtf8, hashFromBase64, toUtf8 } from './bytes.mjs';
import { COSIGNATURE_KEY, NOTE_KEY, names, parseKey, verifyCosignature, verifyNote } from './note.mjs';

/** @typedef {import('./note.mjs').SignedNote} SignedNote */
/** @typedef {import('./note.mjs').VerifierKey} VerifierKey */

/**
 * A witness: by the octets of its name, by what is shown of that and no other witness has, and its key.
 *
 * @typedef {{ name: string, shown: string, key: VerifierKey }} Witness
 * @typedef {{ threshold: number, members: string[] }} Group
 */

/**
 * A trust policy. Names are octets, one character each: nothing says that they are UTF-8.
 *
 * @typedef {{ logs: VerifierKey[], witnesses: Witness[], groups: Map<string, Group>, quorum: string }} Policy
 */

/**
 * What a log signed: this log has this many entries with this root.
 *
 * @typedef {{ origin: string, size: bigint, root: Uint8Array, extensions: string[] }} Checkpoint
 */

/**
 * One witness that cosigned, and when by its own clock.
 *
 * @typedef {{ witness: string, time: bigint }} Cosigned
 */

/**
 * Reads a policy file, strictly. A refusal begins with the line at fault, counted from 1.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Policy>}
 */
export async function parsePolicy(bytes) {
  /** @type {Policy} */
  const policy = { logs: [], witnesses: [], groups: new Map(), quorum: '' };
  let number = 0;
  try {
    for (let start = 0; start < bytes.length; ) {
      number += 1;
      const end = bytes.indexOf(0x0a, start);
      const line = bytes.subarray(start, end < 0 ? bytes.length : end);
      if (line.some((byte) => (byte < 0x20 && byte !== 0x09) || byte === 0x7f)) {
        throw new Refused('an octet that policies do not have, such as a carriage return');
      }
      if (end < 0) throw new Refused('the last line does not end with a line feed');
      await readLine(policy, Array.from(line, (byte) => String.fromCharCode(byte)).join(''));
      start = end + 1;
    }
    if (policy.quorum === '') throw new Refused('a policy has exactly one quorum line');
  } catch (error) {
    if (error instanceof Refused) error.message = `line ${number}: ${error.message}`;
    throw error;
  }
  return policy;
}

/**
 * @param {Policy} policy
 * @param {string} line one character an octet
 */
async function readLine(policy, line) {
  const [keyword = '', ...words] = line.split(/[ \t]/).filter((word) => word !== '');
  if (keyword === '' || keyword.startsWith('#')) return;
  if (keyword === 'log') await readLog(policy, words);
  else if (keyword === 'witness') await readWitness(policy, words);
  else if (keyword === 'group') readGroup(policy, words);
  else if (keyword === 'quorum') readQuorum(policy, words);
  else throw new Refused('expected a line that begins with log, witness, group, quorum or #');
}

/**
 * @param {Policy} policy
 * @param {string[]} words
 */
async function readLog(policy, words) {
  const [key = '', url] = words;
  if (words.length < 1 || words.length > 2) throw new Refused('expected: log <vkey> [<url>]');
  if (url !== undefined) expectUrl(url);
  const read = await parseKey(octetsToText(key));
  if (read.kind === COSIGNATURE_KEY) throw new Refused('a key of type 0x04 is not one of a log');
  if (policy.logs.some((known) => equal(known.material, read.material))) throw new Refused('this key stands twice');
  policy.logs.push(read);
}

/**
 * @param {Policy} policy
 * @param {string[]} words
 */
async function readWitness(policy, words) {
  const [name = '', key = '', url] = words;
  if (words.length < 2 || words.length > 3) throw new Refused('expected: witness <name> <vkey> [<url>]');
  if (url !== undefined) expectUrl(url);
  const read = await parseKey(octetsToText(key));
  if (read.kind === NOTE_KEY) throw new Refused('a key of type 0x01 is not one of a witness');
  if (policy.witnesses.some((known) => equal(known.key.material, read.material))) {
    throw new Refused('this key stands twice');
  }
  expectNewName(policy, name);
  policy.witnesses.push({ name, shown: shownName(policy, name), key: read });
}

/**
 * What is shown of a name, with apostrophes behind that tell it from earlier ones: octets that are not UTF-8 all look
 * alike.
 *
 * @param {Policy} policy
 * @param {string} name
 */
function shownName(policy, name) {
  const octets = Uint8Array.from(name, (character) => character.charCodeAt(0));
  let shown = new TextDecoder('utf-8', { ignoreBOM: true }).decode(octets);
  while (policy.witnesses.some((witness) => witness.shown === shown)) shown += "'";
  return shown;
}

/**
 * @param {Policy} policy
 * @param {string[]} words
 */
function readGroup(policy, words) {
  const [name = '', count = '', ...members] = words;
  if (members.length === 0) throw new Refused('expected: group <name> all|any|<k> <member>...');
  const most = BigInt(members.length);
  const threshold = count === 'all' ? most : count === 'any' ? 1n : (fromDecimal(count, most) ?? 0n);
  if (threshold < 1n) throw new Refused(`the threshold is all, any, or 1 to ${most}`);
  const taken = new Set([...policy.groups.values()].flatMap((group) => group.members));
  for (const member of members) {
    if (!isDefined(policy, member)) throw new Refused('no earlier line defines a witness or group of this name');
    if (taken.has(member)) throw new Refused('each name can be a member of one group only, once');
    taken.add(member);
  }
  expectNewName(policy, name);
  policy.groups.set(name, { threshold: Number(threshold), members });
}

/**
 * @param {Policy} policy
 * @param {string[]} words
 */
function readQuorum(policy, words) {
  const [name = ''] = words;
  if (words.length !== 1) throw new Refused('expected: quorum <name>|none');
  if (name !== 'none' && !isDefined(policy, name)) throw new Refused('no earlier line defines this name');
  if (policy.quorum !== '') throw new Refused('a policy has exactly one quorum line');
  policy.quorum = name;
}

/**
 * @param {Policy} policy
 * @param {string} name
 */
function isDefined(policy, name) {
  return policy.groups.has(name) || policy.witnesses.some((witness) => witness.name === name);
}

/**
 * @param {Policy} policy
 * @param {string} name
 */
function expectNewName(policy, name) {
  if (name === 'none' || isDefined(policy, name)) throw new Refused('the name is already taken (none is reserved)');
}

/** @param {string} octets */
function octetsToText(octets) {
  return fromUtf8(Uint8Array.from(octets, (octet) => octet.charCodeAt(0))) ?? '';
}

/** @param {string} octets */
function expectUrl(octets) {
  try {
    if (/^https?:$/.test(new URL(octetsToText(octets)).protocol)) return;
  } catch {
    // Refused below, like a URL of another scheme.
  }
  throw new Refused('expected an http or https URL');
}

/**
 * Reads the text of a note that is a checkpoint.
 *
 * @param {string} text
 * @returns {Checkpoint}
 */
export function parseCheckpoint(text) {
  const lines = text.slice(0, -1).split('\n');
  if (!text.endsWith('\n') || lines.length < 3 || lines.includes('')) {
    throw new Refused('a checkpoint has three lines or more, none of them empty, each ending in a line feed');
  }
  const [origin = '', second = '', third = '', ...extensions] = lines;
  const size = fromDecimal(second, MAX_SIZE);
  const root = hashFromBase64(third);
  if (toUtf8(origin).length > 255 || hasControl(origin)) {
    throw new Refused('the origin, the first line, has 1 to 255 bytes');
  }
  if (size === undefined) throw new Refused('the second line is the tree size: decimal, at most 2^63-1');
  if (!root) throw new Refused('the third line is the root: the standard base64 of 32 bytes');
  return { origin, size, root, extensions };
}

/** @param {string} text */
function hasControl(text) {
  return Array.from(text).some((character) => character < ' ');
}

/**
 * Checks that a log of the policy signed the head, for its own origin.
 *
 * @param {Policy} policy
 * @param {SignedNote} note
 * @returns {Promise<Checkpoint>}
 */
export async function verifyLog(policy, note) {
  const lines = await verifyNote(note, policy.logs);
  const checkpoint = parseCheckpoint(note.text);
  if (!lines.some((line) => line.name === checkpoint.origin)) {
    throw new Refused(`the head names the origin ${checkpoint.origin}, but the key belongs to ${lines[0]?.name}`);
  }
  return checkpoint;
}

/**
 * Finds the cosignatures of known witnesses, each of which has to verify. A witness counts once, with its earliest
 * time; lines of a type that is not checked here (ML-DSA-44) are passed over.
 *
 * @param {Policy} policy
 * @param {SignedNote} note
 * @returns {Promise<Cosigned[]>}
 */
export async function verifyCosignatures(policy, note) {
  return Array.from(await cosigners(policy, note), ([{ shown }, time]) => ({ witness: shown, time }));
}

/**
 * @param {Policy} policy
 * @param {SignedNote} note
 * @returns {Promise<Map<Witness, bigint>>} when each witness cosigned
 */
async function cosigners(policy, note) {
  /** @type {Map<Witness, bigint>} */
  const found = new Map();
  for (const line of note.signatures) {
    for (const witness of policy.witnesses) {
      if (witness.key.kind !== COSIGNATURE_KEY || !names(line, witness.key)) continue;
      const time = await verifyCosignature(note.text, line, witness.key);
      const earlier = found.get(witness);
      if (earlier === undefined || time < earlier) found.set(witness, time);
    }
  }
  return found;
}

/**
 * The witnesses of the policy whose lines are there but of a type that is not checked here.
 *
 * @param {Policy} policy
 * @param {SignedNote} note
 * @returns {string[]}
 */
export function notCheckedWitnesses(policy, note) {
  const unchecked = policy.witnesses.filter(({ key }) => key.kind !== COSIGNATURE_KEY);
  return unchecked.filter(({ key }) => note.signatures.some((line) => names(line, key))).map(({ shown }) => shown);
}

/**
 * Checks that the quorum of the policy cosigned the head. That a log signed it, {@link verifyLog} says.
 *
 * @param {Policy} policy
 * @param {SignedNote} note
 * @returns {Promise<Cosigned[]>}
 */
export async function verifyQuorum(policy, note) {
  const found = await cosigners(policy, note);
  const holding = new Set(Array.from(found.keys(), ({ name }) => name));
  // Members are defined on earlier lines, so the groups can be decided in their order.
  for (const [name, { threshold, members }] of policy.groups) {
    if (members.filter((member) => holding.has(member)).length >= threshold) holding.add(name);
  }
  const cosignatures = Array.from(found, ([{ shown }, time]) => ({ witness: shown, time }));
  if (policy.quorum === 'none' || holding.has(policy.quorum)) return cosignatures;
  const known = policy.witnesses.length;
  const signed = cosignatures.map(({ witness }) => witness);
  throw new Refused(`the quorum is missing: ${signed.length} of ${known} witnesses cosigned (${signed.join(', ')})`);
}
