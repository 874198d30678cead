// @ts-check
/**
 * Building what pages show. Texts go in as texts, never as markup.
 *
 * @module
 */

/**
 * The words for what was found out, never mixed: `recorded` is what a server says, and no script writes that.
 *
 * @type {Readonly<Record<'pass' | 'fail' | 'not_checked', { look: string, words: string }>>}
 */
const VERDICTS = {
  pass: { look: 'ok', words: '\u2713 checked here' },
  fail: { look: 'failed', words: '\u2717 check failed' },
  not_checked: { look: 'unknown', words: '\u2013 not checked' },
};

/**
 * @param {string} tag
 * @param {string} look the class
 * @param {...(Node | string)} content
 * @returns {HTMLElement}
 */
export function element(tag, look, ...content) {
  const made = document.createElement(tag);
  if (look !== '') made.className = look;
  made.append(...content);
  return made;
}

/**
 * @param {'pass' | 'fail' | 'not_checked'} verdict
 * @returns {HTMLElement}
 */
export function chip(verdict) {
  const { look, words } = VERDICTS[verdict];
  return element('span', `chip ${look}`, words);
}

/**
 * Changes a chip that the server wrote.
 *
 * @param {Element | null} old
 * @param {'pass' | 'fail' | 'not_checked'} verdict
 */
export function replaceChip(old, verdict) {
  old?.replaceWith(chip(verdict));
}

/**
 * @template {Element} T
 * @param {ParentNode} within
 * @param {string} selector
 * @returns {T}
 */
export function find(within, selector) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`the page lacks ${selector}`);
  return /** @type {T} */ (found);
}

/**
 * A text with what cannot be seen, or changes the order of what can, written out.
 *
 * @param {string} text
 * @returns {string}
 */
export function visible(text) {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const number = character.codePointAt(0) ?? 0;
    return `[U+${number.toString(16).toUpperCase().padStart(4, '0')}]`;
  });
}

/**
 * Gets the bytes at an address of this site.
 *
 * @param {string} address
 * @returns {Promise<Uint8Array>}
 */
export async function get(address) {
  const answer = await fetch(address, { credentials: 'omit' });
  if (!answer.ok) throw new Error(`${address} could not be read: the server answered ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
