import type { Answer } from './demo-client.js';
import { type RunningDemo, startDemo } from './running-demo.js';

function checksOf({ body }: Answer): string[] {
  return Object.keys((body as { details: object }).details);
}

describe('The health of the demo', () => {
  let demo: RunningDemo;

  beforeEach(async () => {
    demo = await startDemo();
  });

  afterEach(() => demo.app.close());

  it('has three routes, each with its own checks', async () => {
    const up = { status: 'up' };
    const [all, live, ready] = await Promise.all([
      demo.client.get('/health'),
      demo.client.get('/health/live'),
      demo.client.get('/health/ready'),
    ]);
    const message = 'AsyncEndpoints job store is accessible';
    // This process runs vitest too, so its memory may be anything.
    expect(checksOf(all)).toEqual(['asyncendpoints', 'worker', 'memory']);
    expect(all.body).toMatchObject({ details: { asyncendpoints: { ...up, message }, worker: up } });
    expect(live).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(checksOf(live)).toEqual(['worker']);
    expect(ready).toMatchObject({ status: 200, body: { status: 'ok', details: { asyncendpoints: up } } });
    expect(checksOf(ready)).toEqual(['asyncendpoints']);
  });

  it('is down when the process has more than 500 MB, while liveness is up', async () => {
    const usage = vi.spyOn(process, 'memoryUsage');
    onTestFinished(() => usage.mockRestore());
    for (const [rss, memory] of [
      [500 * 1024 * 1024, 'up'],
      [500 * 1024 * 1024 + 1, 'down'],
    ] as const) {
      usage.mockReturnValue({ rss, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 });
      expect((await demo.client.get('/health')).body).toMatchObject({ details: { memory: { status: memory } } });
      expect((await demo.client.get('/health/live')).status).toBe(200);
    }
  });

  it('is not ready from the beginning of the shutdown, while running jobs finish', async () => {
    const location = await demo.client.submit('/api/demo/sleep', { durationMs: 600_000 });
    await demo.client.running(location);
    const closed = demo.app.close();
    expect(await demo.client.get('/health/ready')).toMatchObject({ status: 503 });
    expect(await demo.client.postJson('/api/process-data', { data: 'text' })).toMatchObject({
      status: 503,
      body: { code: 'SHUTTING_DOWN' },
    });
    expect(await demo.client.get(location)).toMatchObject({ status: 202, body: { status: 'InProgress' } });
    expect(await demo.client.delete(location)).toMatchObject({ status: 200, body: { status: 'Canceled' } });
    await closed;
    await expect(demo.client.get('/health/live')).rejects.toThrow('fetch failed');
  });
});
