// @ts-check
/**
 * The button "Check in this browser" on the pages of entries, proofs and executions.
 *
 * The verifier itself is only fetched when somebody presses it.
 *
 * @module
 */

/** @type {NodeListOf<HTMLElement>} */
const sections = document.querySelectorAll('[data-entry], [data-bundle]');
for (const section of sections) {
  section.querySelector('[data-here]')?.removeAttribute('hidden');
  section.querySelector('[data-run]')?.addEventListener('click', () => void run(section));
}

/** @param {HTMLElement} section */
async function run(section) {
  if (section.dataset['bundle'] === undefined) await (await import('./page/entry.mjs')).checkEntry(section);
  else await (await import('./page/bundle.mjs')).checkExecution(section);
}
