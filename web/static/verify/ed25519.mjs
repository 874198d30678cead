// @ts-check
/**
 * Ed25519 (RFC 8032), verified strictly.
 *
 * WebCrypto does the signature itself. What implementations disagree about, points of small order and points with a
 * second spelling, is refused here before it is asked, so that every engine gives the same answer.
 *
 * @module
 */

import { CannotCheck, Refused, subtle } from './bytes.mjs';

const P = 2n ** 255n - 19n;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
/** The order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The y coordinate of two of the points of order 8; the other two have its negative. */
const EIGHTH = 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n;
/** The y coordinates of all eight points of small order, of which some share one. */
const SMALL_ORDER = new Set([0n, 1n, P - 1n, EIGHTH, P - EIGHTH]);

/**
 * Says whether 32 bytes are the canonical encoding of a point of the curve that is not of small order.
 *
 * @param {Uint8Array} bytes
 * @returns {boolean}
 */
function isStrictPoint(bytes) {
  const y = littleEndian(bytes) & (2n ** 255n - 1n);
  if (y >= P || SMALL_ORDER.has(y)) return false;
  // x^2 = u/v has a solution when u*v is a square; that v is never zero, the curve's d being no square ensures.
  const u = (y * y - 1n) % P;
  const v = (D * y * y + 1n) % P;
  return power(u * v, (P - 1n) / 2n) === 1n;
}

/**
 * Reads a public key that signatures can be judged by.
 *
 * @param {Uint8Array} bytes
 * @returns {Uint8Array} the same 32 bytes
 */
export function publicKey(bytes) {
  if (bytes.length !== 32) throw new Refused(`an Ed25519 public key has 32 bytes, this one has ${bytes.length}`);
  if (!isStrictPoint(bytes)) {
    throw new Refused('the 32 bytes are not the canonical encoding of a point, or one of small order');
  }
  return bytes;
}

/**
 * Says whether `signature` is one by `key`, taken up by {@link publicKey}, over exactly `message`.
 *
 * @param {Uint8Array} key
 * @param {Uint8Array} message
 * @param {Uint8Array} signature
 * @returns {Promise<boolean>}
 */
export async function verify(key, message, signature) {
  if (signature.length !== 64 || !isStrictPoint(signature.subarray(0, 32))) return false;
  if (littleEndian(signature.subarray(32)) >= L) return false;
  const imported = await importKey(key);
  return subtle().verify(
    'Ed25519',
    imported,
    /** @type {BufferSource} */ (signature),
    /** @type {BufferSource} */ (message),
  );
}

/**
 * @param {Uint8Array} key
 * @returns {Promise<CryptoKey>}
 */
async function importKey(key) {
  try {
    return await subtle().importKey('raw', /** @type {BufferSource} */ (key), 'Ed25519', false, ['verify']);
  } catch (error) {
    if (error instanceof CannotCheck) throw error;
    // The key is a sound one, so it is the algorithm that is missing.
    throw new CannotCheck('this browser has no Ed25519: Chrome 137, Firefox 129 and Safari 17 are the first that do');
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {bigint}
 */
function littleEndian(bytes) {
  let number = 0n;
  for (let at = bytes.length - 1; at >= 0; at -= 1) number = (number << 8n) | BigInt(bytes[at] ?? 0);
  return number;
}

/**
 * @param {bigint} base
 * @param {bigint} exponent
 * @returns {bigint} the power in the field
 */
function power(base, exponent) {
  let result = 1n;
  for (let square = ((base % P) + P) % P; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
