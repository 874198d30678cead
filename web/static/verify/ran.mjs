// @ts-check
/**
 * The lineage rules for an outcome that says that something ran, in the letters of `docs/LINEAGE.md`: the outcome O,
 * the authorization A, the verification V, the decision D and the intent I.
 *
 * @module
 */

import { canonical } from './json.mjs';

/** @typedef {import('./lineage.mjs').Step} Step */
/** @typedef {import('./lineage.mjs').Lineage} Lineage */

/** By how many seconds the clocks of two issuers may differ. */
const CLOCKS_MAY_DIFFER = 300;

/** An outcome that says that something ran, with the steps that it stands on. */
export class Ran {
  /**
   * @param {Lineage} lineage
   * @param {Step} outcome
   * @param {import('./findings.mjs').Findings} findings
   */
  constructor(lineage, outcome, findings) {
    this.lineage = lineage;
    this.findings = findings;
    this.outcome = outcome;
    /** The id of the authorization that O names, whether or not it resolves. */
    this.named = refer(outcome, 'authorization');
    this.authorization = lineage.earlier(outcome, 'authorization');
    this.decision = lineage.earlier(this.authorization, 'decision');
    this.intent = lineage.earlier(this.authorization, 'intent') ?? lineage.earlier(this.decision, 'intent');
    this.verification =
      refer(outcome, 'verification') !== undefined
        ? lineage.earlier(outcome, 'verification')
        : lineage.last('verification', outcome, (step) => refer(step, 'authorization') === this.named);
  }

  /** Applies all rules. */
  check() {
    this.#checkVerified();
    if (this.authorization) {
      this.#checkDecided(this.authorization);
      this.#checkFit(this.authorization);
    } else {
      this.#tell('outcome_without_authorization');
    }
    this.#checkTimes();
    this.#checkMeasures();
    if (this.outcome.statement.payload.status === 'unknown') this.#tell('outcome_unknown');
  }

  /** @param {string} code */
  #tell(code) {
    this.findings.add(code, this.outcome.index);
  }

  /** It was verified, the last word before it ran was a pass, and a pass says which head the enforcer waited for. */
  #checkVerified() {
    const lastWord = this.lineage.last('verification', this.outcome, (step) =>
      [this.named, undefined].includes(refer(step, 'authorization')),
    );
    if (fails(this.verification) || fails(lastWord)) this.#tell('executed_after_failed_verification');
    if (!this.verification) {
      this.#tell('outcome_without_verification');
      return;
    }
    const { index, statement } = this.verification;
    const { mode, result, checkpoint } = statement.payload;
    const verified = refer(this.verification, 'authorization');
    if (verified !== undefined && verified !== this.named) this.#tell('verification_of_another_authorization');
    if (checkpoint && BigInt(checkpoint.size) > index) this.#tell('head_after_verification');
    if (result !== 'pass') return;
    if (mode === 'async') this.#tell('verified_without_waiting');
    if (mode === 'sequenced') this.#tell('quorum_not_awaited');
    if (!checkpoint && mode !== 'async') this.#tell('head_not_named');
    if (checkpoint && this.authorization && BigInt(checkpoint.size) <= this.authorization.index) {
      this.#tell('head_without_authorization');
    }
  }

  /**
   * The authorization stands on a permit, and no denial came after that.
   *
   * @param {Step} authorization
   */
  #checkDecided(authorization) {
    const decided = refer(authorization, 'decision');
    if (decided === undefined) this.#tell('decision_missing');
    if (this.decision?.statement.payload.decision === 'deny') this.#tell('decision_denies');
    const asked = refer(authorization, 'intent') ?? refer(this.decision, 'intent');
    const last = this.lineage.last(
      'decision',
      authorization,
      (step) => asked === undefined || refer(step, 'intent') === asked,
    );
    if (last?.statement.payload.decision === 'deny' && last !== this.decision) this.#tell('executed_after_denial');
    const named = refer(this.outcome, 'decision');
    if (named !== undefined && decided !== undefined && named !== decided) this.#tell('decision_mismatch');
  }

  /**
   * One policy, one intent, one action, one enforcer.
   *
   * @param {Step} authorization
   */
  #checkFit(authorization) {
    const policies = named('policy', authorization, this.decision);
    if (policies.size === 0) this.#tell('policy_missing');
    if (policies.size > 1) this.#tell('policy_mismatch');
    const intents = named('intent', authorization, this.decision, this.verification, this.outcome);
    if (intents.size > 1) this.#tell('intent_mismatch');
    if (!this.intent) this.#tell('intent_missing');
    else if (!isSameRequest(this.intent.statement.payload, authorization.statement.payload)) {
      this.#tell('action_mismatch');
    }
    const { aud } = authorization.statement.claims;
    const enforcers = [this.verification, this.outcome].filter((step) => step !== undefined);
    if (enforcers.some((step) => step.statement.claims.iss !== aud)) this.#tell('audience_mismatch');
  }

  /** The times claimed fit the window of the authorization and the order of the steps. */
  #checkTimes() {
    const { started_at: started, finished_at: finished } = this.outcome.statement.payload;
    const passed = this.verification && !fails(this.verification) ? this.verification : undefined;
    const verified = passed?.statement.claims.iat;
    const { nbf = 0, exp = Infinity, iat = 0 } = this.authorization?.statement.claims ?? {};
    if ([started, verified].some((time) => time < nbf || time > exp)) this.#tell('outside_window');
    if (started === undefined) {
      this.#tell('started_at_missing');
      return;
    }
    if (verified !== undefined && started < verified) this.#tell('started_before_verification');
    if (iat - started > CLOCKS_MAY_DIFFER) this.#tell('started_before_authorization');
    else if (iat > started) this.#tell('clocks_disagree');
    if (finished < started) this.#tell('finished_before_start');
  }

  /** Nothing that it stands on had been taken away. */
  #checkMeasures() {
    const steps = [this.authorization, this.decision, this.intent, this.verification];
    /** @param {Step} at */
    const isStopped = (at) =>
      steps.some((step) => {
        const standing = step && this.lineage.measures(step.statement.id, at.index);
        return standing?.has('revoke') || standing?.has('halt');
      });
    if (isStopped(this.verification ?? this.outcome)) this.#tell('revoked_before_execution');
    else if (isStopped(this.outcome)) this.#tell('revoked_before_outcome');
  }
}

/**
 * @param {Step | undefined} step
 * @param {string} role
 * @returns {string | undefined} the id of the entry that the step names
 */
function refer(step, role) {
  return step?.statement.references.get(role);
}

/**
 * @param {string} role
 * @param {...(Step | undefined)} steps
 * @returns {Set<string>} what those steps name that name anything
 */
function named(role, ...steps) {
  return new Set(steps.map((step) => refer(step, role)).filter((id) => id !== undefined));
}

/** @param {Step | undefined} verification */
function fails(verification) {
  return verification?.statement.payload.result === 'fail';
}

/**
 * @param {Record<string, any>} asked
 * @param {Record<string, any>} allowed
 */
function isSameRequest(asked, allowed) {
  return ['subject', 'action', 'resource'].every((member) => {
    const [left, right] = [asked[member], allowed[member]];
    const isSame = ['type', 'id', 'name'].every((name) => left[name] === right[name]);
    return isSame && agree(left.properties?.disclosed, right.properties?.disclosed);
  });
}

/**
 * Properties that both disclose are the same. What one of them withholds or leaves out cannot be compared.
 *
 * @param {import('./json.mjs').Json | undefined} asked
 * @param {import('./json.mjs').Json | undefined} allowed
 */
function agree(asked, allowed) {
  return asked === undefined || allowed === undefined || canonical(asked) === canonical(allowed);
}
