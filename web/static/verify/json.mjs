// @ts-check
/**
 * Strict JSON: what RFC 8785 (JCS) can carry without loss, in its one canonical form.
 *
 * `JSON.parse` keeps the last of two members of one name and rounds large numbers in silence, so it cannot be used on
 * what is signed.
 *
 * @module
 */

import { Refused, equal, fromUtf8, toUtf8 } from './bytes.mjs';

/**
 * A value, and so are the items and members in it. Objects are Maps, because the objects of JavaScript order some names
 * by themselves.
 *
 * @typedef {null | boolean | number | string | any[] | Map<string, any>} Json
 */

/** How deep arrays and objects may be nested. */
const MAX_DEPTH = 16;

/**
 * Reads an object that stands in its canonical form: no duplicate names, no number but exact integers, at most 16
 * levels.
 *
 * @param {Uint8Array} bytes
 * @returns {Map<string, Json>}
 */
export function readCanonicalObject(bytes) {
  const value = readJson(bytes, MAX_DEPTH);
  if (!(value instanceof Map)) throw malformed(0, 'one object');
  if (!equal(toUtf8(canonical(value)), bytes)) {
    throw new Refused('the JSON is not in RFC 8785 canonical form', 'json-not-canonical');
  }
  return value;
}

/**
 * Reads any JSON value with the same strictness, in any formatting.
 *
 * @param {Uint8Array} bytes
 * @param {number} depth
 * @returns {Json}
 */
export function readJson(bytes, depth) {
  const reader = new Reader(bytes);
  const value = reader.value('', depth);
  reader.end();
  return value;
}

/**
 * @param {Json} value with integers only
 * @returns {string} the RFC 8785 form
 */
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value instanceof Map) {
    // Names are in the order of their UTF-16 code units, which is the order that JavaScript has for texts.
    const names = [...value.keys()].sort();
    const members = names.map((name) => `${JSON.stringify(name)}:${canonical(value.get(name) ?? null)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}

/**
 * @param {string} pointer
 * @param {string | number} name
 * @returns {string} the JSON pointer (RFC 6901) to a member or item of what `pointer` points to
 */
export function within(pointer, name) {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

const ESCAPES = new Map([...'"\\/'].map((character) => [character, character]));
for (const [letter, character] of ['b\b', 'f\f', 'n\n', 'r\r', 't\t']) ESCAPES.set(letter ?? '', character ?? '');

const NUMBER = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/;
/** A leading zero, or a point or an exponent without digits. */
const BROKEN_NUMBER = /^-?(?:0[0-9]|[0-9]+\.(?![0-9])|[0-9]+(?:\.[0-9]+)?[eE](?![-+]?[0-9]))/;

/** Reads JSON from bytes, so that what is wrong first is found first. */
class Reader {
  #bytes;
  #at = 0;

  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  end() {
    this.#space();
    if (this.#at !== this.#bytes.length) throw malformed(this.#at, 'nothing more');
  }

  /**
   * @param {string} pointer
   * @param {number} depth how many levels are left
   * @returns {Json}
   */
  value(pointer, depth) {
    this.#space();
    switch (this.#peek()) {
      case '{':
        return this.#object(pointer, this.#descend(pointer, depth));
      case '[':
        return this.#array(pointer, this.#descend(pointer, depth));
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number(pointer);
    }
  }

  /**
   * @param {string} pointer
   * @param {number} depth
   */
  #descend(pointer, depth) {
    if (depth === 0) throw new Refused(`${pointer} is nested too deep`, 'json-too-deep', pointer);
    this.#at += 1;
    return depth - 1;
  }

  /**
   * @param {string} pointer
   * @param {number} depth
   */
  #object(pointer, depth) {
    /** @type {Map<string, Json>} */
    const members = new Map();
    while (!this.#closes('}', members.size > 0)) {
      if (this.#peek() !== '"') throw malformed(this.#at, 'the name of a member');
      const name = this.#string();
      this.#space();
      this.#expect(':');
      const value = this.value(within(pointer, name), depth);
      if (members.has(name)) {
        const twice = within(pointer, name);
        throw new Refused(`${twice} occurs twice`, 'json-duplicate-member', twice);
      }
      members.set(name, value);
    }
    return members;
  }

  /**
   * @param {string} pointer
   * @param {number} depth
   */
  #array(pointer, depth) {
    /** @type {Json[]} */
    const items = [];
    while (!this.#closes(']', items.length > 0)) items.push(this.value(within(pointer, items.length), depth));
    return items;
  }

  /**
   * Goes on to the next member or item, or past the end.
   *
   * @param {string} bracket
   * @param {boolean} hasBegun
   */
  #closes(bracket, hasBegun) {
    this.#space();
    if (this.#peek() === bracket) {
      this.#at += 1;
      return true;
    }
    if (hasBegun) {
      this.#expect(',');
      this.#space();
    }
    return false;
  }

  #string() {
    this.#at += 1;
    let text = '';
    for (;;) {
      const start = this.#at;
      while (this.#at < this.#bytes.length && !this.#endsRun()) this.#at += 1;
      const run = fromUtf8(this.#bytes.subarray(start, this.#at));
      if (run === undefined) throw malformed(start, 'UTF-8');
      text += run;
      const character = this.#peek();
      this.#at += 1;
      if (character === '"') return text;
      if (character !== '\\') throw malformed(this.#at - 1, 'the end of a text');
      text += this.#escape();
    }
  }

  /** Whether the next byte is a quotation mark, a backslash or a control character. */
  #endsRun() {
    const byte = this.#bytes[this.#at] ?? 0;
    return byte === 0x22 || byte === 0x5c || byte < 0x20;
  }

  #escape() {
    const letter = this.#peek() ?? '';
    this.#at += 1;
    const character = ESCAPES.get(letter);
    if (character !== undefined) return character;
    if (letter !== 'u') throw malformed(this.#at - 1, 'an escape that JSON has');
    const first = this.#codeUnit();
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    // A surrogate stands for something only with its other half.
    if (first > 0xdbff) throw malformed(this.#at, 'the first half of a surrogate pair');
    this.#expect('\\');
    this.#expect('u');
    const second = this.#codeUnit();
    if (second < 0xdc00 || second > 0xdfff) throw malformed(this.#at, 'the second half of a surrogate pair');
    return String.fromCharCode(first, second);
  }

  #codeUnit() {
    const digits = String.fromCharCode(...this.#bytes.subarray(this.#at, this.#at + 4));
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw malformed(this.#at, 'four hexadecimal digits');
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  /** @param {string} pointer */
  #number(pointer) {
    const start = this.#at;
    while (/[-+.0-9eE]/.test(this.#peek() ?? '')) this.#at += 1;
    const run = fromUtf8(this.#bytes.subarray(start, this.#at)) ?? '';
    const text = NUMBER.exec(run)?.[0];
    if (text === undefined || BROKEN_NUMBER.test(run) || !Number.isFinite(Number(text))) {
      throw malformed(start, 'a value');
    }
    this.#at = start + text.length;
    const number = Number(text);
    if (!/^-?[0-9]+$/.test(text) || !Number.isSafeInteger(number) || Object.is(number, -0)) {
      throw new Refused(`${pointer} is no integer from -(2^53-1) to 2^53-1`, 'json-number', pointer);
    }
    return number;
  }

  /**
   * @template {Json} T
   * @param {string} word
   * @param {T} value
   */
  #word(word, value) {
    for (const letter of word) this.#expect(letter);
    return value;
  }

  /** @param {string} character */
  #expect(character) {
    if (this.#peek() !== character) throw malformed(this.#at, character);
    this.#at += 1;
  }

  #space() {
    while (/[ \t\n\r]/.test(this.#peek() ?? '')) this.#at += 1;
  }

  #peek() {
    const byte = this.#bytes[this.#at];
    return byte === undefined ? undefined : String.fromCharCode(byte);
  }
}

/**
 * @param {number} at
 * @param {string} expected
 */
function malformed(at, expected) {
  return new Refused(`byte ${at} of the JSON is not as it has to be: expected ${expected}`, 'json-malformed');
}
