// @ts-check
/**
 * Bytes, and the texts that stand for them: canonical forms only, so that every value has one spelling.
 *
 * @module
 */

/** What is not as it has to be. `code` and `pointer` are those of the problem documents, where there are any. */
export class Refused extends Error {
  /**
   * @param {string} message what was found and what was expected
   * @param {string} [code] the stable problem code
   * @param {string} [pointer] the JSON pointer (RFC 6901) of the member at fault
   */
  constructor(message, code, pointer) {
    super(message);
    this.name = 'Refused';
    this.code = code;
    this.pointer = pointer;
  }
}

/** This machine cannot compute what a check needs. It says nothing about what was to be checked. */
export class CannotCheck extends Error {
  /** @param {string} message what is missing */
  constructor(message) {
    super(message);
    this.name = 'CannotCheck';
  }
}

/** The largest tree that C2SP tooling can name, `2^63 - 1` entries. */
export const MAX_SIZE = 2n ** 63n - 1n;

/**
 * WebCrypto. Browsers have it on https and on localhost only.
 *
 * @returns {SubtleCrypto}
 */
export function subtle() {
  const found = globalThis.crypto?.subtle;
  if (!found) throw new CannotCheck('WebCrypto is missing: browsers have it on https and on localhost only');
  return found;
}

/**
 * @param {...Uint8Array} parts
 * @returns {Promise<Uint8Array>} the 32 bytes of SHA-256 over all parts in a row
 */
export async function sha256(...parts) {
  return new Uint8Array(await subtle().digest('SHA-256', /** @type {BufferSource} */ (concat(...parts))));
}

/**
 * @param {...Uint8Array} parts
 * @returns {Uint8Array}
 */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 * @returns {boolean}
 */
export function equal(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/**
 * @param {string} text
 * @returns {Uint8Array}
 */
export function toUtf8(text) {
  return new TextEncoder().encode(text);
}

/**
 * @param {Uint8Array} bytes
 * @returns {string | undefined} nothing when the bytes are not UTF-8
 */
export function fromUtf8(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/**
 * Reads the members of a JSON file and writes them down again: what differs from that is another encoding, or has
 * something else in it.
 *
 * @template T
 * @param {Uint8Array} bytes
 * @param {string} refusal what to say of a file that is none
 * @param {(value: any) => T | undefined} read the members in their order; nothing when they are others
 * @returns {T}
 */
export function readJson(bytes, refusal, read) {
  const text = fromUtf8(bytes);
  let value;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    throw new Refused(refusal);
  }
  const members = read(value ?? {});
  if (members === undefined || JSON.stringify(members) !== text) throw new Refused(refusal);
  return members;
}

/**
 * @param {string} text
 * @returns {boolean} whether it is one that UTF-8 can spell: JSON can escape half of a character
 */
export function isUnicode(text) {
  return fromUtf8(toUtf8(text)) === text;
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} lowercase hex
 */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {string} text
 * @param {number} length the bytes that there have to be
 * @returns {Uint8Array | undefined} nothing when the text is not lowercase hex of that length
 */
export function fromHex(text, length) {
  if (text.length !== 2 * length || !/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from({ length }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} standard base64 with padding
 */
export function toBase64(bytes) {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/**
 * @param {string} text
 * @returns {Uint8Array | undefined} nothing when the text is not the canonical standard base64 of any bytes
 */
export function fromBase64(text) {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  try {
    const binary = atob(text);
    // Bits that no byte uses have to be zero, or one value had several spellings.
    return btoa(binary) === text ? Uint8Array.from(binary, (byte) => byte.charCodeAt(0)) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} text
 * @returns {Uint8Array | undefined} nothing when the text is not the base64 of a hash
 */
export function hashFromBase64(text) {
  const bytes = text.length === 44 ? fromBase64(text) : undefined;
  return bytes?.length === 32 ? bytes : undefined;
}

/**
 * @param {string} text
 * @param {bigint} max the largest number that is read
 * @returns {bigint | undefined} nothing when the text is not ASCII decimal without sign or leading zeros
 */
export function fromDecimal(text, max) {
  if (!/^(?:0|[1-9][0-9]{0,19})$/.test(text)) return undefined;
  const number = BigInt(text);
  return number <= max ? number : undefined;
}
