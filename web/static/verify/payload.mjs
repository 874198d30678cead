// @ts-check
/**
 * Payloads: what each kind of statement says.
 *
 * @module
 */

import { Refused } from './bytes.mjs';
import { within } from './json.mjs';
import {
  anything,
  array,
  arrayThat,
  count,
  digest,
  entryId,
  executionId,
  freeForm,
  freeObject,
  integer,
  key,
  material,
  name,
  object,
  optional,
  origin,
  positive,
  required,
  root,
  text,
  texts,
  word,
} from './members.mjs';
import {
  DECISION_CODES,
  ENFORCEMENTS,
  ENGINES,
  MODES,
  OUTCOMES,
  REFERENCES,
  RESULTS,
  ROLES,
  RULES,
  STATUSES,
  VERDICTS,
  VERIFICATION_CODES,
} from './words.mjs';

/** @typedef {import('./json.mjs').Json} Json */
/** @typedef {import('./members.mjs').Field} Field */
/** @typedef {import('./words.mjs').Kind} Kind */

/**
 * The members of one kind, and what they have to be to each other and to the references.
 *
 * @typedef {{
 *   fields: Field[],
 *   check?: (read: Record<string, any>) => void,
 *   references?: (read: Record<string, any>) => string[],
 * }} Shape
 */

const entity = object([required('type', text), required('id', text), optional('properties', freeForm)]);
const action = object([required('name', text), optional('properties', freeForm)]);
const head = object([required('size', count), required('root', root)]);
const engine = object([required('name', text), required('sdk', text), required('language', text)]);
const roles = arrayThat(word(ROLES), 'roles, each at most once', (items) => new Set(items).size === items.length);
const policies = arrayThat(
  object([required('id', text), required('text', material(text))]),
  'one policy at least, no two with the same id',
  (items) => items.length > 0 && new Set(items.map(({ id }) => id)).size === items.length,
);

/** What is asked for and what is allowed are said in the same words. */
const request = [required('subject', entity), required('action', action), required('resource', entity)];

/** @type {Readonly<Record<Kind, Shape>>} */
const SHAPES = {
  genesis: {
    fields: [
      required('origin', origin),
      required('operator', object([required('public_key', key)])),
      required('rules', word(RULES)),
    ],
  },
  issuer: {
    fields: [
      required('name', name),
      required('public_key', key),
      required('roles', roles),
      required('status', word(STATUSES)),
      optional('note', text),
    ],
  },
  policy: {
    fields: [
      required('name', name),
      required('version', text),
      required('engine', word(ENGINES)),
      required('policies', policies),
      optional('schema', material(text)),
    ],
  },
  intent: { fields: [...request, optional('context', freeForm), optional('parent', executionId)] },
  decision: {
    fields: [
      required('decision', word(VERDICTS)),
      required('code', word(DECISION_CODES)),
      optional('reasons', texts),
      optional('errors', texts),
      optional('entities', material(array(anything))),
      optional('context', freeForm),
      optional('engine', engine),
    ],
    check: ({ decision, code }) => agree(decision === 'permit', code === 'permitted'),
    references: () => ['intent', 'policy'],
  },
  authorization: { fields: [...request, optional('action_digest', digest), optional('constraints', freeForm)] },
  verification: {
    fields: [
      required('result', word(RESULTS)),
      required('code', word(VERIFICATION_CODES)),
      required('mode', word(MODES)),
      optional('checkpoint', head),
      optional('runtime', freeForm),
    ],
    check: ({ result, code }) => agree(result === 'pass', code === 'ok'),
    references: ({ result }) => (result === 'pass' ? ['authorization'] : []),
  },
  outcome: {
    fields: [
      required('status', word(OUTCOMES)),
      optional('started_at', count),
      optional('finished_at', count),
      optional('exit_code', integer),
      optional('result_digest', digest),
      optional('details', freeForm),
    ],
    references: ({ status }) => (status === 'not_executed' ? [] : ['authorization']),
  },
  enforcement: {
    fields: [required('action', word(ENFORCEMENTS)), required('reason', text)],
    references: () => ['target'],
  },
  close: { fields: [required('entries', positive)] },
};

/**
 * What a statement says, and the earlier entries that it names, by role.
 *
 * @typedef {{ payload: Record<string, any>, references: Map<string, string> }} Said
 */

/**
 * Reads the payload of a statement of the given kind.
 *
 * @param {Kind} kind
 * @param {Map<string, Json>} members
 * @returns {Said}
 */
export function readPayload(kind, members) {
  const own = new Map(members);
  const references = readReferences(kind, own.get('refs'));
  own.delete('refs');
  const { fields, check, references: wanted } = SHAPES[kind];
  const read = object(fields, (payload) => {
    check?.(payload);
    for (const role of wanted?.(payload) ?? []) {
      const at = within('/refs', role);
      if (!references.has(role)) throw new Refused(`${at} is missing`, 'reference-missing', at);
    }
  });
  return { payload: read(own, ''), references };
}

/**
 * @param {Kind} kind
 * @param {Json | undefined} value
 * @returns {Map<string, string>}
 */
function readReferences(kind, value) {
  const references = new Map();
  for (const [role, entry] of value === undefined ? [] : freeObject(value, '/refs')) {
    const at = within('/refs', role);
    if (!REFERENCES[kind].includes(role)) {
      throw new Refused(`${at} is not a reference that this kind has`, 'reference-unknown', at);
    }
    references.set(role, entryId(entry, at));
  }
  return references;
}

/**
 * A permit has the code permitted and a pass the code ok, and no other decision or result has.
 *
 * @param {boolean} isGood
 * @param {boolean} hasGoodCode
 */
function agree(isGood, hasGoodCode) {
  if (isGood !== hasGoodCode) {
    throw new Refused('/code contradicts the rest', 'member-contradiction', '/code');
  }
}
