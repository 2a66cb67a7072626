import { startRedisServer } from '@app/redis-server';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppProcess } from '../app-process.js';
import { temporaryFolder } from '../temporary-folder.js';
import { read, ROOT } from './files.js';

const run = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...env } });

const LIBRARY = 'dist/library-of-image';

describe('The files of the images', () => {
  let folder: string;

  beforeAll(() => {
    folder = temporaryFolder();
    // As the Dockerfile builds the library: `npm run build` joins its modules, and the image would have them twice.
    const compile = ['node_modules/typescript/bin/tsc', '-p', 'libs/async-endpoints/tsconfig.lib.json'];
    for (const args of [
      [...compile, '--outDir', LIBRARY, '--declaration', 'false', '--stripInternal', 'false'],
      ['deploy/docker/runtime-files.mjs', folder, LIBRARY],
    ]) {
      const { status, stdout, stderr } = run(args);
      if (status !== 0) throw new Error(stdout + stderr);
    }
  }, 240_000);

  it('run the API with its documents, validation and metrics, the worker, and the command-line tool', async () => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const env = { REDIS_URL: redis.url, NODE_ENV: 'production' };
    const [api, worker] = await Promise.all(
      (['api', 'worker'] as const).map((app) => new AppProcess(app, { ...env, ASYNC_ROLE: app }, folder).listening()),
    );
    onTestFinished(async () => void (await Promise.all([api!.kill(), worker!.kill()])));
    const { client } = api!;
    const pages = ['/docs', '/docs/swagger-ui-bundle.js', '/docs/swagger-ui.css', '/docs-json', '/metrics', '/health'];
    const statuses = await Promise.all(pages.map(async (page) => (await fetch(client.url + page)).status));
    expect(statuses).toEqual(pages.map(() => 200));
    const submit = (body: object) =>
      fetch(`${client.url}/api/process-data`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', prefer: 'wait=20' },
        body: JSON.stringify(body),
      });
    expect((await submit({ data: 1 })).status).toBe(400);
    expect(await (await submit({ data: 'text' })).json()).toMatchObject({ status: 'Completed' });

    const stats = run([join(folder, toolPath()), 'stats', '--json'], { REDIS_URL: redis.url });
    expect(JSON.parse(stats.stdout)).toMatchObject([{ name: 'ProcessData', status: 'Completed', count: 1 }]);
  }, 120_000);

  it('include no compiler, package manager or declarations, and an SBOM with every package', () => {
    const { components } = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8')) as {
      components: { name: string; version: string }[];
    };
    const names = components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['node', '@nestjs/core', 'fastify', 'ioredis', 'rxjs', 'commander']));
    expect(names.filter((name) => ['typescript', 'npm', '@nestjs/cli', 'vitest'].includes(name))).toEqual([]);
    expect(existsSync(join(folder, 'node_modules/typescript'))).toBe(false);
    const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    expect(paths.filter((path) => /\.(ts|mts|cts|map|md)$/.test(path))).toEqual([]);
    expect(components.filter(({ version }) => !version)).toEqual([]);
    const bytes = paths
      .map((path) => lstatSync(join(folder, path)))
      .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
    expect(bytes).toBeLessThan(11_500_000); // with Node's 108.5 MB, 120 MB above the base
  });

  it('include no package that only development and tests need, such as Express', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { dev?: true; devOptional?: true }>;
    };
    const inImage = readdirSync(join(folder, 'node_modules'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('package.json'))
      .map((path) => `node_modules/${path.replace(/\/package\.json$/, '')}`);
    const forDevelopment = inImage.filter((path) => packages[path]?.dev ?? packages[path]?.devOptional);
    // The command-line tool's; the applications have no dependency on it.
    expect(forDevelopment).toEqual(['node_modules/commander']);
    expect(inImage.length).toBeGreaterThan(100);
  });
});

/** Where the command-line tool of the image is, as its command names it. */
function toolPath(): string {
  return /\/app\/(\S+\.js)/.exec(read('deploy/docker/async-endpoints'))![1]!;
}
