// @ts-check
/**
 * Evidence of misbehaviour: files that convince somebody who has neither the log nor the word of whoever shows them.
 *
 * @module
 */

import { LogState } from './admission.mjs';
import { Refused, equal, hashFromBase64, toBase64, toHex } from './bytes.mjs';
import { parseEvidence } from './evidence-file.mjs';
import { leafHash, verifyConsistency, verifyInclusion } from './merkle.mjs';
import { verifyCosignatures, verifyLog } from './policy.mjs';
import { parseStatement, thumbprint, verifyStatement } from './statement.mjs';
import { KIND_OF_ROLE, ROLES } from './words.mjs';

/** @typedef {import('./evidence-file.mjs').Evidence} Evidence */
/** @typedef {import('./evidence-file.mjs').Included} Included */
/** @typedef {import('./evidence-file.mjs').Prefix} Prefix */
/** @typedef {import('./policy.mjs').Checkpoint} Checkpoint */
/** @typedef {import('./policy.mjs').Policy} Policy */
/** @typedef {import('./statement.mjs').Statement} Statement */

/**
 * What evidence proves, to whoever takes the keys in the policy for those of the parties: who misbehaved, the stable
 * code of what is shown, the same in sentences, what would refute it, and which witnesses cosigned both of two heads.
 *
 * @typedef {{
 *   against: 'log' | 'log_or_issuer',
 *   log: string,
 *   code: string,
 *   shows: string[],
 *   unless: string | undefined,
 *   witnesses: string[],
 * }} Proven
 */

/**
 * Says what a file of evidence proves, or throws when it proves nothing. It takes the log's signature only: a head that
 * convicts its log need not have found a quorum.
 *
 * @param {Uint8Array} bytes
 * @param {Policy} policy
 * @returns {Promise<Proven>}
 */
export async function checkEvidence(bytes, policy) {
  const evidence = parseEvidence(bytes);
  if (evidence.kind === 'heads') return checkHeads(evidence, policy);
  return evidence.kind === 'claimed_head' ? checkClaim(evidence, policy) : checkAdmission(evidence, policy);
}

/**
 * Two heads of one log, of which the larger tree does not begin with the smaller.
 *
 * @param {Evidence} evidence
 * @param {Policy} policy
 * @returns {Promise<Proven>}
 */
async function checkHeads({ heads: [one, other], prefix }, policy) {
  if (!one || !other || !prefix) throw new Refused('two heads and a prefix are expected');
  const [smaller, larger] = [await verifyLog(policy, one), await verifyLog(policy, other)];
  if (smaller.origin !== larger.origin) {
    throw new Refused(`the heads are of two logs, ${smaller.origin} and ${larger.origin}`);
  }
  await contradicts(prefix, smaller, larger);
  const root = toBase64(prefix.root);
  const begins =
    smaller.size === larger.size
      ? `It also signed a head of the same size with root ${toBase64(larger.root)}.`
      : `It also signed a head of ${larger.size} entries, whose first ${smaller.size} have the root ${root}.`;
  const cosigned = async (/** @type {import('./note.mjs').SignedNote} */ note) =>
    (await allowing(verifyCosignatures(policy, note), [])).map(({ witness }) => witness);
  const both = new Set(await cosigned(other));
  return {
    against: 'log',
    log: smaller.origin,
    code: 'fork',
    shows: [
      `It signed a head of ${smaller.size} entries with root ${toBase64(smaller.root)}.`,
      begins,
      'No tree that only grows has both.',
    ],
    unless: undefined,
    witnesses: (await cosigned(one)).filter((name) => both.has(name)),
  };
}

/**
 * A verification that names a head, in a log that had another tree at that size.
 *
 * @param {Evidence} evidence
 * @param {Policy} policy
 * @returns {Promise<Proven>}
 */
async function checkClaim({ heads: [note], entries: [first, second], prefix }, policy) {
  if (!note || !first || !second || !prefix) throw new Refused('a head, two entries and a prefix are expected');
  const head = await verifyLog(policy, note);
  await checkIncluded(first, head);
  await checkIncluded(second, head);
  const registration = await parseStatement(first.bytes);
  if (registration.kind !== 'issuer') throw new Refused(`entry ${first.index} is not a registration`);
  const { name, public_key: key } = registration.payload;
  const statement = await parseStatement(second.bytes);
  const claim = statement.kind === 'verification' ? statement.payload.checkpoint : undefined;
  if (!claim || statement.claims.iss !== name) {
    throw new Refused(`entry ${second.index} is not a verification by ${name} that names a head`);
  }
  await verifyStatement(statement, key);
  const claimed = { size: BigInt(claim.size), root: hashFromBase64(claim.root) ?? new Uint8Array() };
  await contradicts(prefix, claimed, head);
  const [stated, signed] = [toBase64(claimed.root), toBase64(prefix.root)];
  return {
    against: 'log_or_issuer',
    log: head.origin,
    code: 'head-contradicted',
    shows: [
      `The issuer ${name} states in entry ${second.index} that it saw a head of ${claimed.size} entries ` +
        `with root ${stated}.`,
      `The log signed a head of ${head.size} entries, with this statement among them, ` +
        `whose first ${claimed.size} have the root ${signed}.`,
      'Either the log showed the issuer another tree, or the issuer states a head that it was not shown. ' +
        'The note that the issuer saw, signed by the log, would settle it.',
    ],
    unless: undefined,
    witnesses: [],
  };
}

/**
 * An entry that the log had to refuse, with the genesis and the entries that show it.
 *
 * @param {Evidence} evidence
 * @param {Policy} policy
 * @returns {Promise<Proven>}
 */
async function checkAdmission({ heads: [note], entries, key }, policy) {
  const accused = entries.at(-1);
  if (!note || !accused) throw new Refused('a head and an entry are expected');
  const head = await verifyLog(policy, note);
  for (const entry of entries) await checkIncluded(entry, head);
  const earlier = entries.slice(0, -1);
  const genesis = await readGenesis(accused, earlier, head);
  const refusal = await refusalOf(accused, earlier, genesis, key);
  const code = refusal.code ?? '';
  const isOfIssuer = code === 'issuer-revoked' || code === 'role-missing';
  return {
    against: 'log',
    log: head.origin,
    code,
    shows: [
      ...(genesis ? ['By its genesis, entry 0, it admits entries by the rules countersign/1.'] : []),
      `It signed a head of ${head.size} entries, and among them is entry ${accused.index}.`,
      `By those rules it had to refuse entry ${accused.index}: ${refusal.message}.`,
    ],
    unless: isOfIssuer
      ? `a registration of the same name and key before entry ${accused.index} that is newer than the one in this file`
      : undefined,
    witnesses: [],
  };
}

/**
 * What makes the rules of the log those that it is held to. Entry 0 is held to them as well, by being what founds a
 * log.
 *
 * @param {Included} accused
 * @param {Included[]} earlier
 * @param {Checkpoint} head
 * @returns {Promise<Statement | undefined>}
 */
async function readGenesis(accused, [first], { origin }) {
  if (!first) {
    if (accused.index === 0n) return undefined;
    throw new Refused(`before entry ${accused.index} the genesis of its log is expected`);
  }
  const genesis = await parseStatement(first.bytes);
  if (first.index !== 0n || genesis.kind !== 'genesis' || genesis.payload.origin !== origin) {
    throw new Refused(`entry ${first.index} is not the genesis of this log`);
  }
  return genesis;
}

/**
 * The refusal that the log owed. Throws when there is none that these entries could show.
 *
 * @param {Included} accused
 * @param {Included[]} earlier
 * @param {Statement | undefined} genesis
 * @param {Uint8Array | undefined} key the one that the accused entry names, and that did not sign it
 * @returns {Promise<Refused>}
 */
async function refusalOf(accused, earlier, genesis, key) {
  const alone = () => {
    if (earlier[1]) throw new Refused(`entry ${earlier[1].index} is not needed to show this`);
  };
  const innocent = new Refused(`entry ${accused.index} breaks no rule that the entries given could show to be broken`);
  const statement = await allowing(parseStatement(accused.bytes), (refusal) => refusal);
  if (statement instanceof Refused) {
    alone();
    return statement;
  }
  if (key) {
    alone();
    if (!equal(statement.kid, await thumbprint(key))) {
      throw new Refused(`the key given is not the one that entry ${accused.index} names`);
    }
    const refusal = await allowing(verifyStatement(statement, key), (found) => found);
    if (!refusal) throw innocent;
    return refusal;
  }
  const state = await known(statement, accused, earlier, genesis);
  const refusal = await allowing(state.check(statement), (found) => found);
  // That something is not in a log takes the whole log.
  if (!refusal || ['issuer-not-registered', 'reference-unresolved'].includes(refusal.code ?? '')) throw innocent;
  return refusal;
}

/**
 * A log of which a few entries are known. Whatever is not among them is taken to be as the log would need it, so that
 * what is refused all the same is refused whatever else there is.
 *
 * @param {Statement} statement the accused one
 * @param {Included} accused
 * @param {Included[]} earlier
 * @param {Statement | undefined} genesis
 * @returns {Promise<LogState>}
 */
async function known(statement, accused, earlier, genesis) {
  const state = new LogState();
  let next = 0n;
  for (const { index, bytes } of earlier) {
    if (index < next) throw new Refused(`entry ${index} does not come after the one before it`);
    next = index + 1n;
    await state.apply(await parseStatement(bytes));
  }
  if (accused.index < next) throw new Refused(`entry ${accused.index} does not come after the others`);
  state.size = accused.index;
  // Of several roles in which one entry is named, the first counts.
  for (const [role, id] of [...statement.references].reverse()) {
    const kind = KIND_OF_ROLE.get(role) ?? 'intent';
    state.assumed.set(id, { kind, execution: kind === 'policy' ? undefined : statement.execution, verdict: 'permit' });
  }
  if (genesis) {
    state.assumedIssuer = { key: genesis.payload.operator.public_key, roles: ROLES, status: 'active' };
  }
  return state;
}

/**
 * @param {Included} entry
 * @param {Checkpoint} head
 */
async function checkIncluded({ index, bytes, proof }, head) {
  await verifyInclusion(await leafHash(bytes), index, head.size, proof, head.root);
}

/**
 * Shows that the tree of `head` begins with the prefix, and that the tree that is claimed does not.
 *
 * @param {Prefix} prefix
 * @param {{ size: bigint, root: Uint8Array }} claimed
 * @param {Checkpoint} head
 */
async function contradicts({ root, proof }, claimed, head) {
  await verifyConsistency(claimed.size, root, head.size, head.root, proof);
  if (equal(root, claimed.root)) {
    throw new Refused(`the two trees agree: both have the root ${toHex(root)} at that size`);
  }
}

/**
 * @template T
 * @template R
 * @param {Promise<T>} check
 * @param {R | ((refusal: Refused) => R)} otherwise what a refusal comes to; anything else is thrown on
 * @returns {Promise<T | R>}
 */
async function allowing(check, otherwise) {
  try {
    return await check;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return typeof otherwise === 'function' ? /** @type {(refusal: Refused) => R} */ (otherwise)(error) : otherwise;
  }
}
