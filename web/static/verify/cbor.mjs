// @ts-check
/**
 * CBOR (RFC 8949), as much of it as a statement has, and whether it stood in its deterministic encoding (4.2.1).
 *
 * Reading goes on after an encoding that is not deterministic, so that what is wrong besides can be told apart; whoever
 * reads has to look at {@link CborReader.isDeterministic} in the end. The order of map keys it does not judge.
 *
 * @module
 */

import { Refused, concat, fromUtf8, toUtf8 } from './bytes.mjs';

/**
 * @typedef {{ type: 'integer', value: bigint }
 *   | { type: 'bytes', value: Uint8Array }
 *   | { type: 'text', value: string }
 *   | { type: 'array', items: Cbor[] }
 *   | { type: 'map', entries: [Cbor, Cbor][] }
 *   | { type: 'tag', number: bigint, content: Cbor }
 *   | { type: 'other' }} Cbor
 */

/** How deep values may be nested. */
const MAX_DEPTH = 8;
const INDEFINITE = 31;

/** Reads CBOR values one after the other. */
export class CborReader {
  /** @type {Uint8Array} */
  #bytes;
  #at = 0;
  #what;

  /**
   * @param {Uint8Array} bytes
   * @param {string} what it is, for messages
   */
  constructor(bytes, what) {
    this.#bytes = bytes;
    this.#what = what;
    /** Whether all lengths were definite and all heads as short as can be, so far. */
    this.isDeterministic = true;
  }

  /**
   * Reads the one value that the bytes are.
   *
   * @returns {Cbor}
   */
  readAll() {
    const value = this.#value(MAX_DEPTH);
    if (this.#at !== this.#bytes.length) throw this.#malformed('no bytes after its end');
    return value;
  }

  /**
   * @param {number} depth how many levels are left
   * @returns {Cbor}
   */
  #value(depth) {
    if (depth === 0) throw this.#malformed('fewer levels');
    const { major, argument } = this.#head();
    switch (major) {
      case 0:
        return { type: 'integer', value: this.#number(argument) };
      case 1:
        return { type: 'integer', value: -1n - this.#number(argument) };
      case 2:
        return { type: 'bytes', value: this.#string(2, argument) };
      case 3: {
        const value = fromUtf8(this.#string(3, argument));
        if (value === undefined) throw this.#malformed('texts in UTF-8');
        return { type: 'text', value };
      }
      case 4: {
        const items = this.#items(argument, () => this.#value(depth - 1));
        return { type: 'array', items };
      }
      case 5: {
        /** @type {() => [Cbor, Cbor]} */
        const entry = () => [this.#value(depth - 1), this.#value(depth - 1)];
        return { type: 'map', entries: this.#items(argument, entry) };
      }
      case 6:
        return this.#tagged(this.#number(argument), this.#value(depth - 1));
      default:
        return { type: 'other' };
    }
  }

  /**
   * A value under a tag. Numbers that would fit a head have a second spelling as byte strings under the tags 2 and 3.
   *
   * @param {bigint} number
   * @param {Cbor} content
   * @returns {Cbor}
   */
  #tagged(number, content) {
    if ((number !== 2n && number !== 3n) || content.type !== 'bytes') return { type: 'tag', number, content };
    this.isDeterministic = false;
    const value = content.value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    return { type: 'integer', value: number === 2n ? value : -1n - value };
  }

  /**
   * @returns {{ major: number, argument: bigint | undefined }} no argument stands for an indefinite length
   */
  #head() {
    const [initial = 0] = this.#take(1n);
    const [major, info] = [initial >> 5, initial & 0x1f];
    if (major === 7) {
      // Of the simple values four are known; the rest of this type are floating-point numbers of 2, 4 and 8 bytes.
      if (![20, 21, 22, 23, 25, 26, 27].includes(info)) throw this.#malformed('known simple values');
      this.#take(info < 24 ? 0n : 1n << BigInt(info - 24));
      return { major, argument: 0n };
    }
    if (info < 24) return { major, argument: BigInt(info) };
    if (info === INDEFINITE) return { major, argument: undefined };
    if (info > 27) throw this.#malformed('heads that RFC 8949 defines');
    const width = 1n << BigInt(info - 24);
    const argument = this.#take(width).reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
    // The head was too long when a shorter one could have carried the argument.
    if (argument < (info === 24 ? 24n : 1n << (width * 4n))) this.isDeterministic = false;
    return { major, argument };
  }

  /**
   * @param {bigint | undefined} argument
   * @returns {bigint}
   */
  #number(argument) {
    if (argument === undefined) throw this.#malformed('numbers of a definite length');
    return argument;
  }

  /**
   * @param {number} kind the major type, which the parts of an indefinite string have as well
   * @param {bigint | undefined} length
   * @returns {Uint8Array}
   */
  #string(kind, length) {
    if (length !== undefined) return this.#take(length);
    const parts = this.#items(undefined, () => {
      const { major, argument } = this.#head();
      if (major !== kind) throw this.#malformed('strings made of strings');
      return this.#take(this.#number(argument));
    });
    return concat(...parts);
  }

  /**
   * @template T
   * @param {bigint | undefined} count
   * @param {() => T} read
   * @returns {T[]}
   */
  #items(count, read) {
    const items = [];
    if (count === undefined) {
      this.isDeterministic = false;
      while (this.#bytes[this.#at] !== 0xff) items.push(read());
      this.#at += 1;
    } else {
      // Every item takes a byte at least, so a false count ends with the bytes.
      for (let left = count; left > 0n; left -= 1n) items.push(read());
    }
    return items;
  }

  /**
   * @param {bigint} count
   * @returns {Uint8Array}
   */
  #take(count) {
    if (count > BigInt(this.#bytes.length - this.#at)) throw this.#malformed('no end before its end');
    const start = this.#at;
    this.#at += Number(count);
    return this.#bytes.subarray(start, this.#at);
  }

  /** @param {string} expected */
  #malformed(expected) {
    return new Refused(`the ${this.#what} is not CBOR as a statement has it: expected ${expected}`, 'cose-malformed');
  }
}

/**
 * The bytes that are signed (RFC 9052 section 4.4): `["Signature1", protected, h'', payload]`.
 *
 * @param {Uint8Array} header the protected header
 * @param {Uint8Array} payload
 * @returns {Uint8Array}
 */
export function sigStructure(header, payload) {
  const context = toUtf8('Signature1');
  const start = Uint8Array.of(0x84, 0x60 + context.length);
  return concat(start, context, byteString(header), Uint8Array.of(0x40), byteString(payload));
}

/**
 * @param {Uint8Array} bytes fewer than 65,536
 * @returns {Uint8Array} a byte string in deterministic CBOR
 */
function byteString(bytes) {
  const { length } = bytes;
  if (length < 24) return concat(Uint8Array.of(0x40 + length), bytes);
  if (length < 256) return concat(Uint8Array.of(0x58, length), bytes);
  return concat(Uint8Array.of(0x59, length >> 8, length & 0xff), bytes);
}
