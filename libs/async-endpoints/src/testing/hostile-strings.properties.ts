import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { JobRecord, NewJob } from '../job/job.js';
import type { JobChange, JobStore } from '../store/job-store.js';
import { aJob } from './a-job.js';
import type { StoreUnderTest } from './contract/describe-job-store.js';
import { eventually } from './gate.js';

/** Characters that separate, end, quote or begin something in a stored form, and characters that UTF-8 cannot express. */
const TROUBLE = [
  '\n',
  '\r',
  '\r\n',
  '\0',
  '\x1e',
  '\x1b[31m',
  '\u2028',
  '\u2029',
  '\u0085',
  '\u202e',
  '\ufeff',
  '\ufffd',
  '\ud800',
  '\udfff',
  '😀',
  ',',
  ';',
  ':',
  ' ',
  '"',
  '\\',
  '{',
  '}',
  '%',
  '*',
  '1Q',
  '1C00000001',
  '\\n',
  '""',
  '__proto__',
  'constructor',
  'null',
  'Q:',
  'waiting',
];

export const aHostileText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...TROUBLE), fc.string({ unit: 'binary', maxLength: 3 })), { maxLength: 6 })
  .map((parts) => parts.join(''));

/** One text for each field that accepts any text: name, owner, worker and so on. */
interface Texts {
  readonly name: string;
  readonly owner: string;
  readonly fingerprint: string;
  readonly key: string;
  readonly worker: string;
  readonly value: string;
  readonly unknownId: string;
}

const someTexts: fc.Arbitrary<Texts> = fc.record({
  name: aHostileText,
  owner: aHostileText,
  fingerprint: aHostileText,
  key: aHostileText,
  worker: aHostileText,
  value: aHostileText,
  unknownId: aHostileText,
});

const NO_LIMIT = { queueLimit: 1_000_000 };
const KEY_MS = 60_000;

/**
 * Runs jobs with hostile texts in every field through their whole life. Asserts that each field is returned unchanged and that an
 * ordinary job beside them is not affected.
 *
 * @throws with the shortest texts that were not returned unchanged
 */
export async function checkHostileStrings(create: () => Promise<StoreUnderTest>, numRuns = 100): Promise<void> {
  const real = await create();
  try {
    await fc.assert(
      fc.asyncProperty(someTexts, (texts) => liveThrough(real, texts)),
      { numRuns },
    );
  } finally {
    await real.dispose();
  }
}

async function liveThrough(real: StoreUnderTest, texts: Texts): Promise<void> {
  const { store } = real;
  const neighbor = aJob();
  const job = hostileJob(texts);
  const revocations: JobChange[] = [];
  const unsubscribe = await store.subscribe({ worker: texts.worker }, (change) => revocations.push(change));
  const [, submission] = await store.submit([neighbor, job], NO_LIMIT);
  assert.equal(submission?.outcome, 'created');
  await checkRepeats(store, job);
  await checkLists(store, job);
  await checkRuns(real, job, texts);
  await checkRevocations(real, job, texts, revocations);
  await checkUnknown(store, texts);
  unsubscribe();
  const [claim] = await claimOf(store, 'Work', 'w');
  assert.deepEqual([claim?.job.id, claim?.payload], [neighbor.id, neighbor.payload]);
  const fence = claim?.fence as number;
  await store.settle([{ id: neighbor.id, name: 'Work', fence, verb: 'complete', result: null }]);
  await real.advance(KEY_MS); // the next run may use the same key
  await store.purge(100);
}

function hostileJob({ name, owner, fingerprint, key, value }: Texts): NewJob {
  const pairs = [[value, value]] as const;
  const input = { request: value, snapshot: { headers: pairs, routeParams: pairs, queryParams: pairs } };
  return aJob({
    // `Work` is the name of the ordinary job.
    name: name === 'Work' ? `${name}.` : name,
    owner,
    fingerprint,
    idempotency: { key, retentionMs: KEY_MS },
    payload: JSON.stringify(input, null, 2),
  });
}

async function checkRepeats(store: JobStore, job: NewJob): Promise<void> {
  const repeat = { ...job, id: aJob().id };
  const outcomes = await store.submit(
    [repeat, { ...repeat, fingerprint: `${job.fingerprint}\n` }, { ...job, idempotency: null, owner: `${job.owner}"` }],
    NO_LIMIT,
  );
  const [found] = await store.find([job.id]);
  assertIsAsGiven(found, job);
  assert.deepEqual(outcomes, [
    { outcome: 'existing', job: found },
    { outcome: 'conflict', on: 'key' },
    { outcome: 'conflict', on: 'id' },
  ]);
}

function assertIsAsGiven(found: JobRecord | null | undefined, { id, name, owner, fingerprint }: NewJob): void {
  const { id: foundId, name: foundName, owner: foundOwner, fingerprint: foundFingerprint } = found ?? {};
  assert.deepEqual([foundId, foundName, foundOwner, foundFingerprint], [id, name, owner, fingerprint]);
}

async function checkLists(store: JobStore, { id, name, owner }: NewJob): Promise<void> {
  for (const filter of [{ name, owner: owner as string }, { name }, {}]) {
    const ids: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await store.list(filter, { limit: 100, cursor });
      ids.push(...page.jobs.map((job) => job.id));
      ({ cursor } = page);
    }
    assert.deepEqual(
      ids.filter((one) => one === id),
      [id],
    );
  }
  const entry = (await store.stats()).find((one) => one.name === name && one.status === 'Queued');
  assert.equal(entry?.count, 1);
}

async function claimOf(store: JobStore, name: string, worker: string) {
  return store.claim({ worker, leaseMs: 1_000, limit: 1, slots: new Map([[name, 1]]) });
}

async function checkRuns({ store }: StoreUnderTest, job: NewJob, { worker, value }: Texts): Promise<void> {
  const { id, name } = job;
  const [first] = await claimOf(store, name, worker);
  assertIsAsGiven(first?.job, job);
  assert.deepEqual(JSON.parse(first?.payload ?? 'null'), JSON.parse(job.payload));
  const fence = first?.fence as number;
  const progress = { fraction: 0.5, message: value };
  assert.deepEqual(await store.renew([{ id, fence, leaseMs: 1_000, progress }]), ['held']);
  const [running] = await store.find([id]);
  assert.deepEqual([running?.worker, running?.progress], [worker, progress]);
  const error = { code: value, message: value, details: { [value]: [value] } };
  assert.deepEqual(await store.settle([{ id, name, fence, verb: 'retry', delayMs: 0, error }]), [true]);
  assert.deepEqual((await store.find([id]))[0]?.error, error);
  await checkCompletion(store, job, worker, value);
}

/** Asserts that a notification has the same content as the stored job. */
async function checkCompletion(store: JobStore, job: NewJob, worker: string, value: string): Promise<void> {
  const { id, name } = job;
  const told: JobChange[] = [];
  const unsubscribe = await store.subscribe({ job: id }, (change) => told.push(change));
  const [claim] = await claimOf(store, name, worker);
  const result = JSON.stringify({ value });
  const settlement = { id, name, fence: claim?.fence as number, verb: 'complete', result } as const;
  assert.deepEqual(await store.settle([settlement]), [true]);
  const [completed] = await store.find([id]);
  assertIsAsGiven(completed, job);
  assert.deepEqual([completed?.status, completed?.result], ['Completed', result]);
  await eventually(() => told.at(-1)?.status === 'Completed');
  assert.deepEqual(told.at(-1)?.job ?? completed, completed);
  unsubscribe();
}

async function checkRevocations(
  { store, advance }: StoreUnderTest,
  { name }: NewJob,
  { worker, owner, fingerprint }: Texts,
  revocations: readonly JobChange[],
): Promise<void> {
  const job = aJob({ name, owner, fingerprint });
  await store.submit([job], NO_LIMIT);
  await claimOf(store, name, worker);
  await advance(1_000);
  const recovered = await store.recover({ limit: 100, maxCrashes: 3 });
  assert.deepEqual(
    recovered.map(({ job: { id, status }, worker: who }) => [id, status, who]),
    [[job.id, 'Queued', worker]],
  );
  await eventually(() => revocations.some(({ id }) => id === job.id));
  assert.equal((await store.cancel([job.id]))[0]?.status, 'Canceled');
  assert.equal((await store.rerun([job.id]))[0]?.status, 'Queued');
  assert.equal((await store.cancel([job.id]))[0]?.status, 'Canceled');
  assertIsAsGiven((await store.find([job.id]))[0], job);
  assertIsAsGiven((await store.find([job.id], [job.owner]))[0], job);
  assert.deepEqual(await store.find([job.id], [`${job.owner} `]), [null]);
}

/** Asserts that a text that is not a job id finds no job, and that a cursor that `list` did not return is refused. */
async function checkUnknown(store: JobStore, { unknownId: id, name }: Texts): Promise<void> {
  assert.deepEqual(await store.find([id]), [null]);
  assert.deepEqual(await store.cancel([id]), [null]);
  assert.deepEqual(await store.rerun([id]), [null]);
  assert.deepEqual(await store.renew([{ id, fence: 1, leaseMs: 1 }]), ['lost']);
  assert.deepEqual(await store.settle([{ id, name, fence: 1, verb: 'release' }]), [false]);
  await assert.rejects(store.submit([aJob({ id })], NO_LIMIT), { code: 'INVALID_JOB_ID' });
  await assert.rejects(store.list({}, { limit: 1, cursor: id }), { code: 'INVALID_OPTION' });
  await assert.rejects(store.list({}, { limit: 1, cursor: JSON.stringify([id, id]) }), { code: 'INVALID_OPTION' });
  await assert.doesNotReject(
    store.list({}, { limit: 1, cursor: JSON.stringify([id, id, id]) }).catch((error: { code?: string }) => {
      if (error.code !== 'INVALID_OPTION') throw error;
    }),
  );
}
