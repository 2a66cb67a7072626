import { readFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { AdminModule } from './admin.module.js';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

it('docs/dashboard.md shows the exact code of admin.module.ts, which runs', async () => {
  expect(read('../../docs/dashboard.md')).toContain('```ts\n' + read('admin.module.ts') + '```\n');
  vi.stubEnv('ADMIN_TOKEN', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  const app = await NestFactory.create(AdminModule, { logger: false, abortOnError: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const page = `${await app.getUrl()}/admin/jobs`;
  expect((await fetch(page)).status).toBe(403);
  const answer = await fetch(page, { headers: { authorization: 'Bearer secret' } });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('jobs/assets/app.js')]);
});
