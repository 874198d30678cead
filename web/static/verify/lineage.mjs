// @ts-check
/**
 * Lineage: whether the steps of one execution fit each other, by the rules of `docs/LINEAGE.md`.
 *
 * Signatures, inclusion and admission are taken as given: those are other stages of a report. Times in statements are
 * claims by their issuers' clocks; the order of the log is the only order that is taken as shown.
 *
 * @module
 */

import { Refused } from './bytes.mjs';
import { Findings } from './findings.mjs';
import { Ran } from './ran.mjs';
import { KIND_OF_ROLE } from './words.mjs';

/** @typedef {import('./statement.mjs').Statement} Statement */

/**
 * One entry of an execution.
 *
 * @typedef {{ index: bigint, statement: Statement }} Step
 */

/**
 * Judges one execution by its entries in the order of the log.
 *
 * @param {Step[]} steps
 * @param {Map<string, { index: bigint, kind: string }>} outside the entries that belong to no execution, by their ids
 * @returns {import('./findings.mjs').Judgement}
 */
export function judge(steps, outside) {
  expectOneExecution(steps);
  const findings = new Findings();
  const lineage = new Lineage(steps);
  for (const step of steps) {
    checkReferences(lineage, step, outside, findings);
    checkStep(lineage, step, findings);
    if (step.statement.kind === 'outcome') checkOutcome(lineage, step, findings);
  }
  return checkWhole(steps, findings);
}

/** The entries presented, and what can be looked up among them. */
export class Lineage {
  /** @param {Step[]} steps */
  constructor(steps) {
    this.steps = steps;
    /** @type {Map<string, Step>} */
    this.byId = new Map(steps.map((step) => [step.statement.id, step]));
  }

  /**
   * The entry that `from` names in the role of a kind, when it resolves: presented, earlier, and of that kind.
   *
   * @param {Step | undefined} from
   * @param {string} kind
   * @returns {Step | undefined}
   */
  earlier(from, kind) {
    const named = from && this.byId.get(from.statement.references.get(kind) ?? '');
    return named && named.index < from.index && named.statement.kind === kind ? named : undefined;
  }

  /**
   * The last entry of a kind before another for which a condition holds.
   *
   * @param {string} kind
   * @param {Step} before
   * @param {(step: Step) => boolean} condition
   * @returns {Step | undefined}
   */
  last(kind, before, condition) {
    return this.steps.findLast(
      (step) => step.index < before.index && step.statement.kind === kind && condition(step),
    );
  }

  /**
   * The measures about an entry that came before an index and that no release has lifted.
   *
   * @param {string} id
   * @param {bigint} [until]
   * @returns {Set<string>} `revoke`, `halt`, `quarantine`
   */
  measures(id, until) {
    const standing = new Set();
    for (const { index, statement } of this.steps) {
      if (statement.kind !== 'enforcement' || statement.references.get('target') !== id) continue;
      if (until !== undefined && index >= until) break;
      if (statement.payload.action === 'release') standing.clear();
      else standing.add(statement.payload.action);
    }
    return standing;
  }
}

/** @param {Step[]} steps */
function expectOneExecution(steps) {
  const execution = steps[0]?.statement.execution;
  if (execution === undefined) throw new Refused('expected the entries of one execution');
  for (const [at, { index, statement }] of steps.entries()) {
    if (statement.execution !== execution) throw new Refused(`entry ${index} is not about ${execution}`);
    if (index <= (steps[at - 1]?.index ?? -1n)) throw new Refused(`entry ${index} is not in the order of the log`);
  }
}

/**
 * Every reference names an earlier entry of the kind that its role takes. Of several at fault in one way one is told.
 *
 * @param {Lineage} lineage
 * @param {Step} from
 * @param {Map<string, { index: bigint, kind: string }>} outside
 * @param {Findings} findings
 */
function checkReferences(lineage, from, outside, findings) {
  const codes = new Set();
  for (const [role, id] of from.statement.references) {
    const inside = lineage.byId.get(id);
    const named = inside ? { index: inside.index, kind: inside.statement.kind } : undefined;
    const found = named ?? (role === 'policy' ? outside.get(id) : undefined);
    const expected = KIND_OF_ROLE.get(role);
    if (!found) codes.add('reference_missing');
    else if (found.index >= from.index) codes.add('reference_order');
    else if (expected !== undefined && found.kind !== expected) codes.add('reference_kind');
  }
  for (const code of codes) findings.add(code, from.index);
}

/**
 * @param {Lineage} lineage
 * @param {Step} step
 * @param {Findings} findings
 */
function checkStep(lineage, step, findings) {
  const { index, statement } = step;
  /** @param {string} kind what may not be signed by the same key */
  const isBySameKey = (kind) => {
    const other = lineage.earlier(step, kind);
    return other !== undefined && String(other.statement.kid) === String(statement.kid);
  };
  if (statement.kind === 'decision' && isBySameKey('intent')) findings.add('decision_by_requester', index);
  if (statement.kind === 'verification' && isBySameKey('authorization')) {
    findings.add('enforcer_is_authority', index);
  }
  const first = lineage.steps.find((other) => other.statement.kind === 'close');
  if (first && first.index < index) {
    if (statement.kind === 'close') findings.add('second_close', index);
    else if (statement.kind !== 'enforcement') findings.add('entry_after_close', index);
  }
}

/**
 * @param {Lineage} lineage
 * @param {Step} outcome
 * @param {Findings} findings
 */
function checkOutcome(lineage, outcome, findings) {
  const { index, statement } = outcome;
  const named = statement.references.get('authorization');
  const isOfSame = (/** @type {Step} */ other) => other.statement.references.get('authorization') === named;
  if (named !== undefined && lineage.last('outcome', outcome, isOfSame)) findings.add('second_outcome', index);
  if (statement.payload.status !== 'not_executed') new Ran(lineage, outcome, findings).check();
  if (lineage.measures(statement.id).has('quarantine')) findings.add('quarantined', index);
}

/**
 * What can be said once all entries are known.
 *
 * @param {Step[]} steps
 * @param {Findings} findings
 */
function checkWhole(steps, findings) {
  const of = (/** @type {string} */ kind) => steps.filter(({ statement }) => statement.kind === kind);
  const [close, outcome] = [of('close')[0], of('outcome').at(-1)];
  const ran = of('outcome').some(({ statement }) => statement.payload.status !== 'not_executed');
  if (close) {
    const present = steps.indexOf(close) + 1;
    const counted = close.statement.payload.entries;
    if (counted > present) findings.add('entries_missing', close.index);
    if (counted < present) findings.add('entries_uncounted', close.index);
    if (!outcome && of('authorization').length > 0) findings.add('outcome_missing', close.index);
  }
  const end = outcome ?? close;
  if (end && !ran && !steps.some(saysWhy)) findings.add('reason_missing', end.index);
  if (outcome && !close) findings.add('close_missing', outcome.index);
  return findings.weigh(end !== undefined, ran);
}

/**
 * Whether an entry says why nothing runs.
 *
 * @param {Step} step
 */
function saysWhy({ statement: { kind, payload } }) {
  return (
    (kind === 'decision' && payload.decision === 'deny') ||
    (kind === 'verification' && payload.result === 'fail') ||
    (kind === 'enforcement' && ['revoke', 'halt'].includes(payload.action))
  );
}
