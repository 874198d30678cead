// @ts-check
/**
 * Flipping a byte: whoever has seen a check fail knows what its success is worth.
 *
 * @module
 */

import { element, find } from './dom.mjs';

/** @typedef {import('./entry.mjs').Fetched} Fetched */

/**
 * Offers to change one bit of what was checked, and to check again. What was fetched stays as it is.
 *
 * @param {HTMLElement} section
 * @param {Fetched} fetched
 * @param {(changed: Fetched) => Promise<void>} check
 */
export function offerTampering(section, fetched, check) {
  section.querySelector('.tamper')?.remove();
  const where = /** @type {HTMLSelectElement} */ (element('select', ''));
  where.id = 'tamper';
  where.append(new Option('the entry', '0'));
  for (const at of fetched.proof.hashes.keys()) where.append(new Option(`hash ${at + 1} of the proof`, String(at + 1)));
  const label = /** @type {HTMLLabelElement} */ (element('label', '', 'See it fail: flip a byte in'));
  label.htmlFor = where.id;
  const flip = button('Flip a byte', () => check(tampered(fetched, Number(where.value))));
  const undo = button('As it was', () => check(fetched));
  find(section, '[data-report]').before(element('p', 'tamper', label, where, flip, undo));
}

/**
 * @param {string} text
 * @param {() => Promise<void>} act
 */
function button(text, act) {
  const made = /** @type {HTMLButtonElement} */ (element('button', '', text));
  made.type = 'button';
  made.addEventListener('click', () => void act());
  return made;
}

/**
 * @param {Fetched} fetched
 * @param {number} where 0 for the entry, else the number of a hash
 * @returns {Fetched}
 */
function tampered(fetched, where) {
  if (where === 0) return { ...fetched, entry: flipped(fetched.entry) };
  const hashes = fetched.proof.hashes.map((hash, at) => (at + 1 === where ? flipped(hash) : hash));
  return { ...fetched, proof: { ...fetched.proof, hashes } };
}

/**
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} a copy with one bit changed, in the middle
 */
function flipped(bytes) {
  const copy = bytes.slice();
  const at = copy.length >> 1;
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
