// @ts-check
/**
 * Reports, for people to read.
 *
 * @module
 */

import { CannotCheck } from '../verify.mjs';
import { chip, element, visible } from './dom.mjs';

/** @typedef {import('../verify/report.mjs').Stage} Stage */

/** @type {Readonly<Record<Stage, string>>} */
const STAGES = {
  format: 'Form',
  statement_signatures: 'Signatures of the statements',
  inclusion: 'Place in the log',
  log_signature: 'Signature of the log',
  witness_quorum: 'Witnesses',
  issuer_roles: 'Right to sign',
  lineage: 'Lineage',
  policy_replay: 'Decision by the policy',
};

/**
 * The stages, each with its verdict and what exactly was seen.
 *
 * @param {{ stage: Stage, verdict: 'pass' | 'fail' | 'not_checked', reason: string }[]} stages
 * @returns {HTMLElement}
 */
export function stageList(stages) {
  const items = stages.map(({ stage, verdict, reason }) => {
    const name = element('b', '', STAGES[stage]);
    const item = element('li', '', chip(verdict), ' ', name, element('br', ''), visible(reason));
    item.dataset['stage'] = stage;
    item.dataset['verdict'] = verdict;
    return item;
  });
  return element('ul', 'stages', ...items);
}

/** What is said of an execution about which nothing was found. */
const FITTING = {
  governed: 'Every step is on record and fits the others.',
  denied: 'Nothing ran, and the reason is on record.',
  open: 'What is on record fits together, and it has not come to its end.',
  partial: 'Not all of it is on record.',
  violated: 'It breaks the rules.',
};

/**
 * What was found about an execution, each finding with its entry.
 *
 * @param {import('../verify/findings.mjs').Judgement} judgement
 * @returns {HTMLElement}
 */
export function findingList({ verdict, findings }) {
  if (findings.length === 0) return element('p', '', FITTING[verdict]);
  const items = findings.map(({ code, severity, index, sentence }) => {
    const [weight, rule] = [element('b', '', severity), element('code', '', code)];
    const item = element('li', '', weight, ` in entry ${index}: ${sentence}`, element('br', ''), rule);
    item.dataset['finding'] = code;
    return item;
  });
  return element('ul', 'stages', ...items);
}

/**
 * What to say when a check came to no end: that this browser cannot check is no verdict about anything.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function excuse(error) {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof CannotCheck
    ? `This browser cannot check: ${message}. The command line below can.`
    : `Nothing was checked: ${message}`;
}
