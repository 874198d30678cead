// @ts-check
/**
 * What a check found, stage by stage. There is no overall score: each stage stands for itself.
 *
 * @module
 */

import { Refused, toBase64, toHex } from './bytes.mjs';
import { leafHash, verifyInclusion } from './merkle.mjs';
import { notCheckedWitnesses, verifyLog, verifyQuorum } from './policy.mjs';
import { parseStatement, verifyStatement } from './statement.mjs';

/** What can be checked, in the order in which it is reported. */
export const STAGES = /** @type {const} */ ([
  'format',
  'statement_signatures',
  'inclusion',
  'log_signature',
  'witness_quorum',
  'issuer_roles',
  'lineage',
  'policy_replay',
]);

/**
 * @typedef {(typeof STAGES)[number]} Stage
 * @typedef {'pass' | 'fail' | 'not_checked'} Verdict
 * @typedef {{ verdict: Verdict, reason: string }} Finding
 * @typedef {{ entry: string, stages: (Finding & { stage: Stage })[] }} Report
 */

/**
 * @param {string} reason what exactly was seen
 * @returns {Finding}
 */
export const pass = (reason) => ({ verdict: 'pass', reason });

/**
 * @param {string} reason
 * @returns {Finding}
 */
export const fail = (reason) => ({ verdict: 'fail', reason });

/**
 * @param {string} reason
 * @returns {Finding}
 */
export const notChecked = (reason) => ({ verdict: 'not_checked', reason });

/**
 * A pass with what `check` says, or a failure with what it refused. That this machine cannot check is neither.
 *
 * @param {() => Promise<string>} check
 * @returns {Promise<Finding>}
 */
export async function finding(check) {
  try {
    return pass(await check());
  } catch (error) {
    if (error instanceof Refused) return fail(error.message);
    throw error;
  }
}

/**
 * Whether nothing that was checked failed, and the entries were shown to be in a tree whose head has its quorum.
 *
 * @param {{ stages: { stage: Stage, verdict: Verdict }[] }} report
 */
export function holds({ stages }) {
  const needed = new Set(['inclusion', 'log_signature', 'witness_quorum']);
  return stages.every(({ stage, verdict }) => verdict === 'pass' || (verdict !== 'fail' && !needed.has(stage)));
}

/**
 * Checks the head of a proof: that a log of the policy signed it, and that the quorum cosigned it.
 *
 * @param {import('./note.mjs').SignedNote} note
 * @param {import('./policy.mjs').Policy} policy
 * @returns {Promise<{ log: Finding, quorum: Finding, head?: import('./policy.mjs').Checkpoint }>}
 */
export async function checkHead(note, policy) {
  /** @type {import('./policy.mjs').Checkpoint | undefined} */
  let head;
  const log = await finding(async () => {
    head = await verifyLog(policy, note);
    return `${head.origin} signed a head of ${head.size} entries with root ${toBase64(head.root)}`;
  });
  if (!head) return { log, quorum: notChecked('no log of the policy signed the head') };
  const quorum = await finding(async () => {
    const cosigned = await verifyQuorum(policy, note);
    if (policy.quorum === 'none') return 'the policy asks for no witness';
    const who = cosigned.map(({ witness, time }) => `${witness} at ${utc(time)}`).join(', ');
    const unchecked = notCheckedWitnesses(policy, note).map((name) => `; the line of ${name} is not checked`);
    return `cosigned by ${who} (by the clock of each witness)${unchecked.join('')}`;
  });
  return { log, quorum, head };
}

/**
 * @param {bigint} time seconds since 1970
 * @returns {string} the same for people, as long as years have four digits
 */
function utc(time) {
  if (time >= 253_402_300_800n) return `second ${time} since 1970`;
  return `${new Date(Number(time) * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/**
 * Checks one entry with its proof. With `issuer`, the key that has to have signed it, got out of band.
 *
 * @param {Uint8Array} entry
 * @param {import('./proof.mjs').TlogProof} proof
 * @param {import('./policy.mjs').Policy} policy
 * @param {Uint8Array} [issuer]
 * @returns {Promise<Report>}
 */
export async function checkProof(entry, proof, policy, issuer) {
  const leaf = await leafHash(entry);
  const statement = await checkStatement(entry, issuer);
  const { log, quorum, head } = await checkHead(proof.checkpoint, policy);
  const inclusion = !head
    ? notChecked('no log of the policy signed the head that the proof leads to')
    : await finding(async () => {
        await verifyInclusion(leaf, proof.index, head.size, proof.hashes, head.root);
        return `the entry is at index ${proof.index} of ${head.size}`;
      });
  /** @param {string} what */
  const lone = (what) => notChecked(`a proof of one entry does not have ${what}; use a bundle`);
  /** @type {Record<Stage, Finding>} */
  const found = {
    format: statement.format,
    statement_signatures: statement.signature,
    inclusion,
    log_signature: log,
    witness_quorum: quorum,
    issuer_roles: lone('the registration of the signer'),
    lineage: lone('the other steps of the execution'),
    policy_replay: lone('the policy and its inputs'),
  };
  return { entry: toHex(leaf), stages: STAGES.map((stage) => ({ stage, ...found[stage] })) };
}

/**
 * @param {Uint8Array} entry
 * @param {Uint8Array | undefined} issuer
 * @returns {Promise<{ format: Finding, signature: Finding }>}
 */
async function checkStatement(entry, issuer) {
  // The first two bytes of every statement: CBOR tag 18, an array of four.
  if (entry[0] !== 0xd2 || entry[1] !== 0x84) {
    const other = notChecked('the entry is not a signed statement of this project');
    return { format: other, signature: other };
  }
  /** @type {import('./statement.mjs').Statement | undefined} */
  let statement;
  const format = await finding(async () => {
    statement = await parseStatement(entry);
    return `${statement.kind} statement by ${statement.claims.iss} about ${statement.claims.sub}`;
  });
  if (!statement) return { format, signature: notChecked('the statement is malformed') };
  const { kid } = statement;
  if (!issuer) return { format, signature: notChecked(`the statement names its key by thumbprint ${toHex(kid)}`) };
  const signed = statement;
  const signature = await finding(async () => {
    await verifyStatement(signed, issuer);
    return 'signed by the given key';
  });
  return { format, signature };
}
