import { figure, isSoak, System } from './system.js';
import { ready, statusesOf, Submitters } from './submitters.js';

const CRASHES = isSoak ? 10 : 4;
/** Of the store, by default. */
const COMMAND_TIMEOUT_MS = 5_000;

describe.each(['Redis', 'PostgreSQL'] as const)('While %s crashes and restarts', (kind) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(kind);
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('accepted jobs are kept, others are refused in time, and everything continues without help', async () => {
    const [api, worker] = await Promise.all([system.api(), system.worker()]);
    const submitters = new Submitters(api, 2);
    const unready = { live: 200, ready: 503 };
    try {
      for (let crash = 1; crash <= CRASHES; crash++) {
        await submitters.more(20, 'accepted');
        await system.backend.crash!();
        await submitters.more(2, 'refused');
        expect(await Promise.all([api, worker].map(statusesOf))).toEqual([unready, unready]);
        await system.backend.restart!();
        await ready([api, worker]);
      }
      await submitters.more(20, 'accepted');
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
    figure(`${kind}, R2: killed ${CRASHES} times under submissions: ${accepted.length} accepted, 0 lost`);
    figure(
      `${kind}, R2: meanwhile ${refused.length} refused with 503; the longest answer took ${Math.round(longestMs)} ms`,
    );
  }, 120_000);
});
