// @ts-check
/**
 * Admission: the rules `countersign/1`, by which a log takes a statement in or refuses it.
 *
 * @module
 */

import { Refused, equal, toHex } from './bytes.mjs';
import { thumbprint } from './statement.mjs';
import { KIND_OF_ROLE, ROLES_OF_REFERENCES, SIGNERS } from './words.mjs';

/** @typedef {import('./statement.mjs').Statement} Statement */
/** @typedef {import('./words.mjs').Kind} Kind */

/** The issuer name of a log's operator, in every log. */
const OPERATOR = 'operator';

/**
 * @typedef {{ key: Uint8Array, roles: readonly string[], status: string }} Registration
 * @typedef {{ kind: Kind, execution?: string | undefined, verdict?: string }} Facts
 */

/** A log as the rules see it: what follows from the entries admitted so far, and from nothing else. */
export class LogState {
  /** How many entries the log has. */
  size = 0n;
  /** What is taken to be there, by its id: a bundle does not have everything that its entries name. */
  /** @type {Map<string, Facts>} */
  assumed = new Map();
  /** What is taken to be the registration of whoever is not known: evidence shows a few entries of a log. */
  /** @type {Registration | undefined} */
  assumedIssuer;
  /** @type {Map<string, Registration>} */
  #issuers = new Map();
  /** @type {Map<string, Facts>} */
  #entries = new Map();
  /** The authorizations that have their outcome. */
  #used = new Set();
  /** The executions that are closed. */
  #closed = new Set();

  /**
   * The key under which a statement's signature has to hold: the one registered for its `iss` and `kid`, or the one
   * that a genesis brings with it. That it may sign this statement, {@link LogState.admit} says.
   *
   * @param {Statement} statement
   * @returns {Uint8Array}
   */
  signingKey(statement) {
    return statement.kind === 'genesis' ? statement.payload.operator.public_key : this.#registration(statement).key;
  }

  /**
   * Admits a statement whose signature holds, or throws with the code of the refusal and changes nothing.
   *
   * @param {Statement} statement
   */
  async admit(statement) {
    await this.check(statement);
    await this.apply(statement);
    this.size += 1n;
  }

  /**
   * Throws with the code of the refusal when a statement may not be the next entry. Its signature is not looked at.
   *
   * @param {Statement} statement
   */
  async check(statement) {
    const { id, kind, references } = statement;
    if (this.#entries.has(id)) throw new Refused('the statement is in the log already', 'already-present');
    if (kind === 'genesis') {
      if (this.size > 0n) throw new Refused('the log has a genesis already', 'genesis-again');
      await checkFounder(statement);
    } else {
      if (this.size === 0n) throw new Refused('the log has no genesis yet', 'genesis-missing');
      this.#checkIssuer(statement);
      this.#checkOpen(statement);
      this.#checkReferences(statement);
      if (kind === 'issuer') await checkRegistration(statement);
    }
    if (kind === 'authorization') this.#checkPermit(references.get('decision'));
    const authorization = references.get('authorization');
    if (kind === 'outcome' && authorization !== undefined && this.#used.has(authorization)) {
      throw refused('outcome-again', 'the authorization has its outcome', 'authorization');
    }
  }

  /**
   * Takes up what an entry adds to the state. That it may be there, {@link LogState.check} says.
   *
   * @param {Statement} statement
   */
  async apply({ id, kind, execution, payload, references }) {
    if (kind === 'genesis') {
      const key = payload.operator.public_key;
      this.#issuers.set(issuer(OPERATOR, await thumbprint(key)), { key, roles: ['operator'], status: 'active' });
    } else if (kind === 'issuer') {
      const { name, public_key: key, roles, status } = payload;
      this.#issuers.set(issuer(name, await thumbprint(key)), { key, roles, status });
    }
    const authorization = references.get('authorization');
    if (kind === 'outcome' && authorization !== undefined) this.#used.add(authorization);
    if (kind === 'close') this.#closed.add(execution);
    this.#entries.set(id, { kind, execution, ...(kind === 'decision' && { verdict: payload.decision }) });
  }

  /**
   * @param {Statement} statement
   * @returns {Registration}
   */
  #registration({ claims, kid }) {
    const found = this.#issuers.get(issuer(claims.iss, kid)) ?? this.assumedIssuer;
    if (found) return found;
    throw new Refused(`${claims.iss} is not registered with the key ${toHex(kid)}`, 'issuer-not-registered');
  }

  /** @param {Statement} statement whose issuer has to be active and to hold a role for the kind */
  #checkIssuer(statement) {
    const { roles, status } = this.#registration(statement);
    const { iss } = statement.claims;
    if (status === 'revoked') throw new Refused(`the key of ${iss} was revoked`, 'issuer-revoked');
    if (!SIGNERS[statement.kind].some((role) => roles.includes(role))) {
      throw new Refused(`${iss} may not sign statements of kind ${statement.kind}`, 'role-missing');
    }
  }

  /** @param {Statement} statement nothing but enforcement follows a close */
  #checkOpen({ kind, execution }) {
    if (kind !== 'enforcement' && this.#closed.has(execution)) {
      throw new Refused(`the execution ${execution} is closed`, 'execution-closed');
    }
  }

  /** @param {Statement} statement whose references name earlier entries of the kind and the execution of their roles */
  #checkReferences({ references, execution }) {
    for (const role of ROLES_OF_REFERENCES.filter((known) => references.has(known))) {
      const id = references.get(role) ?? '';
      const named = this.#entries.get(id) ?? this.assumed.get(id);
      if (!named) throw refused('reference-unresolved', `${role} names no entry of the log`, role);
      const expected = KIND_OF_ROLE.get(role);
      if (expected !== undefined && named.kind !== expected) {
        throw refused('reference-kind', `${role} names an entry of kind ${named.kind}`, role);
      }
      if (execution !== undefined && role !== 'policy' && named.execution !== execution) {
        throw refused('reference-execution', `${role} names an entry of another execution`, role);
      }
    }
  }

  /** @param {string | undefined} decision the one that an authorization names, if it names one */
  #checkPermit(decision) {
    if (decision === undefined) return;
    const named = this.#entries.get(decision) ?? this.assumed.get(decision);
    if (named?.verdict !== 'permit') {
      throw refused('decision-denies', 'the decision denies', 'decision');
    }
  }
}

/** @param {Statement} statement a genesis, which is signed by the operator that it names */
async function checkFounder({ claims, kid, payload }) {
  if (claims.iss !== OPERATOR) throw new Refused('the genesis is not by the operator', 'genesis-not-by-operator');
  if (!equal(kid, await thumbprint(payload.operator.public_key))) {
    const pointer = '/operator/public_key';
    throw new Refused('the genesis is signed by another key than it names', 'genesis-not-by-operator', pointer);
  }
}

/** @param {Statement} statement a registration; a log never loses its last operator */
async function checkRegistration({ claims, kid, payload }) {
  const { name, public_key: key, roles, status } = payload;
  const operates = roles.includes('operator');
  if (operates && name !== OPERATOR) {
    throw new Refused(`the role operator is given to ${name}`, 'operator-name', '/roles');
  }
  const isOfItself = issuer(name, await thumbprint(key)) === issuer(claims.iss, kid);
  if (isOfItself && !(operates && status === 'active')) {
    throw new Refused('an operator takes its own role', 'operator-self', '/roles');
  }
}

/**
 * What issuers are registered by: a name and a key.
 *
 * @param {string} name without spaces
 * @param {Uint8Array} kid
 */
export function issuer(name, kid) {
  return `${name} ${toHex(kid)}`;
}

/**
 * @param {string} code
 * @param {string} message
 * @param {string} role of the reference at fault
 */
function refused(code, message, role) {
  return new Refused(message, code, `/refs/${role}`);
}
