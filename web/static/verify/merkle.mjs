// @ts-check
/**
 * The Merkle tree of RFC 6962 section 2.1, with SHA-256.
 *
 * Proofs are checked by the definitions of the paths themselves, walked from the root down, and not by the climbing
 * algorithms of RFC 9162: a second way to the same answer. Positions and sizes are BigInt, because the shifts of
 * JavaScript numbers are of 32 bits.
 *
 * @module
 */

import { MAX_SIZE, Refused, concat, equal, sha256, toHex } from './bytes.mjs';

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/**
 * @param {Uint8Array} entry
 * @returns {Promise<Uint8Array>} the hash of an entry; in hex it is the entry id
 */
export function leafHash(entry) {
  return sha256(LEAF, entry);
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 * @returns {Promise<Uint8Array>}
 */
export function parentHash(left, right) {
  return sha256(NODE, left, right);
}

/**
 * @returns {Promise<Uint8Array>} the root of the empty tree
 */
export function emptyRoot() {
  return sha256();
}

/**
 * One step of a path: on which side the hash of the proof stands, and which entries it covers.
 *
 * @typedef {{ side: 'left' | 'right', from: bigint, to: bigint }} Step
 */

/**
 * The steps of the path from an entry to the root, the lowest first (RFC 6962 section 2.1.1).
 *
 * @param {bigint} index
 * @param {bigint} size
 * @returns {Step[]}
 */
export function inclusionSteps(index, size) {
  if (index < 0n || index >= size || size > MAX_SIZE) {
    throw new Refused(`index ${index} is outside a tree of ${size} entries`);
  }
  /** @type {Step[]} */
  const steps = [];
  let [from, to] = [0n, size];
  while (to - from > 1n) {
    const middle = from + split(to - from);
    if (index < middle) {
      steps.push({ side: 'right', from: middle, to });
      to = middle;
    } else {
      steps.push({ side: 'left', from, to: middle });
      from = middle;
    }
  }
  return steps.reverse();
}

/**
 * The hashes on the way from a leaf to the root, the leaf first and the root last.
 *
 * @param {Uint8Array} leaf
 * @param {bigint} index
 * @param {bigint} size
 * @param {Uint8Array[]} proof
 * @returns {Promise<Uint8Array[]>}
 */
export async function climb(leaf, index, size, proof) {
  const steps = inclusionSteps(index, size);
  if (steps.length !== proof.length) throw wrongLength(proof.length);
  const way = [leaf];
  let own = leaf;
  for (const [at, sibling] of proof.entries()) {
    own = steps[at]?.side === 'left' ? await parentHash(sibling, own) : await parentHash(own, sibling);
    way.push(own);
  }
  return way;
}

/**
 * Shows that the tree with `root` has the entry with hash `leaf` at `index`, or throws.
 *
 * That anybody signed `root`, it does not show.
 *
 * @param {Uint8Array} leaf
 * @param {bigint} index
 * @param {bigint} size
 * @param {Uint8Array[]} proof
 * @param {Uint8Array} root
 */
export async function verifyInclusion(leaf, index, size, proof, root) {
  const way = await climb(leaf, index, size, proof);
  expectRoot(way.at(-1) ?? leaf, root);
}

/**
 * Shows that the tree of `to` entries begins with the tree of `from` entries (RFC 6962 section 2.1.2), or throws.
 *
 * @param {bigint} from
 * @param {Uint8Array} fromRoot
 * @param {bigint} to
 * @param {Uint8Array} toRoot
 * @param {Uint8Array[]} proof
 */
export async function verifyConsistency(from, fromRoot, to, toRoot, proof) {
  if (from < 0n || from > to || to > MAX_SIZE) throw new Refused(`a tree of ${from} entries cannot grow into ${to}`);
  if (from === 0n) {
    if (proof.length !== 0) throw wrongLength(proof.length);
    const empty = await emptyRoot();
    expectRoot(fromRoot, empty);
    if (to === 0n) expectRoot(toRoot, empty);
    return;
  }
  const left = proof[Symbol.iterator]();
  const next = () => {
    const { done, value } = left.next();
    if (done) throw wrongLength(proof.length);
    return value;
  };
  /**
   * SUBPROOF of RFC 6962: what the hashes make of the older and of the newer tree.
   *
   * @param {bigint} m
   * @param {bigint} n
   * @param {boolean} isWhole whether the older tree ends here and its hash is known
   * @returns {Promise<[Uint8Array, Uint8Array]>}
   */
  const walk = async (m, n, isWhole) => {
    if (m === n) {
      const hash = isWhole ? fromRoot : next();
      return [hash, hash];
    }
    const k = split(n);
    if (m <= k) {
      const [older, newer] = await walk(m, k, isWhole);
      return [older, await parentHash(newer, next())];
    }
    const [older, newer] = await walk(m - k, n - k, false);
    const sibling = next();
    return [await parentHash(sibling, older), await parentHash(sibling, newer)];
  };
  const [older, newer] = await walk(from, to, true);
  if (!left.next().done) throw wrongLength(proof.length);
  expectRoot(older, fromRoot);
  expectRoot(newer, toRoot);
}

/**
 * Shows that the tree with `root` has all of `leaves` at their places, by one proof for all of them, or throws.
 *
 * The proof has, layer by layer from the leaves up and from the left to the right, the hashes that the leaves do not
 * give; a node without a sibling is taken up as it is. So the number of hashes follows from the places.
 *
 * @param {{ index: bigint, hash: Uint8Array }[]} leaves by ascending index, at least one
 * @param {bigint} size
 * @param {Uint8Array[]} proof
 * @param {Uint8Array} root
 */
export async function verifyMultiproof(leaves, size, proof, root) {
  if (leaves.length === 0 || size > MAX_SIZE) throw new Refused('a proof is about one entry or more');
  for (const [at, { index }] of leaves.entries()) {
    const before = leaves[at - 1]?.index ?? -1n;
    if (index <= before || index >= size) {
      throw new Refused(`index ${index} is not ascending inside a tree of ${size} entries`);
    }
  }
  let [layer, width, used] = [leaves, size, 0];
  while (width > 1n) {
    /** @type {{ index: bigint, hash: Uint8Array }[]} */
    const above = [];
    for (let at = 0; at < layer.length; at += 1) {
      const { index, hash } = /** @type {{ index: bigint, hash: Uint8Array }} */ (layer[at]);
      const other = index ^ 1n;
      let sibling;
      if (layer[at + 1]?.index === other) {
        at += 1;
        sibling = layer[at]?.hash;
      } else if (other < width) {
        sibling = proof[used];
        used += 1;
        if (!sibling) throw wrongLength(proof.length);
      }
      const joined = !sibling ? hash : await (index < other ? parentHash(hash, sibling) : parentHash(sibling, hash));
      above.push({ index: index >> 1n, hash: joined });
    }
    [layer, width] = [above, (width + 1n) >> 1n];
  }
  if (used !== proof.length) throw wrongLength(proof.length);
  expectRoot(layer[0]?.hash ?? concat(), root);
}

/**
 * How many hashes the proof of several entries has.
 *
 * @param {bigint[]} indices
 * @param {bigint} size
 * @returns {number}
 */
export function multiproofLength(indices, size) {
  let [layer, count] = [new Set(indices), 0];
  for (let width = size; width > 1n; width = (width + 1n) >> 1n) {
    for (const index of layer) {
      const other = index ^ 1n;
      if (!layer.has(other) && other < width) count += 1;
    }
    layer = new Set(Array.from(layer, (index) => index >> 1n));
  }
  return count;
}

/**
 * @param {bigint} size at least 2
 * @returns {bigint} the largest power of two below it
 */
function split(size) {
  let power = 1n;
  while (power * 2n < size) power *= 2n;
  return power;
}

/** @param {number} got */
function wrongLength(got) {
  return new Refused(`a proof of ${got} hashes does not fit; this place in this tree takes another number`);
}

/**
 * @param {Uint8Array} computed
 * @param {Uint8Array} expected
 */
function expectRoot(computed, expected) {
  if (!equal(computed, expected)) {
    throw new Refused(`the proof leads to ${toHex(computed)}, not to ${toHex(expected)}`);
  }
}
