import { KINDS, System } from './system.js';

describe.each(KINDS)('Processes in different time zones, on %s', (kind) => {
  let system: System;

  beforeAll(async () => {
    system = await System.start(kind);
  });

  afterEach(() => system.reset());

  afterAll(() => system.stop());

  it('agree on the time of a retry and on all other times', async () => {
    const [api] = await Promise.all([
      system.api({ TZ: 'Pacific/Auckland' }),
      system.worker({ TZ: 'America/St_Johns' }),
    ]);
    const location = await api.client.submit('/api/demo/unreliable', { failures: 2 });
    const job = await api.client.finished<{ attempts: number }>(location);
    expect(job).toMatchObject({ status: 'Completed', retryCount: 2, result: { attempts: 3 } });
    const stored = await system.job(job.id);
    const times = ['createdAt', 'startedAt', 'completedAt', 'lastUpdatedAt'] as const;
    for (const time of times) {
      expect(job[time]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      expect(Date.parse(String(job[time]))).toBe(stored[time]);
    }
  });
});
