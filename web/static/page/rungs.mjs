// @ts-check
/**
 * The drawing of a proof and its table, filled in with the hashes that this browser computed.
 *
 * @module
 */

import { toHex } from '../verify/bytes.mjs';
import { chip, element } from './dom.mjs';

/**
 * Marks every step: it is what the server drew, or it is not. From the first that differs on, all do.
 *
 * @param {Uint8Array[]} way the hashes from the entry to the root
 * @param {bigint} size of the tree that they lead to the root of
 */
export function showWay(way, size) {
  const rows = [...document.querySelectorAll('[data-rung]')];
  const drawn = document.querySelector('[data-size]')?.getAttribute('data-size');
  // The drawing may be of an older tree than the newest head, which is what was checked.
  if (rows.length !== way.length || drawn !== String(size)) return;
  const nodes = [...document.querySelectorAll('.ladder .node')].reverse();
  for (const [at, row] of rows.entries()) {
    const cell = row.querySelector('[data-gives]');
    const computed = toHex(way[at] ?? new Uint8Array());
    const agrees = cell?.getAttribute('data-gives') === computed;
    cell?.querySelector('.computed')?.remove();
    cell?.append(
      element(
        'span',
        'computed',
        ...(agrees ? [] : ['computed here: ', element('code', 'hash', computed), ' ']),
        chip(agrees ? 'pass' : 'fail'),
      ),
    );
    row.setAttribute('data-verdict', agrees ? 'pass' : 'fail');
    nodes[at]?.classList.toggle('ok', agrees);
    nodes[at]?.classList.toggle('failed', !agrees);
  }
}
