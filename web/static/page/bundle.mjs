// @ts-check
/**
 * Checking an execution on its page: everything that its bundle shows.
 *
 * @module
 */

import { checkBundle, parsePolicy } from '../verify.mjs';
import { find, get, replaceChip } from './dom.mjs';
import { excuse, findingList, stageList } from './report.mjs';

/**
 * @param {HTMLElement} section the part of the page that is about checking
 */
export async function checkExecution(section) {
  const status = find(section, '[data-status]');
  const button = /** @type {HTMLButtonElement} */ (find(section, '[data-run]'));
  button.disabled = true;
  status.textContent = 'Fetching everything that this execution stands on.';
  try {
    const [bundle, policy] = await Promise.all([get(section.dataset['bundle'] ?? ''), get('/trust.policy')]);
    const report = await checkBundle(bundle, await parsePolicy(policy));
    const parts = [stageList(report.stages), ...(report.lineage ? [findingList(report.lineage)] : [])];
    find(section, '[data-report]').replaceChildren(...parts);
    const verdict = summary(report.stages);
    replaceChip(section.querySelector('h2 .chip'), verdict);
    status.textContent = sentence(verdict, report.lineage?.verdict);
  } catch (error) {
    status.textContent = excuse(error);
  } finally {
    button.disabled = false;
  }
}

/**
 * What the stages come to: one that failed weighs more than one that was not decided.
 *
 * @param {{ stage: string, verdict: 'pass' | 'fail' | 'not_checked' }[]} stages
 * @returns {'pass' | 'fail' | 'not_checked'}
 */
export function summary(stages) {
  const verdicts = stages.filter(({ stage }) => stage !== 'policy_replay').map(({ verdict }) => verdict);
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.includes('not_checked') ? 'not_checked' : 'pass';
}

/**
 * @param {'pass' | 'fail' | 'not_checked'} verdict
 * @param {string | undefined} lineage
 * @returns {string}
 */
export function sentence(verdict, lineage) {
  const judged = lineage === undefined ? 'The steps could not be judged.' : `The execution was judged ${lineage}.`;
  if (verdict === 'fail') return `This does not hold, as your browser has computed. ${judged}`;
  return `Your browser has checked what a bundle can show, by the policy given. ${judged}`;
}
