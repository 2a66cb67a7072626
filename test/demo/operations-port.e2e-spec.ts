import type { AddressInfo } from 'node:net';
import { configuration } from '@app/demo';
import { freePort } from '@app/redis-server';
import { createApp } from '../../apps/api/src/create-app.js';

const INSIDE = ['/health', '/health/live', '/health/ready', '/metrics', '/docs', '/docs-json', '/docs/../metrics'];

async function start(operationsPort?: number) {
  const from = { env: {}, cwd: '/nowhere' };
  const app = await createApp(configuration(['all', 'api'], from), { logger: false }, operationsPort);
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, main: port };
}

const statusOf = async (port: number, path: string) =>
  (await fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' })).status;

describe('OPERATIONS_PORT', () => {
  it('serves only health, metrics and documents, which the other port then does not', async () => {
    const operations = await freePort();
    const { app, main } = await start(operations);
    for (const path of INSIDE) {
      expect([path, await statusOf(main, path)]).toEqual([path, 404]);
      expect([path, (await statusOf(operations, path)) < 400]).toEqual([path, true]);
    }
    expect(await statusOf(operations, '/jobs/17')).toBe(404);
    expect(await statusOf(main, '/jobs/17')).toBe(400);
    await app.close();
    await expect(statusOf(operations, '/metrics')).rejects.toThrow();
  });

  it('is optional: without it, one port serves everything', async () => {
    const { main } = await start();
    for (const path of INSIDE) expect([path, (await statusOf(main, path)) < 400]).toEqual([path, true]);
  });
});
