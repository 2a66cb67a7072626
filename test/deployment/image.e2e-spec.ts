import { startRedisServer } from '@app/redis-server';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AppProcess } from '../app-process.js';
import { copiedPaths, stagesOf, textOf, withBases, wordsOf } from './dockerfile.js';
import { read, ROOT } from './files.js';

const STAGES = stagesOf('Dockerfile');
const IMAGES = ['api', 'worker'];

describe('The Dockerfile', () => {
  it('has stages that use earlier ones, with the images last', () => {
    expect(STAGES.map(({ name, from }) => [name, from])).toEqual([
      ['build', '${NODE_IMAGE}'],
      ['node', '${NODE_IMAGE}'],
      ['runtime', '${RUNTIME_IMAGE}'],
      ['worker', 'runtime'],
      ['api', 'runtime'],
    ]);
    expect(read('Dockerfile')).toMatch(/^ARG NODE_IMAGE=node:\d+-\w+-slim(@sha256:\w{64})?$/m); // a version, and not latest
    expect(read('Dockerfile')).toMatch(
      /^ARG RUNTIME_IMAGE=gcr\.io\/distroless\/cc-debian12:nonroot(@sha256:\w{64})?$/m,
    );
  });

  it('copies only files that exist and that .dockerignore allows', () => {
    const allowed = read('.dockerignore').match(/(?<=^!).+/gm) ?? [];
    expect(allowed.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
    const ofContext = copiedPaths(STAGES).filter(({ from }) => from === null);
    expect(ofContext.map(({ path }) => path.replace('./', '')).toSorted()).toEqual(allowed.toSorted());
    expect(read('.dockerignore').split('\n')).toContain('*');

    const ofStages = copiedPaths(STAGES).filter(({ from }) => from !== null);
    const isThere = ({ stage, from }: { stage: string; from: string | null }) =>
      STAGES.findIndex(({ name }) => name === from) < STAGES.findIndex(({ name }) => name === stage);
    expect(ofStages.length).toBeGreaterThan(1);
    expect(ofStages.filter((copied) => !isThere(copied))).toEqual([]);
  });

  it('installs from the lockfile before it copies sources, with a mounted cache and without install scripts', () => {
    const build = STAGES.find(({ name }) => name === 'build')!;
    expect(wordsOf([build], 'COPY')[0]).toEqual(['package.json', 'package-lock.json', './']);
    const [install, ...builds] = textOf([build], 'RUN');
    expect(builds).toEqual([
      'npx nest build api && npx nest build worker && npx nest build async-endpoints',
      'node deploy/docker/runtime-files.mjs /app',
    ]);
    expect(install).toMatch(/^--mount=type=cache,target=\/root\/\.npm npm ci --ignore-scripts /);
    const keywords = build.instructions.map((one) => one.getKeyword());
    expect(keywords.slice(0, keywords.indexOf('RUN'))).toEqual(['FROM', 'WORKDIR', 'COPY']);
    expect(textOf(STAGES, 'RUN').filter((command) => /\bnpm i(nstall)?\b|\bcurl\b|\bsudo\b/.test(command))).toEqual([]);
    expect(wordsOf(STAGES, 'ADD')).toEqual([]);
  });

  it('runs no install script of a dependency such as @scarf/scarf, in the image or in a clone', () => {
    const installs = textOf(STAGES, 'RUN').filter((command) => command.includes('npm ci'));
    expect(installs.filter((command) => !command.includes('npm ci --ignore-scripts'))).toEqual([]);
    expect(read('.npmrc')).toMatch(/^ignore-scripts=true$/m);
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { hasInstallScript?: true }>;
    };
    const scripted = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript);
    const { allowScripts } = JSON.parse(read('package.json')) as { allowScripts: Record<string, boolean> };
    expect(scripted.map((path) => path.replace(/^.*node_modules\//, ''))).toEqual(Object.keys(allowScripts));
    expect(new Set(Object.values(allowScripts))).toEqual(new Set([false]));
  });

  it.each(IMAGES)('builds %s as an image without root that has only the files that it runs', (name) => {
    const stages = withBases(STAGES, name);
    expect(stages[0]!.from).toBe('${RUNTIME_IMAGE}'); // without npm, and without a shell
    expect(copiedPaths(stages).map(({ from, path }) => `${from}:${path}`)).toEqual([
      'node:/node',
      'build:/app',
      'null:deploy/docker/async-endpoints',
      'null:deploy/docker/health-check.mjs',
    ]);
    expect(textOf(stages, 'RUN')).toEqual([]);
    expect(wordsOf(stages, 'WORKDIR')).toEqual([['/app']]);
    // A number, which Kubernetes can see not to be root, and that of the manifests.
    expect(wordsOf(stages, 'USER')).toEqual([['10001:10001']]);
    expect(read(`k8s/base/${name}/deployment.yaml`)).toContain('runAsUser: 10001');
    expect(textOf(stages, 'ENV')).toEqual(['NODE_ENV=production PORT=8080']);
    expect(wordsOf(stages, 'EXPOSE')).toEqual([['8080']]);
    expect(textOf(stages, 'LABEL').join(' ')).toMatch(/title=.*licenses=MIT.*version=.*revision=/);
  });

  it.each(IMAGES)('starts %s as process 1, so that it receives signals', (name) => {
    const stages = withBases(STAGES, name);
    const [entrypoint = ''] = textOf(stages, 'ENTRYPOINT');
    const [command, main] = JSON.parse(entrypoint) as string[];
    expect([command, main]).toEqual(['node', `dist/apps/${name}/src/main.js`]);
    expect(existsSync(join(ROOT, main!))).toBe(true);
    expect([...textOf(stages, 'CMD'), ...textOf(stages, 'SHELL')]).toEqual([]);
  });

  it.each(IMAGES)('checks the health of %s without curl, at the interval of the seed', (name) => {
    const [check = ''] = textOf(withBases(STAGES, name), 'HEALTHCHECK');
    expect(check).toBe('--interval=30s --timeout=3s --start-period=5s --retries=3 CMD ["node", "health-check.mjs"]');
  });
});

describe('The health check of the images', () => {
  it.each(IMAGES)('succeeds when %s is alive, and fails when nothing listens', async (name) => {
    const redis = await startRedisServer();
    onTestFinished(() => redis.stop());
    const app = await new AppProcess(name as 'api' | 'worker', { REDIS_URL: redis.url }).listening();
    onTestFinished(() => app.kill());
    const { port } = new URL(app.client.url);
    expect(await healthCheck(port)).toEqual({ code: 0, error: '' });
    app.signal('SIGTERM');
    expect(await app.exitCode()).toBe(0);
    expect(await healthCheck(port)).toEqual({ code: 1, error: `connect ECONNREFUSED 127.0.0.1:${port}\n` });
  });

  it('fails when the process reports a problem, or does not answer', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/health/live' && !isSilent) response.writeHead(503).end();
    }).listen(0);
    let isSilent = false;
    onTestFinished(() => {
      server.close().closeAllConnections();
    });
    await once(server, 'listening');
    const port = String((server.address() as AddressInfo).port);
    expect(await healthCheck(port)).toEqual({ code: 1, error: '/health/live answered 503\n' });
    isSilent = true;
    expect(await healthCheck(port)).toMatchObject({ code: 1, error: expect.stringContaining('timeout') as string });
  });
});

async function healthCheck(port: string): Promise<{ code: number | null; error: string }> {
  const child = spawn(process.execPath, ['deploy/docker/health-check.mjs'], { cwd: ROOT, env: { PORT: port } });
  let error = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, error };
}
