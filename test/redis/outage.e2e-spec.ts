import { eventually } from 'nestjs-async-endpoints/testing';
import type { Answer } from '../demo/demo-client.js';
import type { AppProcess } from '../app-process.js';
import { figure, System } from './system.js';

const CRASHES = 4;
/** Of the store, by default. */
const COMMAND_TIMEOUT_MS = 5_000;

/** Clients that submit one job after the other, and what they were answered. */
class Submitters {
  readonly accepted: string[] = [];
  readonly refused: Answer[] = [];
  longestMs = 0;
  #stopping = false;
  readonly #ended: Promise<unknown>;

  constructor(api: AppProcess, count: number) {
    this.#ended = Promise.all(Array.from({ length: count }, () => this.#submit(api)));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
  }

  async #submit({ client }: AppProcess): Promise<void> {
    while (!this.#stopping) {
      const askedAt = performance.now();
      const answer = await client.postJson('/api/process-data', { data: 'text' });
      this.longestMs = Math.max(this.longestMs, performance.now() - askedAt);
      if (answer.status === 202) this.accepted.push((answer.body as { id: string }).id);
      else this.refused.push(answer);
    }
  }
}

describe('While Redis crashes and comes back', () => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(['--appendonly', 'yes', '--appendfsync', 'always']);
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('no job is lost that was accepted; others are refused in time; all goes on by itself', async () => {
    const [api, worker] = await Promise.all([system.api(), system.worker()]);
    const submitters = new Submitters(api, 2);
    const unready = { live: 200, ready: 503 };
    try {
      for (let crash = 1; crash <= CRASHES; crash++) {
        await moreThan(20, submitters.accepted);
        await system.redis.crash();
        await moreThan(2, submitters.refused);
        expect(await Promise.all([api, worker].map(statusesOf))).toEqual([unready, unready]);
        await system.redis.restart();
        await eventually(async () => (await statusesOf(api)).ready === 200 && (await statusesOf(worker)).ready === 200);
      }
      await moreThan(20, submitters.accepted);
    } finally {
      await submitters.stop();
    }
    await system.until(submitters.accepted, 'Completed');
    for (const { status, headers, body } of submitters.refused) {
      expect({ status, body }).toMatchObject({ status: 503, body: { code: 'STORE_UNAVAILABLE' } });
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect(submitters.longestMs).toBeLessThan(COMMAND_TIMEOUT_MS);
    const { accepted, refused, longestMs } = submitters;
    figure(`Redis killed ${CRASHES} times under submissions: ${accepted.length} accepted, 0 lost`);
    figure(`meanwhile ${refused.length} refused with 503; the longest answer took ${Math.round(longestMs)} ms`);
  });
});

async function moreThan(count: number, list: readonly unknown[]): Promise<void> {
  const before = list.length;
  await eventually(() => list.length >= before + count);
}

async function statusesOf({ client }: AppProcess): Promise<{ live: number; ready: number }> {
  const [live, ready] = await Promise.all([client.get('/health/live'), client.get('/health/ready')]);
  return { live: live.status, ready: ready.status };
}
