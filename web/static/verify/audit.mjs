// @ts-check
/**
 * The report on a bundle.
 *
 * @module
 */

import { LogState } from './admission.mjs';
import { Refused, fromHex } from './bytes.mjs';
import { parseBundle } from './bundle.mjs';
import { judge } from './lineage.mjs';
import { verifyMultiproof } from './merkle.mjs';
import { STAGES, checkHead, fail, finding, notChecked, pass } from './report.mjs';
import { verifyStatement } from './statement.mjs';
import { KIND_OF_ROLE } from './words.mjs';

/** @typedef {import('./bundle.mjs').Bundle} Bundle */
/** @typedef {import('./findings.mjs').Judgement} Judgement */
/** @typedef {import('./report.mjs').Finding} Finding */
/** @typedef {import('./report.mjs').Stage} Stage */

/**
 * A report on a bundle. The lineage is there when the statements are shown to be in the log and signed by whom they
 * name.
 *
 * @typedef {{
 *   bundle: Bundle | undefined,
 *   stages: (Finding & { stage: Stage })[],
 *   lineage: Judgement | undefined,
 * }} BundleReport
 */

/**
 * Checks a bundle against a trust policy.
 *
 * @param {Uint8Array} bytes
 * @param {import('./policy.mjs').Policy} policy
 * @returns {Promise<BundleReport>}
 */
export async function checkBundle(bytes, policy) {
  /** @type {Bundle | undefined} */
  let bundle;
  const format = await finding(async () => {
    bundle = await parseBundle(bytes);
    const steps = bundle.entries.filter(({ statement }) => statement.execution !== undefined).length;
    const others = bundle.entries.length - steps;
    return `a bundle of ${steps} entries of ${bundle.execution} and ${others} that they stand on`;
  });
  if (!bundle) {
    const rest = notChecked('the file is not a bundle');
    const stages = STAGES.map((stage) => ({ stage, ...(stage === 'format' ? format : rest) }));
    return { bundle, stages, lineage: undefined };
  }
  const { signatures, roles } = await checkIssuers(bundle);
  const { log, quorum, head } = await checkHead(bundle.checkpoint, policy);
  const inclusion = head ? await checkInclusion(bundle, head) : notChecked('no log of the policy signed the head');
  // Whether the quorum came has no bearing on what the log has.
  const isSound = [signatures, roles, log, inclusion].every(({ verdict }) => verdict === 'pass');
  const lineage = isSound ? judgeBundle(bundle) : undefined;
  /** @type {Record<Stage, Finding>} */
  const found = {
    format,
    statement_signatures: signatures,
    inclusion,
    log_signature: log,
    witness_quorum: quorum,
    issuer_roles: roles,
    lineage: lineage ? lineageFinding(lineage) : notChecked('statements count for nothing without the stages before'),
    policy_replay: notChecked('a browser has no policy engine: countersign-verify bundle --replay does it'),
  };
  return { bundle, stages: STAGES.map((stage) => ({ stage, ...found[stage] })), lineage };
}

/**
 * @param {Bundle} bundle
 * @param {import('./policy.mjs').Checkpoint} head
 */
function checkInclusion({ entries, multiproof }, head) {
  return finding(async () => {
    const leaves = entries.map(({ index, statement }) => {
      return { index, hash: fromHex(statement.id, 32) ?? new Uint8Array() };
    });
    await verifyMultiproof(leaves, head.size, multiproof, head.root);
    return `all ${entries.length} entries are in the tree of ${head.size}`;
  });
}

/**
 * In which ways an entry can be at fault: its signature is false, or cannot be checked; it should not have been
 * admitted; it names one that was left out.
 *
 * @typedef {'forged' | 'unknown' | 'refused' | 'dangling'} Fault
 */

/**
 * An entry that is named and not there, as the role in which it is named asks for it.
 *
 * @param {import('./statement.mjs').Statement} statement
 * @param {string} role
 * @returns {import('./admission.mjs').Facts}
 */
function assumed(statement, role) {
  const kind = KIND_OF_ROLE.get(role) ?? statement.kind;
  return { kind, execution: kind === 'policy' ? undefined : statement.execution, verdict: 'permit' };
}

/**
 * Checks each signature under the key that the bundle shows to have been registered, and admits each entry over the
 * ones before it.
 *
 * @param {Bundle} bundle
 * @returns {Promise<{ signatures: Finding, roles: Finding }>}
 */
async function checkIssuers({ entries, head }) {
  const state = new LogState();
  const here = new Set(entries.map(({ statement }) => statement.id));
  /** The first entry at fault in each way. */
  /** @type {Map<Fault, string>} */
  const faults = new Map();
  for (const { index, statement } of entries) {
    const absent = [...statement.references].filter(([, id]) => !here.has(id));
    const dangling = absent.find(([role]) => role !== 'replaces');
    if (dangling && !faults.has('dangling')) {
      faults.set('dangling', `entry ${index} names as its ${dangling[0]} an entry that is not in the bundle`);
    }
    state.size = index;
    state.assumed = new Map(absent.map(([role, id]) => [id, assumed(statement, role)]));
    /** @type {Fault} */
    let fault = 'unknown';
    try {
      const key = state.signingKey(statement);
      fault = 'forged';
      await verifyStatement(statement, key);
      fault = 'refused';
      await state.admit(statement);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!faults.has(fault)) faults.set(fault, `entry ${index}: ${error.message}`);
    }
  }
  const said = (/** @type {Fault} */ fault) => faults.get(fault) ?? '';
  const signatures = faults.has('forged')
    ? fail(said('forged'))
    : faults.has('unknown')
      ? notChecked(said('unknown'))
      : pass('each entry is signed by the key that it names, which is registered in the bundle');
  const origin = entries[0]?.statement.payload.origin;
  const roles = faults.has('forged')
    ? notChecked('not every statement is signed by the key that it names')
    : faults.has('refused')
      ? fail(`should not have been admitted: ${said('refused')}`)
      : origin !== head.origin
        ? fail(`the genesis founds ${origin}, and the head is by ${head.origin}`)
        : faults.has('dangling')
          ? notChecked(said('dangling'))
          : pass('by the registrations in the bundle, each signer was active and held the role');
  return { signatures, roles };
}

/**
 * @param {Bundle} bundle
 * @returns {Judgement}
 */
function judgeBundle({ entries }) {
  const policies = entries.filter(({ statement }) => statement.kind === 'policy');
  const outside = new Map(policies.map(({ index, statement }) => [statement.id, { index, kind: statement.kind }]));
  return judge(
    entries.filter(({ statement }) => statement.execution !== undefined),
    outside,
  );
}

/**
 * @param {Judgement} judgement
 * @returns {Finding}
 */
function lineageFinding({ verdict, findings }) {
  const told = (/** @type {string} */ severity) =>
    findings
      .filter((found) => found.severity === severity)
      .map(({ code }) => code)
      .join(', ');
  switch (verdict) {
    case 'governed':
      return pass('governed: it ran, and every step is on record and fits the others');
    case 'denied':
      return pass('denied: nothing ran, and the reason is on record');
    case 'open':
      return notChecked('open: it has not ended, and more may follow');
    case 'partial':
      return notChecked(`partial: ${told('gap')}`);
    default:
      return fail(`violated: ${told('violation')}`);
  }
}
