// @ts-check
/**
 * What the JavaScript verifier says to the vectors: one question a line on standard input, `{name, input}` in JSON,
 * and one answer a line on standard output, in the same order.
 */

import { createInterface } from 'node:readline';
import {
  LogState,
  Refused,
  checkBundle,
  checkEvidence,
  checkProof,
  judge,
  parseKey,
  parseNote,
  parsePolicy,
  parseProof,
  parseStatement,
  publicKey,
  verifyConsistency,
  verifyInclusion,
  verifyLog,
  verifyMultiproof,
  verifyNote,
  verifyQuorum,
  verifySignature,
  verifyStatement,
} from '../../web/static/verify.mjs';

/** @param {string} text */
const base64 = (text) => new Uint8Array(Buffer.from(text, 'base64'));
/** @param {string} text */
const hex = (text) => new Uint8Array(Buffer.from(text, 'hex'));
/** @param {string | { base64: string }} value */
const bytes = (value) => (typeof value === 'string' ? new TextEncoder().encode(value) : base64(value.base64));

/**
 * @template T
 * @template R
 * @param {() => T | Promise<T>} check
 * @param {(error: Refused) => R} otherwise what to say of a refusal; anything else that is thrown is a mistake
 * @returns {Promise<T | R>}
 */
async function attempt(check, otherwise) {
  try {
    return await check();
  } catch (error) {
    if (error instanceof Refused) return otherwise(error);
    throw error;
  }
}

/** @param {() => unknown} check */
const succeeds = (check) =>
  attempt(
    async () => {
      await check();
      return true;
    },
    () => false,
  );

const refused = () => ({ refused: true });
/** @param {Refused} error */
const refusal = ({ code, pointer }) => (pointer ? { refused: code, pointer } : { refused: code });

/** @type {Record<string, (input: any) => Promise<unknown>>} */
const ANSWERS = {
  async ed25519({ public_key: text, message, signature }) {
    const key = await attempt(
      () => publicKey(base64(text)),
      () => undefined,
    );
    const holds = key !== undefined && (await verifySignature(key, bytes(message), base64(signature)));
    return { key: key !== undefined, signature: holds };
  },
  async inclusion({ leaf, index, size, proof, root }) {
    const [at, of] = [BigInt(index), BigInt(size)];
    return { holds: await succeeds(() => verifyInclusion(hex(leaf), at, of, proof.map(base64), base64(root))) };
  },
  async consistency({ from, from_root: fromRoot, to, to_root: toRoot, proof }) {
    const check = () =>
      verifyConsistency(BigInt(from), base64(fromRoot), BigInt(to), base64(toRoot), proof.map(base64));
    return { holds: await succeeds(check) };
  },
  async multiproof({ leaves, size, proof, root }) {
    /** @param {{ index: string, leaf: string }} leaf */
    const place = ({ index, leaf }) => ({ index: BigInt(index), hash: hex(leaf) });
    const check = () => verifyMultiproof(leaves.map(place), BigInt(size), proof.map(base64), base64(root));
    return { holds: await succeeds(check) };
  },
  async vkeys({ vkey }) {
    return attempt(async () => {
      const { name, kind } = await parseKey(vkey);
      return { name, type: kind };
    }, refused);
  },
  async notes({ note, keys }) {
    const known = await Promise.all(keys.map(parseKey));
    const parsed = await attempt(
      () => parseNote(bytes(note)),
      () => undefined,
    );
    if (!parsed) return { form: false, signed_by: null };
    const lines = await attempt(
      () => verifyNote(parsed, known),
      () => null,
    );
    return { form: true, signed_by: lines && lines.map(({ name }) => name) };
  },
  async policies({ policy }) {
    return attempt(async () => {
      const { logs, witnesses } = await parsePolicy(bytes(policy));
      return { logs: logs.length, witnesses: witnesses.length };
    }, refused);
  },
  async heads({ policy: policyBytes, note: noteBytes }) {
    const policy = await parsePolicy(bytes(policyBytes));
    const note = parseNote(bytes(noteBytes));
    if (!(await succeeds(() => verifyLog(policy, note)))) {
      return { log_signature: 'fail', witness_quorum: 'not_checked', cosigned: null };
    }
    const cosigned = await attempt(
      async () => (await verifyQuorum(policy, note)).map(({ witness, time }) => [witness, String(time)]),
      () => null,
    );
    return { log_signature: 'pass', witness_quorum: cosigned ? 'pass' : 'fail', cosigned };
  },
  async proofs({ entry, proof: proofBytes, policy: policyBytes, issuer_key: issuer }) {
    const policy = await parsePolicy(bytes(policyBytes));
    return attempt(async () => {
      const proof = parseProof(bytes(proofBytes));
      const { stages } = await checkProof(bytes(entry), proof, policy, issuer && base64(issuer));
      return { stages: verdicts(stages) };
    }, refused);
  },
  async statements({ statement: statementBytes, public_key: key }) {
    return attempt(
      async () => {
        const statement = await parseStatement(bytes(statementBytes));
        const { kind, claims } = statement;
        const signature = await attempt(
          async () => {
            await verifyStatement(statement, publicKey(base64(key)));
            return 'valid';
          },
          ({ code }) => code,
        );
        return { kind, iss: claims.iss, sub: claims.sub, signature };
      },
      refusal,
    );
  },
  async admission({ statements }) {
    const state = new LogState();
    const answers = [];
    for (const statementBytes of statements) {
      const statement = await parseStatement(bytes(statementBytes));
      const answer = await attempt(async () => {
        await verifyStatement(statement, state.signingKey(statement));
        await state.admit(statement);
        return 'admitted';
      }, refusal);
      answers.push(answer);
    }
    return answers;
  },
  async lineage({ entries }) {
    const steps = [];
    const outside = new Map();
    for (const { index: text, statement: statementBytes } of entries) {
      const [index, statement] = [BigInt(text), await parseStatement(bytes(statementBytes))];
      if (statement.execution === undefined) outside.set(statement.id, { index, kind: statement.kind });
      else steps.push({ index, statement });
    }
    const judgement = judge(steps, outside);
    return { verdict: judgement.verdict, findings: places(judgement) };
  },
  async bundles({ bundle, policy: policyBytes }) {
    const { stages, lineage } = await checkBundle(bytes(bundle), await parsePolicy(bytes(policyBytes)));
    return {
      stages: verdicts(stages),
      lineage: lineage?.verdict ?? null,
      findings: lineage ? places(lineage) : null,
    };
  },
  async evidence({ evidence, policy: policyBytes }) {
    const policy = await parsePolicy(bytes(policyBytes));
    return attempt(
      async () => {
        const { code, against } = await checkEvidence(bytes(evidence), policy);
        return { proven: code, against };
      },
      () => ({ proven: null }),
    );
  },
};

/**
 * The verdicts of a report, without their reasons.
 *
 * @param {{ stage: string, verdict: string }[]} stages
 */
function verdicts(stages) {
  return Object.fromEntries(stages.map(({ stage, verdict }) => [stage, verdict]));
}

/** @param {import('../../web/static/verify/findings.mjs').Judgement} judgement */
function places({ findings }) {
  return findings.map(({ code, index }) => [code, String(index)]);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { name, input } = JSON.parse(line);
  const answer = ANSWERS[name];
  if (!answer) throw new Error(`no such file of vectors: ${name}`);
  process.stdout.write(`${JSON.stringify(await answer(input))}\n`);
}
