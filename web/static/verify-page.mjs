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

/**
 * What a check comes to: in words, and what stands below them.
 *
 * @typedef {{ words: string, verdict?: 'pass' | 'fail' | 'not_checked', parts?: Node[] }} Result
 */

const form = /** @type {HTMLFormElement} */ (find(document, '#choose'));
const files = /** @type {HTMLInputElement} */ (find(document, '#files'));
const policyText = /** @type {HTMLTextAreaElement} */ (find(document, '#policy'));
const policyFile = /** @type {HTMLInputElement} */ (find(document, '#policy-file'));
const status = find(document, '#status');
const report = find(document, '#report');

/** The number of the newest check, and of the newest policy. What comes of an earlier one is not shown any more. */
let newest = 0;
let newestPolicy = 0;

form.hidden = false;
form.addEventListener('submit', (event) => {
  event.preventDefault();
  void show(checkFiles([...(files.files ?? [])]));
});
files.addEventListener('change', () => void show(checkFiles([...(files.files ?? [])])));
policyFile.addEventListener('change', () => void takePolicy(policyFile.files?.[0]));
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  void show(checkFiles([...(event.dataTransfer?.files ?? [])]));
});
window.addEventListener('hashchange', () => takeFragment());
takeFragment();

/** @param {File | undefined} file */
async function takePolicy(file) {
  if (!file) return;
  newestPolicy += 1;
  const number = newestPolicy;
  const text = await file.text();
  if (number !== newestPolicy) return;
  policyText.value = text;
  find(document, '#whose').textContent = 'This is the trust policy from your own file.';
}

/**
 * Shows what a check comes to, all of it at once, unless another one has begun since.
 *
 * @param {Promise<Result>} check
 */
async function show(check) {
  newest += 1;
  const number = newest;
  report.replaceChildren();
  /** @type {Result} */
  let result;
  try {
    result = await check;
  } catch (error) {
    const unread = error instanceof Refused;
    result = { words: unread ? `The trust policy or the proof cannot be read: ${error.message}` : excuse(error) };
  }
  if (number !== newest) return;
  const { words, verdict, parts = [] } = result;
  find(document, '#result').removeAttribute('hidden');
  status.replaceChildren(...(verdict ? [chip(verdict), ' '] : []), words);
  report.replaceChildren(...parts);
}

/**
 * @param {File[]} chosen
 * @returns {Promise<Result>}
 */
async function checkFiles(chosen) {
  /** @type {Chosen} */
  const found = {};
  for (const file of chosen) {
    if (file.size > MAX_BYTES) {
      return { words: `Nothing was checked: ${file.name} is larger than any file that can be checked here.` };
    }
    sort(found, new Uint8Array(await file.arrayBuffer()));
  }
  return check(found);
}

/**
 * Takes up `#bundle=<base64url>`, `#evidence=<base64url>`, or `#entry=<base64url>&proof=<base64url>`. Browsers never
 * send a fragment.
 */
function takeFragment() {
  const values = [...new URLSearchParams(location.hash.slice(1)).values()];
  if (values.length > 0) void show(checkFragment(values));
}

/**
 * @param {string[]} values
 * @returns {Promise<Result>}
 */
async function checkFragment(values) {
  /** @type {Chosen} */
  const found = {};
  for (const value of values) {
    try {
      const binary = atob(value.replaceAll('-', '+').replaceAll('_', '/'));
      sort(found, Uint8Array.from(binary, (character) => character.charCodeAt(0)));
    } catch {
      return { words: 'Nothing was checked: what stands behind # in the address is not base64.' };
    }
  }
  return check(found);
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

/**
 * @param {Chosen} found
 * @returns {Promise<Result>}
 */
async function check({ bundle, evidence, proof, entry }) {
  const policy = await parsePolicy(new TextEncoder().encode(policyText.value));
  if (bundle) return ofBundle(bundle, policy);
  if (evidence) return ofEvidence(evidence, policy);
  if (proof && entry) return ofProof(entry, proof, policy);
  return { words: 'Nothing was checked yet: choose a bundle, evidence, or an entry and its proof together.' };
}

/**
 * @param {Uint8Array} bytes
 * @param {import('./verify/policy.mjs').Policy} policy
 * @returns {Promise<Result>}
 */
async function ofBundle(bytes, policy) {
  const { bundle, stages, lineage } = await checkBundle(bytes, policy);
  const verdict = summary(stages);
  const parts = [
    ...(bundle ? [element('p', '', 'Execution ', element('code', '', bundle.execution))] : []),
    stageList(stages),
    ...(lineage ? [element('h3', '', 'What the steps come to'), findingList(lineage)] : []),
  ];
  return { words: sentence(verdict, lineage?.verdict), verdict, parts };
}

/**
 * @param {Uint8Array} bytes
 * @param {import('./verify/policy.mjs').Policy} policy
 * @returns {Promise<Result>}
 */
async function ofEvidence(bytes, policy) {
  let proven;
  try {
    proven = await checkEvidence(bytes, policy);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { words: `This file proves nothing: ${visible(error.message)}.`, verdict: 'fail' };
  }
  const { against, log, code, shows, unless, witnesses } = proven;
  const whose = against === 'log' ? 'of the log' : 'of the log or of the issuer, not of which,';
  const names = witnesses.join(', ');
  const both = `Both heads carry the cosignature of ${names}: a witness that keeps its rules signs one of them.`;
  const lines = [
    ...shows,
    ...(witnesses.length > 0 ? [both] : []),
    unless ? `It would be refuted by ${unless}.` : 'Nothing that the log could still show refutes it.',
  ];
  const list = element('ul', 'stages', ...lines.map((line) => element('li', '', visible(line))));
  list.dataset['proven'] = code;
  return { words: `This proves misbehaviour ${whose} ${visible(log)}.`, verdict: 'pass', parts: [list] };
}

/**
 * @param {Uint8Array} entry
 * @param {Uint8Array} proof
 * @param {import('./verify/policy.mjs').Policy} policy
 * @returns {Promise<Result>}
 */
async function ofProof(entry, proof, policy) {
  const found = await checkProof(entry, parseProof(proof), policy);
  const verdict = holds(found) ? 'pass' : 'fail';
  const words = verdict === 'pass' ? 'Your browser has computed that this entry is in the log.' : 'This does not hold.';
  const parts = [element('p', '', 'Entry ', element('code', '', found.entry)), stageList(found.stages)];
  return { words, verdict, parts };
}
