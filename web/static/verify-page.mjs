// @ts-check
/**
 * The page that checks files. What is chosen, dropped or carried in the fragment of the address is read here and sent
 * nowhere: this page fetches nothing at all.
 *
 * @module
 */

import { Refused, checkBundle, checkEvidence, checkProof, holds, parsePolicy, parseProof } from './verify.mjs';
import { sentence, summary } from './page/bundle.mjs';
import { chip, element, find, visible } from './page/dom.mjs';
import { excuse, findingList, stageList } from './page/report.mjs';

/** The largest file that is read: what a bundle may have. */
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * What can be checked, by what it is.
 *
 * @typedef {{ bundle?: Uint8Array, evidence?: Uint8Array, proof?: Uint8Array, entry?: Uint8Array }} Chosen
 */

const form = /** @type {HTMLFormElement} */ (find(document, '#choose'));
const files = /** @type {HTMLInputElement} */ (find(document, '#files'));
const policyText = /** @type {HTMLTextAreaElement} */ (find(document, '#policy'));
const policyFile = /** @type {HTMLInputElement} */ (find(document, '#policy-file'));
const status = find(document, '#status');
const report = find(document, '#report');

form.hidden = false;
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void checkFiles([...(files.files ?? [])]);
});
files.addEventListener('change', () => void checkFiles([...(files.files ?? [])]));
policyFile.addEventListener('change', () => void takePolicy(policyFile.files?.[0]));
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  void checkFiles([...(event.dataTransfer?.files ?? [])]);
});
window.addEventListener('hashchange', () => void checkFragment());
void checkFragment();

/** @param {File | undefined} file */
async function takePolicy(file) {
  if (!file) return;
  policyText.value = await file.text();
  find(document, '#whose').textContent = 'This is the trust policy from your own file.';
}

/** @param {File[]} chosen */
async function checkFiles(chosen) {
  /** @type {Chosen} */
  const found = {};
  for (const file of chosen) {
    if (file.size > MAX_BYTES) {
      say(`Nothing was checked: ${file.name} is larger than any file that can be checked here.`);
      return;
    }
    sort(found, new Uint8Array(await file.arrayBuffer()));
  }
  await check(found);
}

/**
 * Takes up `#bundle=<base64url>`, `#evidence=<base64url>`, or `#entry=<base64url>&proof=<base64url>`. Browsers never
 * send a fragment.
 */
async function checkFragment() {
  /** @type {Chosen} */
  const found = {};
  for (const value of new URLSearchParams(location.hash.slice(1)).values()) {
    try {
      const binary = atob(value.replaceAll('-', '+').replaceAll('_', '/'));
      sort(found, Uint8Array.from(binary, (character) => character.charCodeAt(0)));
    } catch {
      say('Nothing was checked: what stands behind # in the address is not base64.');
      return;
    }
  }
  if (Object.keys(found).length > 0) await check(found);
}

/**
 * Tells by their first bytes what files are. The names of files say nothing.
 *
 * @param {Chosen} found
 * @param {Uint8Array} bytes
 */
function sort(found, bytes) {
  const start = String.fromCharCode(...bytes.subarray(0, 20));
  if (start.startsWith('c2sp.org/tlog-proof')) found.proof = bytes;
  else if (start.startsWith('{"checkpoints"')) found.evidence = bytes;
  else if (start.startsWith('{')) found.bundle = bytes;
  else found.entry = bytes;
}

/** @param {Chosen} found */
async function check({ bundle, evidence, proof, entry }) {
  report.replaceChildren();
  try {
    const policy = await parsePolicy(new TextEncoder().encode(policyText.value));
    if (bundle) await showBundle(bundle, policy);
    else if (evidence) await showEvidence(evidence, policy);
    else if (proof && entry) await showProof(entry, proof, policy);
    else say('Nothing was checked yet: choose a bundle, evidence, or an entry and its proof together.');
  } catch (error) {
    say(error instanceof Refused ? `The trust policy or the proof cannot be read: ${error.message}` : excuse(error));
  }
}

/**
 * @param {Uint8Array} bytes
 * @param {import('./verify/policy.mjs').Policy} policy
 */
async function showBundle(bytes, policy) {
  const { bundle, stages, lineage } = await checkBundle(bytes, policy);
  const verdict = summary(stages);
  say(sentence(verdict, lineage?.verdict), verdict);
  if (bundle) report.append(element('p', '', 'Execution ', element('code', '', bundle.execution)));
  report.append(stageList(stages));
  if (lineage) report.append(element('h3', '', 'What the steps come to'), findingList(lineage));
}

/**
 * @param {Uint8Array} bytes
 * @param {import('./verify/policy.mjs').Policy} policy
 */
async function showEvidence(bytes, policy) {
  let proven;
  try {
    proven = await checkEvidence(bytes, policy);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    say(`This file proves nothing: ${visible(error.message)}.`, 'fail');
    return;
  }
  const { against, log, code, shows, unless, witnesses } = proven;
  const whose = against === 'log' ? 'of the log' : 'of the log or of the issuer, not of which,';
  say(`This proves misbehaviour ${whose} ${visible(log)}.`, 'pass');
  const names = witnesses.join(', ');
  const both = `Both heads carry the cosignature of ${names}: a witness that keeps its rules signs one of them.`;
  const lines = [
    ...shows,
    ...(witnesses.length > 0 ? [both] : []),
    unless ? `It would be refuted by ${unless}.` : 'Nothing that the log could still show refutes it.',
  ];
  const list = element('ul', 'stages', ...lines.map((line) => element('li', '', visible(line))));
  list.dataset['proven'] = code;
  report.append(list);
}

/**
 * @param {Uint8Array} entry
 * @param {Uint8Array} proof
 * @param {import('./verify/policy.mjs').Policy} policy
 */
async function showProof(entry, proof, policy) {
  const found = await checkProof(entry, parseProof(proof), policy);
  const verdict = holds(found) ? 'pass' : 'fail';
  const words = verdict === 'pass' ? 'Your browser has computed that this entry is in the log.' : 'This does not hold.';
  say(words, verdict);
  report.append(element('p', '', 'Entry ', element('code', '', found.entry)), stageList(found.stages));
}

/**
 * @param {string} words
 * @param {'pass' | 'fail' | 'not_checked'} [verdict]
 */
function say(words, verdict) {
  find(document, '#result').removeAttribute('hidden');
  status.replaceChildren(...(verdict ? [chip(verdict), ' '] : []), words);
}
