import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { copyOfK8s, ROOT } from './files.js';
import { HAS_REGISTRY, type ImageRegistry, startImageRegistry } from './image-registry.js';
import { build, KUSTOMIZE } from './manifests.js';

const HOSTS = ['docker.io', 'gcr.io', 'registry.example.com'];
const PINNED = /@sha256:[\da-f]{64}$/;

describe('scripts/pin-images.mjs', () => {
  let registry: ImageRegistry;
  let folder: string;

  beforeAll(async () => {
    if (!HAS_REGISTRY) return;
    registry = await startImageRegistry(HOSTS);
    folder = dirname(copyOfK8s());
    for (const file of ['Dockerfile', 'compose.production.yaml', 'compose.postgres.yaml', 'compose.monitoring.yaml'])
      cpSync(join(ROOT, file), join(folder, file));
  });

  afterAll(() => registry?.stop());

  beforeEach((test) => {
    if (!HAS_REGISTRY) test.skip('there is no docker-registry and skopeo here');
  });

  const run = (...args: string[]) => {
    const options = { cwd: folder, env: registry.env, encoding: 'utf8' as const };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(ROOT, 'scripts/pin-images.mjs'), ...args],
      options,
    );
    return { status, stdout, stderr };
  };
  const referencesIn = (text: string, what: string) =>
    text.split('\n').flatMap((line) => (line.includes(` ${what}`) ? (line.split(' ')[0] as string) : []));
  const text = (file: string) => readFileSync(join(folder, file), 'utf8');

  it('with --check, names every image of production that is not pinned, and changes nothing', () => {
    const before = text('Dockerfile');
    const { status, stderr } = run('--check');
    expect(status).toBe(1);
    expect(referencesIn(stderr, 'is not pinned')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^node:/),
        expect.stringMatching(/^gcr\.io\/distroless\//),
        expect.stringMatching(/^caddy:/),
        expect.stringMatching(/^redis:/),
        'registry.example.com/async-endpoints-api:1.0.0',
        'registry.example.com/async-endpoints-worker:1.0.0',
      ]),
    );
    expect(text('Dockerfile')).toBe(before);
  });

  it('pins the images that registries have, and fails with the names of the others', () => {
    const loose = referencesIn(run('--check').stderr, 'is not pinned');
    const isOurs = (reference: string) => reference.startsWith('registry.example.com/');
    for (const reference of loose.filter((one) => !isOurs(one))) registry.push(reference);
    const { status, stderr } = run();
    expect(status).toBe(1);
    expect(referencesIn(stderr, 'cannot be looked up').toSorted()).toEqual(loose.filter(isOurs).toSorted());
    expect(referencesIn(run('--check').stderr, 'is not pinned')).toEqual(loose.filter(isOurs));
    for (const reference of loose.filter(isOurs)) registry.push(reference);
    expect(run()).toMatchObject({ status: 0, stderr: '' });
    expect(run('--check')).toMatchObject({ status: 0, stderr: '' });
  });

  it('pins every image that production pulls or builds on', () => {
    const composed = ['compose.production.yaml', 'compose.postgres.yaml', 'compose.monitoring.yaml'].flatMap((file) => {
      const { services } = parse(text(file)) as { services: Record<string, { image: string }> };
      return Object.values(services).map(({ image }) => image);
    });
    const bases = [...text('Dockerfile').matchAll(/^ARG \w+_IMAGE=(.*)$/gm)].map(([, image]) => image);
    expect(bases).toHaveLength(2);
    // Built on the machine that runs them, of the bases above.
    const pulled = [...bases, ...composed.filter((image) => !image.includes('${VERSION'))];
    expect(pulled.filter((image) => !PINNED.test(String(image)))).toEqual([]);
    if (!KUSTOMIZE) return;
    const manifests = ['production', 'managed-redis'].flatMap((name) => build(join(folder, 'k8s/overlays', name)));
    const images = [...JSON.stringify(manifests).matchAll(/"image":"([^"]*)"/g)].map(([, image]) => String(image));
    expect(images.length).toBeGreaterThan(4);
    expect(images.filter((image) => !PINNED.test(image))).toEqual([]);
  });

  it('updates digests when it runs again', () => {
    const digest = registry.push('redis:7.4-alpine');
    expect(text('compose.production.yaml')).not.toContain(digest);
    expect(run().status).toBe(0);
    expect(text('compose.production.yaml')).toContain(`image: redis:7.4-alpine@${digest}\n`);
    expect(text('k8s/redis/stateful-set.yaml')).toContain(`image: redis:7.4-alpine@${digest}\n`);
  });
});
