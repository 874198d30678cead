// @ts-check
/**
 * Reading typed members out of strict JSON, with a pointer to whatever is wrong.
 *
 * A reader takes a value and the pointer to it, and gives the value or refuses it.
 *
 * @module
 */

import { Refused, fromBase64, fromHex, hashFromBase64, toUtf8 } from './bytes.mjs';
import { publicKey } from './ed25519.mjs';
import { within } from './json.mjs';
import { isKeyName } from './note.mjs';

/** @typedef {import('./json.mjs').Json} Json */

/**
 * @template T
 * @typedef {(value: Json, pointer: string) => T} Reader
 */

/**
 * A member of an object, required unless it says otherwise.
 *
 * @typedef {{ name: string, read: Reader<any>, optional: boolean }} Field
 */

/** The largest integer that every JSON reader keeps exact. */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER;
/** The longest name, in bytes. */
const MAX_NAME = 128;

/**
 * @param {string} pointer
 * @param {string} expected
 */
function invalid(pointer, expected) {
  return new Refused(`${pointer} is not what it has to be: expected ${expected}`, 'member-invalid', pointer);
}

/**
 * @template T
 * @param {string} expected
 * @param {(value: Json) => T | undefined} accept gives nothing for what it does not accept
 * @returns {Reader<T>}
 */
function reader(expected, accept) {
  return (value, pointer) => {
    const accepted = accept(value);
    if (accepted === undefined) throw invalid(pointer, expected);
    return accepted;
  };
}

/**
 * @param {string} name
 * @param {Reader<any>} read
 * @returns {Field}
 */
export function required(name, read) {
  return { name, read, optional: false };
}

/**
 * @param {string} name
 * @param {Reader<any>} read
 * @returns {Field} a member that may be absent; null is not absence
 */
export function optional(name, read) {
  return { name, read, optional: true };
}

/**
 * An object with these members and no others, read in this order.
 *
 * @param {Field[]} fields
 * @param {(read: Record<string, any>, pointer: string) => void} [check] what the members have to be to each other
 * @returns {Reader<Record<string, any>>}
 */
export function object(fields, check) {
  return (value, pointer) => {
    const members = freeObject(value, pointer);
    /** @type {Record<string, any>} */
    const read = {};
    for (const { name, read: readMember, optional: mayBeAbsent } of fields) {
      const at = within(pointer, name);
      const member = members.get(name);
      if (member !== undefined) read[name] = readMember(member, at);
      else if (!mayBeAbsent) throw new Refused(`${at} is missing`, 'member-missing', at);
    }
    check?.(read, pointer);
    const known = new Set(fields.map(({ name }) => name));
    const unknown = [...members.keys()].find((name) => !known.has(name));
    if (unknown !== undefined) {
      const at = within(pointer, unknown);
      throw new Refused(`${at} is not a known member`, 'member-unknown', at);
    }
    return read;
  };
}

/** An object of any members. */
export const freeObject = reader('an object', (value) => (value instanceof Map ? value : undefined));

/** Any JSON value. */
export const anything = /** @type {Reader<Json>} */ ((value) => value);

/** A text that is not empty. */
export const text = reader('a text that is not empty', (value) =>
  typeof value === 'string' && value !== '' ? value : undefined,
);

/** An exact integer. */
export const integer = reader('an integer', (value) => (typeof value === 'number' ? value : undefined));

/** Seconds since 1970, or any other count. */
export const count = reader('an integer from 0 to 2^53-1', (value) =>
  typeof value === 'number' && value >= 0 ? value : undefined,
);

/** An integer above 0. */
export const positive = reader('a positive integer', (value) =>
  typeof value === 'number' && value > 0 ? value : undefined,
);

/** A root as in a checkpoint. */
export const root = reader('a root as in a checkpoint, the standard base64 of 32 bytes', (value) =>
  typeof value === 'string' && hashFromBase64(value) ? value : undefined,
);

const hex32 = reader('64 lowercase hex digits', (value) =>
  typeof value === 'string' && fromHex(value, 32) ? value : undefined,
);

/** An entry id. */
export const entryId = hex32;

/** A digest, `{"sha256": "<64 lowercase hex digits>"}`. */
export const digest = object([required('sha256', hex32)]);

/** An Ed25519 public key in base64. */
export const key = reader('the base64 of an Ed25519 public key, canonical and not of small order', (value) => {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  try {
    return bytes && publicKey(bytes);
  } catch {
    return undefined;
  }
});

/** A name of an issuer or a policy. */
export const name = reader('1 to 128 visible ASCII characters', (value) =>
  typeof value === 'string' && isName(value) ? value : undefined,
);

/** The id of an execution. */
export const executionId = reader('1 to 128 characters of A-Z a-z 0-9 . _ : / -', (value) =>
  typeof value === 'string' && isExecutionId(value) ? value : undefined,
);

/** The origin of a log. */
export const origin = reader('a log\'s origin: 1 to 255 bytes without white space and plus signs', (value) =>
  typeof value === 'string' && isOrigin(value) ? value : undefined,
);

/** @param {string} value */
export function isName(value) {
  return value.length <= MAX_NAME && /^[!-~]+$/.test(value);
}

/** @param {string} value */
export function isExecutionId(value) {
  return value.length <= MAX_NAME && /^[A-Za-z0-9._:/-]+$/.test(value);
}

/**
 * An origin is the first line of checkpoints and also the name of the log's key, so it has to be good as both.
 *
 * @param {string} value
 */
export function isOrigin(value) {
  return isKeyName(value) && toUtf8(value).length <= 255 && !Array.from(value).some((character) => character < ' ');
}

/**
 * One of a closed list of words.
 *
 * @param {readonly string[]} list
 */
export function word(list) {
  return reader(`one of ${list.join(', ')}`, (value) =>
    typeof value === 'string' && list.includes(value) ? value : undefined,
  );
}

/**
 * @template T
 * @param {Reader<T>} read one item
 * @returns {Reader<T[]>}
 */
export function array(read) {
  return (value, pointer) => {
    if (!Array.isArray(value)) throw invalid(pointer, 'an array');
    return value.map((item, at) => read(item, within(pointer, at)));
  };
}

/**
 * An array whose items, once each has been read, are what `accept` wants.
 *
 * @template T
 * @param {Reader<T>} read one item
 * @param {string} expected
 * @param {(items: T[]) => boolean} accept
 * @returns {Reader<T[]>}
 */
export function arrayThat(read, expected, accept) {
  const readAll = array(read);
  return (value, pointer) => {
    const items = readAll(value, pointer);
    if (!accept(items)) throw invalid(pointer, expected);
    return items;
  };
}

/** Texts in ascending order by code point, each once: a set has one spelling only. */
export const texts = arrayThat(text, 'texts in ascending order, each once', (items) =>
  items.every((item, at) => at === 0 || isBelow(items[at - 1] ?? '', item)),
);

/**
 * @param {string} left
 * @param {string} right
 * @returns {boolean} whether left comes first in the order of code points, which is that of the bytes of UTF-8
 */
function isBelow(left, right) {
  const [first, second] = [toUtf8(left), toUtf8(right)];
  const at = first.findIndex((byte, position) => byte !== second[position]);
  return at < 0 ? first.length < second.length : (first[at] ?? 0) < (second[at] ?? -1);
}

/**
 * A value, or its SHA-256 in its place when it is private or large: `{ disclosed }` or `{ withheld }`.
 *
 * @template T
 * @param {Reader<T>} read
 * @returns {Reader<{ disclosed: T } | { withheld: string }>}
 */
export function material(read) {
  return (value, pointer) => {
    const isDigest = value instanceof Map && value.size === 1 && value.has('sha256');
    return isDigest ? { withheld: digest(value, pointer).sha256 } : { disclosed: read(value, pointer) };
  };
}

/** A free-form object, or its digest. */
export const freeForm = material(freeObject);
