import { readFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AdminGuard, AdminModule } from './admin.module.js';
import { hasBrowser, openPage } from './browser.js';
import { MemoryJobStore } from './built.js';
import { startDashboard } from './dashboard-app.js';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

function givenPassword(password: string): void {
  vi.stubEnv('ADMIN_PASSWORD', password);
  onTestFinished(() => void vi.unstubAllEnvs());
}

async function startApplication(password: string, platform: 'Express' | 'Fastify' = 'Express'): Promise<string> {
  givenPassword(password);
  const options = { logger: false, abortOnError: false } as const;
  const app = await (platform === 'Fastify'
    ? NestFactory.create(AdminModule, new FastifyAdapter(), options)
    : NestFactory.create(AdminModule, options));
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  return `${await app.getUrl()}/admin/jobs`;
}

describe('docs/dashboard.md', () => {
  it('shows the exact code of admin.module.ts', () => {
    expect(read('../../docs/dashboard.md')).toContain('```ts\n' + read('admin.module.ts') + '```\n');
  });

  it.each(['Express', 'Fastify'] as const)('lets in who knows the password (%s)', async (platform) => {
    const page = await startApplication('secret', platform);
    const statusFor = async (credentials: string) => {
      const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
      return (await fetch(page, { headers: { authorization } })).status;
    };
    const refused = await fetch(page);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic']);
    expect(await Promise.all(['anna:secret', 'anna:', 'secret', 'anna:secret:'].map(statusFor))).toEqual([
      200, 401, 401, 401,
    ]);
  });

  it('lets nobody in without a password', async () => {
    const page = await startApplication('');
    const authorization = `Basic ${Buffer.from('anna:').toString('base64')}`;
    expect((await fetch(page, { headers: { authorization } })).status).toBe(401);
  });

  it.skipIf(!hasBrowser)(
    'has a guard whose name and password a browser sends with data, streams and actions',
    async () => {
      givenPassword('secret');
      const app = await startDashboard('Express', new MemoryJobStore(), { options: { guards: [AdminGuard] } });
      const { id } = await app.jobs.submit('Echo', {}, { delayMs: 600_000 });
      const httpCredentials = { username: 'anna', password: 'secret' };
      const page = await openPage(`${app.url}/admin/jobs#/jobs/${id}`, { httpCredentials });
      await page.getByText('Live').first().waitFor();
      page.on('dialog', (dialog) => void dialog.accept());
      await page.getByRole('button', { name: 'Cancel' }).click();
      await app.jobs.waitFor(id);
      expect(app.log.join('\n')).toContain('anna');
    },
  );
});
