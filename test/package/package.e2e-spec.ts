import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { eventually } from 'nestjs-async-endpoints/testing';
import { temporaryFolder } from '../temporary-folder.js';

const run = promisify(execFile);
const lib = new URL('../../libs/async-endpoints/', import.meta.url).pathname;
const NPM_QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];
const MINUTES = 60_000;

describe('The package', () => {
  let folder: string;
  let tarball: string;

  beforeAll(async () => {
    folder = temporaryFolder();
    const { stdout } = await run('npm', ['pack', lib, '--json', '--pack-destination', folder]);
    tarball = join(folder, (JSON.parse(stdout) as { filename: string }[])[0]?.filename as string);
  }, MINUTES);

  it('holds what it exports, and nothing else', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    for (const entry of ['index', 'client/index', 'config/index', 'health/index', 'telemetry/index', 'testing/index']) {
      expect(files).toContain(`package/dist/${entry}.js`);
      expect(files).toContain(`package/dist/${entry}.d.ts`);
    }
    expect(files).toContain('package/dist/cli/main.js');
    expect(files).toContain('package/README.md');
    expect(files).toContain('package/LICENSE');
    expect(files.filter((file) => /spec|properties|\.ts$/.test(file) && !file.endsWith('.d.ts'))).toEqual([]);
  });

  it(
    'passes publint',
    async () => {
      const { publint } = await import('publint');
      const { messages } = await publint({ pkgDir: lib, strict: true });
      expect(messages).toEqual([]);
    },
    MINUTES,
  );

  it(
    'works in a CommonJS application on Nest 11',
    async () => {
      await cp(new URL('nest-11-app', import.meta.url), folder, { recursive: true });
      await writeFile(join(folder, 'package.json'), '{ "private": true }');
      const packages = ['common', 'core', 'platform-express', 'swagger', 'terminus'].map(
        (name) => `@nestjs/${name}@11`,
      );
      const others = ['@nestjs/config@4', 'class-validator', 'reflect-metadata'];
      await run('npm', ['install', ...NPM_QUIET, tarball, ...packages, ...others, 'rxjs'], { cwd: folder });

      const npx = (...args: string[]) => run('npx', ['async-endpoints', ...args], { cwd: folder });
      await expect(npx('--version')).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^async-endpoints: This needs the package commander: npm install commander$/m),
      });
      await run('npm', ['install', ...NPM_QUIET, 'commander@14'], { cwd: folder });
      expect((await npx('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
      await expect(npx('stats', '--redis-url', 'redis://127.0.0.1:1')).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching(
          /^async-endpoints: The store "redis" needs the package ioredis: npm install ioredis\.$/m,
        ),
      });

      const app = spawn(process.execPath, ['main.cjs'], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
      const exited = once(app, 'exit');
      try {
        const [line] = (await once(createInterface(app.stdout), 'line')) as [string];
        const { url, health } = JSON.parse(line) as { url: string; health: { asyncendpoints: { status: string } } };
        expect(health.asyncendpoints.status).toBe('up');
        const submitted = await fetch(`${url}/api/shout`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"text":"quiet"}',
        });
        expect(submitted.status).toBe(202);
        const result = await eventually(async () => {
          const response = await fetch(`${url}${submitted.headers.get('location')}/result`);
          return response.status === 200 ? response.json() : null;
        });
        expect(result).toBe('QUIET');

        const waited = await fetch(`${url}/api/shout`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', prefer: 'wait=20' },
          body: '{"text":"quiet"}',
        });
        expect([waited.status, waited.headers.get('preference-applied')]).toEqual([200, 'wait=20']);
        const events = await fetch(`${url}${waited.headers.get('location')}/events`);
        expect(await events.text()).toMatch(/event: status\nid: \d+\ndata: .*"result":"QUIET"/);
        const unknown = await fetch(`${url}/jobs/d0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00`);
        expect(unknown.headers.get('content-type')).toMatch(/^application\/problem\+json/);
        expect(await (await fetch(`${url}/docs-json`)).json()).toMatchObject({
          paths: {
            '/api/shout': { post: { responses: { 202: { links: { status: { operationId: 'getJob' } } } } } },
            '/jobs/{id}': { get: { operationId: 'getJob', responses: { 304: {} } } },
          },
          components: { schemas: { AsyncJob: {}, Shouted: {}, ShoutJob: {} } },
        });
      } finally {
        app.kill('SIGTERM');
      }
      expect(await exited).toEqual([0, null]);
    },
    3 * MINUTES,
  );
});
