// @ts-check
/**
 * Checking an entry on its page: its bytes, its place in the tree, and who signed the head.
 *
 * @module
 */

import { checkProof, climb, holds, leafHash, parseCheckpoint, parsePolicy, parseProof } from '../verify.mjs';
import { toHex } from '../verify/bytes.mjs';
import { element, find, get, replaceChip } from './dom.mjs';
import { excuse, stageList } from './report.mjs';
import { showWay } from './rungs.mjs';
import { offerTampering } from './tamper.mjs';

/**
 * What was fetched about an entry.
 *
 * @typedef {{
 *   entry: Uint8Array,
 *   proof: import('../verify/proof.mjs').TlogProof,
 *   policy: import('../verify/policy.mjs').Policy,
 * }} Fetched
 */

/**
 * @param {HTMLElement} section the part of the page that is about checking
 */
export async function checkEntry(section) {
  const status = find(section, '[data-status]');
  const button = /** @type {HTMLButtonElement} */ (find(section, '[data-run]'));
  button.disabled = true;
  status.textContent = 'Fetching the bytes of the entry and its proof.';
  try {
    const index = section.dataset['entry'] ?? '';
    const [entry, proof, policy] = await Promise.all([
      get(`/entries/${index}.cose`),
      get(`/entries/${index}.tlog-proof`),
      get('/trust.policy'),
    ]);
    const fetched = { entry, proof: parseProof(proof), policy: await parsePolicy(policy) };
    await show(section, fetched);
    offerTampering(section, fetched, (changed) => show(section, changed));
  } catch (error) {
    status.textContent = excuse(error);
  } finally {
    button.disabled = false;
  }
}

/**
 * @param {HTMLElement} section
 * @param {Fetched} fetched
 */
async function show(section, { entry, proof, policy }) {
  const report = await checkProof(entry, proof, policy);
  const isRecorded = report.entry === section.dataset['id'];
  const size = parseCheckpoint(proof.checkpoint.text).size;
  const leaf = await leafHash(entry);
  // A proof of another length leads nowhere, and the report says so.
  const way = await climb(leaf, proof.index, size, proof.hashes).catch(() => []);
  const isSound = holds(report) && isRecorded;
  const said = isRecorded ? 'which is the id that this page shows' : 'which is not the id that this page shows';
  const top = way.at(-1);
  const leads = top
    ? ['Joined with ', `${proof.hashes.length} other hashes, they lead to `, element('code', 'hash', toHex(top)), '.']
    : ['The hashes of the proof do not fit a place in this tree.'];
  find(section, '[data-report]').replaceChildren(
    element(
      'p',
      '',
      `The ${entry.length} bytes of the entry hash to `,
      element('code', 'hash', report.entry),
      `, ${said}. `,
      ...leads,
    ),
    stageList(report.stages),
  );
  replaceChip(section.querySelector('h2 .chip'), isSound ? 'pass' : 'fail');
  find(section, '[data-status]').textContent = isSound
    ? 'Your browser has computed that this entry is in the log, by the policy of this server.'
    : 'This does not hold. What is marked as failed below was computed by your browser.';
  showWay(way, size);
}
