import { randomUUID } from 'node:crypto';
import { eventually } from 'nestjs-async-endpoints/testing';
import { System } from '../redis/system.js';
import { unpackLastRelease } from './last-release.js';

/** Where the built demo is: this release's here. */
type Release = string | undefined;
const THIS: Release = undefined;
const SETTINGS = { ASYNC_QUEUE_SIZE: '20', LOG_FORMAT: 'text' };
/** An option that the last release does not know. So few bytes that the payloads of all jobs of a test would not fit. */
const SETTINGS_OF_THIS = { ...SETTINGS, ASYNC_QUEUE_BYTES: '20000' };

describe('Processes of the last release and of this one, on one Redis', () => {
  let system: System;
  let last: Release;

  beforeAll(async () => {
    last = unpackLastRelease();
    system = await System.start();
  });

  afterEach(async () => {
    await system.store.recover({ limit: 100, maxCrashes: 3 }); // a sweep of this release sets counters right
    await system.reset();
  });

  afterAll(() => system.stop());

  const settings = (release: Release) => (release === THIS ? SETTINGS_OF_THIS : SETTINGS);
  const api = (release: Release) => system.run('api', { ASYNC_ROLE: 'api', ...settings(release) }, release);
  const worker = (release: Release) => system.run('worker', settings(release), release);

  it.each([
    ['an API of the last release, a worker of this one', () => [last, THIS]],
    ['an API of this release, a worker of the last one', () => [THIS, last]],
  ] as const)('%s: complete, retry, schedule, cancel and drain jobs', { timeout: 60_000 }, async (_, releases) => {
    const [{ client }, runs] = await Promise.all([api(releases()[0]), worker(releases()[1])] as const);
    const data = 'x'.repeat(5_000);
    for (let n = 0; n < 8; n++) {
      const headers = {
        'Content-Type': 'application/json',
        Prefer: 'wait=20',
        'Idempotency-Key': `"${randomUUID()}"`,
      };
      const init = { method: 'POST', headers, body: JSON.stringify({ data }) };
      const answer = await client.request('/api/process-data', init);
      expect(answer).toMatchObject({ status: 200, body: { status: 'Completed' } });
    }
    const retried = await client.finished(await client.submit('/api/demo/unreliable', { failures: 3 }));
    expect(retried).toMatchObject({ status: 'Completed', retryCount: 3, result: { attempts: 4 } });

    const canceled = await client.submit('/api/demo/sleep', { durationMs: 60_000 });
    await client.running(canceled);
    await client.delete(canceled);
    await eventually(async () => (await runs.running()) === 0);

    const drained = await client.submit('/api/demo/sleep', { durationMs: 1_000 });
    await client.running(drained);
    runs.signal('SIGTERM');
    expect(await runs.exitCode()).toBe(0);
    expect(await client.finished(drained)).toMatchObject({ status: 'Completed', result: { durationMs: 1_000 } });
  });

  it.each([
    ['of the last release is killed, one of this release', () => [last, THIS]],
    ['of this release is killed, one of the last release', () => [THIS, last]],
  ] as const)('when a worker %s takes over its jobs', { timeout: 60_000 }, async (_, releases) => {
    const ids = await system.submit('Sleep', { durationMs: 800 }, 3);
    const victim = await worker(releases()[0]);
    await Promise.all(ids.map((id) => system.holder(id, [victim])));
    await victim.kill();
    await worker(releases()[1]);
    const jobs = await system.until(ids, 'Completed');
    expect(jobs.map(({ crashes, retryCount, result }) => [crashes, retryCount, result])).toEqual(
      ids.map(() => [1, 0, '{"durationMs":800}']),
    );
  });
});
