import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type RedisServer, startRedisServer } from '@app/redis-server';
import { eventually } from 'nestjs-async-endpoints/testing';
import { temporaryFolder } from '../temporary-folder.js';
import { type GeneratedApp, generateApp } from './generated-app.js';

const run = promisify(execFile);
const root = new URL('../../', import.meta.url).pathname;
const lib = join(root, 'libs/async-endpoints/');
const MINUTES = 60_000;
const PEERS = ['class-transformer', 'class-validator', 'ioredis', 'nestjs-cls', '@opentelemetry/api'];
/** What these test is different code in Nest 11 and 12. */
const DIFFERENT = [
  'test/worker/shutdown.e2e-spec.ts',
  'test/http/without-the-module.e2e-spec.ts',
  'test/http/composition.e2e-spec.ts',
  'test/http/async-context.e2e-spec.ts',
  'test/openapi/cli-plugin.e2e-spec.ts',
  'libs/async-endpoints/src/handlers/handler-enhancers.spec.ts',
  'libs/async-endpoints/src/handlers/handler-providers.spec.ts',
  'libs/async-endpoints/src/handlers/payload-class.spec.ts',
];
const TYPESCRIPTS = ['5.4', '5.7'];

/** A repository of git with the package's manifest, and what `npm publish` runs before it reads the manifest. */
async function repository(): Promise<{ cwd: string; setAddresses: () => Promise<unknown> }> {
  const cwd = temporaryFolder();
  await run('git', ['init', '-q'], { cwd });
  await cp(join(lib, 'package.json'), join(cwd, 'package.json'));
  const script = new URL('../../scripts/set-addresses.mjs', import.meta.url).pathname;
  return { cwd, setAddresses: () => run(process.execPath, [script], { cwd }) };
}

/** Jest ends by itself, and has run these files. */
async function passesJest(app: GeneratedApp, command: string, ...files: RegExp[]): Promise<void> {
  const { stderr } = await app.npm(...command.split(' ').slice(1), '--', '--testTimeout=60000'); // 5 s is little on a busy machine
  for (const file of files) expect(stderr).toMatch(file);
  expect(stderr).not.toMatch(/did not exit|failed to exit|force exited/);
}

describe('The package', () => {
  let folder: string;
  let tarball: string;

  beforeAll(async () => {
    folder = temporaryFolder();
    const { stdout } = await run('npm', ['pack', lib, '--json', '--pack-destination', folder]);
    tarball = join(folder, (JSON.parse(stdout) as { filename: string }[])[0]?.filename as string);
  }, MINUTES);

  it('contains only its exports', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    for (const entry of [
      'index',
      'client/index',
      'config/index',
      'stores/postgres/index',
      'stores/sqlite/index',
      'dashboard/index',
      'health/index',
      'store/index',
      'telemetry/index',
      'testing/index',
    ]) {
      expect(files).toContain(`package/dist/${entry}.js`);
      expect(files).toContain(`package/dist/${entry}.d.ts`);
      expect(files).toContain(`package/dist/cjs/${entry}.js`);
      expect(files).toContain(`package/dist/cjs/${entry}.d.ts`);
    }
    expect(files).toContain('package/dist/dashboard/page/app.js');
    expect(files).toContain('package/dist/cjs/dashboard/page/app.js');
    expect(files).toContain('package/dist/cli/main.js');
    expect(files).toContain('package/README.md');
    expect(files).toContain('package/LICENSE');
    expect(files.filter((file) => /spec|properties|\.ts$/.test(file) && !file.endsWith('.d.ts'))).toEqual([]);
  });

  it('contains every document that its documents link to', async () => {
    const { stdout } = await run('tar', ['-tzf', tarball]);
    const files = stdout.trim().split('\n');
    const documents = files.filter((file) => file.endsWith('.md'));
    expect(documents).toEqual(expect.arrayContaining(['package/docs/nest.md', 'package/docs/testing.md']));
    const linked = await Promise.all(
      documents.map(async (document) => {
        const { stdout: text } = await run('tar', ['-xzOf', tarball, document]);
        const links = [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+\.md)/g)];
        return links.map(([, path]) => join(dirname(document), path as string));
      }),
    );
    expect(linked.flat().filter((path) => !files.includes(path))).toEqual([]);
  });

  it.each([
    ['git@example.com:owner/name.git', 'https://example.com/owner/name'],
    ['https://user:secret@example.com/owner/name', 'https://example.com/owner/name'],
    ['ssh://git@example.com:22/group/owner/name.git', 'https://example.com/group/owner/name'],
  ])('is published with the address of its repository, here %s', async (origin, url) => {
    const { cwd, setAddresses } = await repository();
    await run('git', ['remote', 'add', 'origin', origin], { cwd });
    await setAddresses();
    expect(JSON.parse(await readFile(join(cwd, 'package.json'), 'utf8'))).toMatchObject({
      repository: { type: 'git', url: `git+${url}.git` },
      homepage: `${url}#readme`,
      bugs: { url: `${url}/issues` },
    });
  });

  it('is not published without the address of its repository', async () => {
    const { setAddresses } = await repository();
    await expect(setAddresses()).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching('git remote add origin'),
    });
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

  describe('in an application generated by @nestjs/cli 11', () => {
    let app: GeneratedApp;
    let redis: RedisServer;

    beforeAll(async () => {
      redis = await startRedisServer();
      app = await generateApp(folder, { REDIS_URL: redis.url }, [tarball, 'commander@14']);
    }, 5 * MINUTES);
    afterAll(async () => {
      await redis?.stop();
      await rm(app.folder, { recursive: true, force: true });
    }, 3 * MINUTES);

    it(
      'passes npm test and npm run test:e2e, with jobs in memory, and the examples of docs/testing.md',
      async () => {
        await app.putExample('greetings.ts', 'src/greetings/greetings.ts');
        await app.putExample('unit.e2e-spec.ts', 'src/greetings/unit.spec.ts');
        await app.putExample('memory.e2e-spec.ts', 'src/greetings/memory.spec.ts');
        await passesJest(app, 'npm test', /PASS src\/greetings\/unit/, /PASS src\/greetings\/memory/);
        await passesJest(app, 'npm run test:e2e', /PASS test\/process-data/);
      },
      3 * MINUTES,
    );

    it('has one copy of every class for require() and import()', async () => {
      const isOne =
        "import('nestjs-async-endpoints').then((m) => console.log(require('nestjs-async-endpoints').JobStore === m.JobStore))";
      const { stdout } = await run(process.execPath, ['-e', isOne], { cwd: app.folder });
      expect(stdout).toBe('true\n');
    });

    it(
      'shows the help of its command line without optional packages, and names all missing ones at once',
      async () => {
        const { stdout } = await app.npx('async-endpoints', '--help');
        expect(stdout).toMatch(/^Usage: async-endpoints/);
        expect((await app.npx('async-endpoints', '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
        const others = 'class-validator (checks the configuration), ioredis (connects to Redis)';
        await expect(app.npx('async-endpoints', 'stats')).rejects.toMatchObject({
          code: 2,
          stderr: `async-endpoints: Missing packages: ${others}. Run: npm install class-validator ioredis\n`,
        });

        const commander = join(app.folder, 'node_modules/commander');
        await rename(commander, `${commander}.away`);
        await expect(app.npx('async-endpoints', '--help')).rejects.toMatchObject({
          code: 2,
          stderr: `async-endpoints: Missing packages: commander (reads the command line), ${others}. Run: npm install commander class-validator ioredis\n`,
        });
        await rename(`${commander}.away`, commander);
      },
      MINUTES,
    );

    describe('with the peers of its features', () => {
      beforeAll(async () => {
        const nest = ['swagger@11', 'terminus@11', 'config@4', 'microservices@11', 'platform-fastify@11'];
        const compilers = TYPESCRIPTS.map((version) => `typescript-${version}@npm:typescript@${version}`);
        await app.install(...nest.map((name) => `@nestjs/${name}`), ...PEERS, ...compilers);
      }, 3 * MINUTES);

      it.each(TYPESCRIPTS)(
        'compiles with TypeScript %s: strict, without skipLibCheck, with exactOptionalPropertyTypes, for ES2020',
        async (version) => {
          const tsc = join(app.folder, `node_modules/typescript-${version}/bin/tsc`);
          await run(process.execPath, [tsc, '-p', 'types'], { cwd: app.folder });
        },
        3 * MINUTES,
      );

      it(
        'passes npm test and npm run test:e2e, with jobs in Redis, also when two applications share it',
        async () => {
          await app.put('src/app.module.redis.ts', 'src/app.module.ts');
          await app.put('test/two-applications.redis.ts', 'test/two-applications.e2e-spec.ts');
          await app.putExample('redis.ts', 'src/greetings/redis.spec.ts');
          await passesJest(app, 'npm test', /PASS src\/greetings\/redis/);
          await passesJest(app, 'npm run test:e2e', /PASS test\/process-data/, /PASS test\/two-applications/);
        },
        3 * MINUTES,
      );

      it(
        'drains, creates controllers, replaces and enhances handlers and describes endpoints on Nest 11 as on Nest 12',
        async () => {
          const vitest = ['vitest', 'run', '--config', 'test/package/nest-11.config.ts', ...DIFFERENT];
          const env = {
            ...process.env,
            NEST_MODULES: join(app.folder, 'node_modules'),
            TEST_REPORT: '',
            NO_COLOR: '1',
          };
          const { stdout } = await run('npx', vitest, { cwd: root, env });
          expect(stdout).toContain(`Test Files  ${DIFFERENT.length} passed`);
        },
        3 * MINUTES,
      );

      it(
        'answers requests in plain JavaScript: submission, waits, events, problems, OpenAPI, health',
        async () => {
          const server = spawn(process.execPath, ['plain.cjs'], {
            cwd: app.folder,
            stdio: ['ignore', 'pipe', 'inherit'],
          });
          const exited = once(server, 'exit');
          try {
            const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
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
            expect(await events.text()).toMatch(/event: status\nid: \S+\ndata: .*"result":"QUIET"/);
            const unknown = await fetch(`${url}/jobs/d0a7d9f6-5a3f-4c57-9a31-7a2b6d2c1f00`);
            expect(unknown.headers.get('content-type')).toMatch(/^application\/problem\+json/);
            const document = (await (await fetch(`${url}/docs-json`)).json()) as object;
            expect(document).not.toHaveProperty(['paths', '/api/shout', 'post', 'responses', '201']);
            expect(document).toMatchObject({
              paths: {
                '/api/shout': { post: { responses: { 202: { links: { status: { operationId: 'getJob' } } } } } },
                '/jobs/{id}': { get: { operationId: 'getJob', responses: { 304: {} } } },
              },
              components: { schemas: { AsyncJob: {}, Shouted: {}, ShoutJob: {} } },
            });
          } finally {
            server.kill('SIGTERM');
          }
          expect(await exited).toEqual([0, null]);
        },
        MINUTES,
      );
    });
  });
});
