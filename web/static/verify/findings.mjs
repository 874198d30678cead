// @ts-check
/**
 * What a lineage can be found to be: the table of `docs/LINEAGE.md`, in its order, each code with its weight and a
 * sentence.
 *
 * @module
 */

/** @typedef {'violation' | 'gap' | 'note'} Severity */

/** @type {ReadonlyMap<string, { severity: Severity, sentence: string }>} */
export const FINDINGS = new Map(
  /** @type {[string, Severity, string][]} */ ([
    ['reference_missing', 'gap', 'It names an entry that is not presented.'],
    ['reference_order', 'violation', 'It names an entry that does not come before it.'],
    ['reference_kind', 'violation', 'It names an entry of another kind than the role takes.'],
    ['outcome_without_authorization', 'violation', 'Something ran, and no authorization before it is presented.'],
    ['second_outcome', 'violation', 'The authorization of this outcome has an earlier outcome already.'],
    ['outcome_without_verification', 'gap', 'Something ran, and nobody recorded before that it was checked.'],
    ['executed_after_failed_verification', 'violation', 'Something ran although the verification failed.'],
    ['verification_of_another_authorization', 'violation', 'What was verified is another authorization.'],
    ['verified_without_waiting', 'gap', 'The enforcer did not wait until the authorization was in the log.'],
    ['quorum_not_awaited', 'note', 'The enforcer waited for the log, and for no witness.'],
    ['head_not_named', 'note', 'The enforcer does not say which head had the authorization.'],
    ['head_without_authorization', 'violation', 'The head that the enforcer names cannot have the authorization.'],
    ['head_after_verification', 'violation', 'The enforcer names a head that the log did not have yet.'],
    ['decision_missing', 'gap', 'The authorization names no decision.'],
    ['decision_denies', 'violation', 'The authorization stands on a denial.'],
    [
      'executed_after_denial',
      'violation',
      'Something ran although the last decision before its authorization denied it.',
    ],
    ['decision_mismatch', 'violation', 'The outcome names another decision than its authorization.'],
    ['policy_missing', 'gap', 'By which policy it was allowed is not on record.'],
    ['policy_mismatch', 'violation', 'Authorization and decision name different policies.'],
    ['intent_missing', 'gap', 'Who asked for this is not on record.'],
    ['intent_mismatch', 'violation', 'The steps do not all name the same intent.'],
    ['action_mismatch', 'violation', 'What was authorized is not what was asked for.'],
    ['audience_mismatch', 'violation', 'Somebody else verified or executed than the one authorized to.'],
    ['outside_window', 'violation', 'By the enforcer\u2019s clock it was outside of the window of its authorization.'],
    ['started_at_missing', 'gap', 'When it started is not stated, so nobody can hold it against the window.'],
    ['started_before_verification', 'violation', 'By the enforcer\u2019s own clock it started before it was verified.'],
    [
      'started_before_authorization',
      'violation',
      'It started before it was authorized, by more than clocks may differ.',
    ],
    ['clocks_disagree', 'note', 'It started before it was authorized, by no more than clocks may differ.'],
    [
      'finished_before_start',
      'note',
      'By the enforcer\u2019s clock it ended before it started: the clock was set back.',
    ],
    ['outcome_unknown', 'gap', 'The enforcer does not know whether it ran, or how it ended.'],
    ['revoked_before_execution', 'violation', 'Something ran although what it stands on had been revoked or halted.'],
    ['revoked_before_outcome', 'note', 'What it stands on was revoked or halted after the verification.'],
    ['quarantined', 'note', 'What came of it is isolated, and nothing has lifted that.'],
    ['decision_by_requester', 'note', 'The key that decided also asked: asking and allowing are in one hand.'],
    ['enforcer_is_authority', 'note', 'The key that verified also authorized: allowing and checking are in one hand.'],
    ['outcome_missing', 'gap', 'It was authorized and closed, and what came of it is not on record.'],
    ['reason_missing', 'gap', 'Nothing ran, and no denial, failed verification or revocation says why.'],
    ['close_missing', 'note', 'No close counts the entries: if later ones were left out, nothing here would show it.'],
    ['entries_missing', 'gap', 'The close counts more entries than are presented up to it.'],
    ['entries_uncounted', 'note', 'The close counts fewer entries than there are up to it.'],
    ['entry_after_close', 'violation', 'It comes after the close, and only enforcement may.'],
    ['second_close', 'violation', 'The execution was closed already.'],
  ]).map(([code, severity, sentence]) => [code, { severity, sentence }]),
);

const ORDER = [...FINDINGS.keys()];

/**
 * One thing found, about the entry at `index`.
 *
 * @typedef {{ code: string, severity: Severity, index: bigint, sentence: string }} Finding
 */

/** Findings as they are made, and what they come to. */
export class Findings {
  /** @type {Finding[]} */
  #found = [];

  /**
   * @param {string} code
   * @param {bigint} index
   */
  add(code, index) {
    const known = FINDINGS.get(code);
    if (!known) throw new Error(`no such finding: ${code}`);
    this.#found.push({ code, index, ...known });
  }

  /**
   * Weighs the findings: the first verdict that applies.
   *
   * @param {boolean} ended whether nothing more has to follow
   * @param {boolean} ran whether something ran, or may have run
   * @returns {Judgement}
   */
  weigh(ended, ran) {
    const findings = this.#found.sort((left, right) =>
      left.index === right.index
        ? ORDER.indexOf(left.code) - ORDER.indexOf(right.code)
        : left.index < right.index
          ? -1
          : 1,
    );
    const any = (/** @type {Severity} */ severity) => findings.some((finding) => finding.severity === severity);
    const undisputed = !ended ? 'open' : any('gap') ? 'partial' : ran ? 'governed' : 'denied';
    return { verdict: any('violation') ? 'violated' : undisputed, findings };
  }
}

/**
 * @typedef {{
 *   verdict: 'governed' | 'denied' | 'open' | 'partial' | 'violated',
 *   findings: Finding[],
 * }} Judgement
 */
