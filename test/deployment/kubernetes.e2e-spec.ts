import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IService } from 'kubernetes-models/v1';
import { METRICS } from 'nestjs-async-endpoints/telemetry';
import { parse } from 'yaml';
import { settingsOf, shutdownSeconds } from './budget.js';
import { copyOfK8s, read, writeWithFolders } from './files.js';
import { build, KUSTOMIZE, type Manifest, manifestsIn, mistakesOf, nameOf } from './manifests.js';
import { brokenReferences } from './references.js';
import { environmentOf, mountedFiles, ofKind, restrictedViolations, type Workload, workloadsOf } from './workloads.js';

const SKIPPED = 'there is no kubectl and no kustomize here';
const K8S = copyOfK8s();
/** What is applied together, by what it is called. */
const DEPLOYED: Readonly<Record<string, string[]>> = {
  development: ['development'],
  production: ['production'],
  'managed Redis': ['managed-redis'],
  'blue and green': ['blue-green/live', 'blue-green/blue', 'blue-green/green'],
};

const built = new Map<string, Manifest[]>();
function deployed(name: string): Manifest[] {
  const manifests =
    built.get(name) ?? DEPLOYED[name]!.flatMap((overlay) => build(join(K8S, 'overlays', overlay))).filter(isFirst);
  built.set(name, manifests);
  return structuredClone(manifests);
}
/** Blue and green are in one namespace, which is there once. */
const isFirst = (manifest: Manifest, index: number, all: readonly Manifest[]) =>
  all.findIndex((other) => nameOf(other) === nameOf(manifest)) === index || manifest.kind !== 'Namespace';
const configOf = (manifests: readonly Manifest[], workload: Workload) =>
  mountedFiles(manifests, workload).get(environmentOf(workload)['ASYNC_CONFIG_FILE'] ?? '') ?? '';
const isOurs = ({ labels }: Workload) => labels['app.kubernetes.io/name'] === 'async-endpoints';

describe('The manifests in k8s', () => {
  const all = manifestsIn(K8S);
  const base = manifestsIn(join(K8S, 'base')).map(([, manifest]) => manifest);
  const redis = manifestsIn(join(K8S, 'redis')).map(([, manifest]) => manifest);
  const workloads = workloadsOf([...base, ...redis]);

  it('obey the schemas of Kubernetes and KEDA (S-57, S-63, S-69, S-71, S-86, S-88)', () => {
    expect(all.flatMap(([path, manifest]) => mistakesOf(manifest).map((mistake) => `${path}: ${mistake}`))).toEqual([]);
    expect(all.length).toBeGreaterThan(15);
  });

  it('would be refused by name with a field that is unknown, missing or of a wrong type', () => {
    const deployment = structuredClone(base.find(({ kind }) => kind === 'Deployment')) as Manifest & {
      spec: { replicas?: unknown; stategy?: object; selector?: object };
    };
    deployment.spec.stategy = {};
    expect(mistakesOf(deployment)).toEqual(['Deployment async-endpoints-api: /spec/stategy is no field']);
    deployment.spec.replicas = 'three';
    expect(mistakesOf(deployment)).toEqual([expect.stringContaining('/spec/replicas must be integer')]);
    deployment.spec = {};
    expect(mistakesOf(deployment)).toEqual([expect.stringContaining('must have required property selector')]);
  });

  it('let pods have nothing that they do not need: the restricted standard, resources, no token (S-59, S-95, S-101)', () => {
    expect(workloads.map(({ manifest }) => manifest.metadata.name)).toHaveLength(3);
    expect(workloads.flatMap(restrictedViolations)).toEqual([]);
    const [namespace] = manifestsIn(join(K8S, 'namespace')).map(([, manifest]) => manifest);
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  it('probe liveness without Redis, readiness with it, and are patient at the start (S-60, S-61, S-62)', () => {
    for (const { container, manifest } of workloads.filter(isOurs)) {
      const { startupProbe, livenessProbe, readinessProbe } = container;
      const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet?.path);
      expect([manifest.metadata.name, ...paths]).toEqual([
        manifest.metadata.name,
        '/health/live',
        '/health/live',
        '/health/ready',
      ]);
      expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBeGreaterThanOrEqual(60);
      // The check gives up on Redis after 5 s, and says so.
      expect(readinessProbe?.timeoutSeconds).toBeGreaterThan(5);
    }
  });

  it('roll without losing capacity: the API one by one, before each another (S-89)', () => {
    const strategies = workloads.filter(isOurs).map(({ spec }) => (spec as { strategy?: unknown }).strategy);
    expect(strategies).toEqual([
      { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
    ]);
  });

  it('keep what is in Redis: append-only file, volume, no eviction, memory for a rewrite (S-69, S-70)', () => {
    const [{ spec, container }] = workloads.filter((workload) => !isOurs(workload)) as [Workload];
    const conf = new Map(
      read('k8s/redis/redis.conf')
        .split('\n')
        .map((line) => line.split(' ') as [string, string]),
    );
    expect(conf.get('appendonly')).toBe('yes');
    expect(conf.get('maxmemory-policy')).toBe('noeviction');
    const data = container.volumeMounts?.find(({ mountPath }) => mountPath === conf.get('dir'));
    expect(spec.volumeClaimTemplates?.map(({ metadata }) => metadata?.name)).toEqual([data?.name]);
    expect([conf.get('maxmemory'), container.resources?.limits?.['memory']]).toEqual(['512mb', '1Gi']);
  });

  it('scale workers alike with KEDA and without, by metrics that exist (S-87)', () => {
    const [scaledObject] = ofKind<{ spec: { triggers: { metadata: Record<string, string> }[] } }>(
      all.map(([, manifest]) => manifest),
      'ScaledObject',
    );
    const values = parse(read('k8s/components/worker-scaling-hpa/prometheus-adapter.values.yaml')) as {
      rules: { external: { seriesQuery: string; name: { as: string }; metricsQuery: string }[] };
    };
    const adapted = values.rules.external;
    expect(scaledObject?.spec.triggers.map(({ metadata }) => metadata['query'])).toEqual(
      adapted.map(({ metricsQuery }) => metricsQuery),
    );
    const series = Object.keys(METRICS).map((name) => name.replaceAll('.', '_'));
    const named = adapted.flatMap(({ seriesQuery, metricsQuery }) =>
      `${seriesQuery} ${metricsQuery}`.match(/\basync_?endpoints?_\w+/g),
    );
    expect(named.filter((name) => !series.includes(name ?? ''))).toEqual([]);

    const autoscaler = manifestsIn(join(K8S, 'components/worker-scaling-hpa')).find(
      ([, { kind }]) => kind === 'HorizontalPodAutoscaler',
    )?.[1] as IHorizontalPodAutoscaler | undefined;
    const external = autoscaler?.spec?.metrics?.map((metric) => metric.external?.metric.name);
    expect(external).toEqual(adapted.map(({ name }) => name.as));
  });
});

describe.each(Object.keys(DEPLOYED))('The overlay %s', (name) => {
  it('builds, of manifests that obey the schemas', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    expect(deployed(name).flatMap(mistakesOf)).toEqual([]);
  });

  it('names nothing that is not there and has nothing that is not used (S-58, S-64, S-77)', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = deployed(name);
    expect(brokenReferences(manifests)).toEqual([]);
    const namespaces = manifests.map(({ kind, metadata }) =>
      kind === 'Namespace' ? metadata.name : metadata.namespace,
    );
    expect(new Set(namespaces).size).toBe(1);
    expect(ofKind(manifests, 'Namespace')).toHaveLength(1);
  });

  it('gives pods longer to end than they need by their configuration (S-90, S-99)', async (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = deployed(name);
    for (const workload of workloadsOf(manifests).filter(isOurs)) {
      const settings = await settingsOf(configOf(manifests, workload));
      const preStop = workload.container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      expect(settings.worker?.drainTimeoutMs).toBe(60_000);
      expect(preStop + shutdownSeconds(settings)).toBeLessThan(workload.pod.terminationGracePeriodSeconds ?? 30);
      // A request that is held is answered before the gateway gives up on it.
      expect(settings.http?.maxWaitSeconds).toBeLessThan(60);
    }
  });

  it('has a worker for as many jobs as one does at once (S-87)', async (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = deployed(name);
    const [worker] = workloadsOf(manifests).filter(({ labels }) => labels['app.kubernetes.io/component'] === 'worker');
    const settings = await settingsOf(configOf(manifests, worker as Workload));
    for (const jobs of jobsPerWorker(manifests)) expect(jobs).toBe(String(settings.worker?.maximumConcurrency));
    expect(jobsPerWorker(manifests)).toHaveLength({ development: 0, 'blue and green': 2 }[name] ?? 1);
  });
});

/** What its scalers say of it. */
function jobsPerWorker(manifests: readonly Manifest[]): (string | undefined)[] {
  const scaledObjects = ofKind<{ spec: { triggers: { metadata: Record<string, string> }[] } }>(
    manifests,
    'ScaledObject',
  );
  const autoscalers = ofKind<IHorizontalPodAutoscaler>(manifests, 'HorizontalPodAutoscaler');
  const external = autoscalers.map(({ spec }) => spec?.metrics?.[0]?.external).filter((metric) => metric !== undefined);
  return [
    ...scaledObjects.map(({ spec }) => spec.triggers[0]?.metadata['threshold']),
    ...external.map(({ target }) => target.averageValue as string | undefined),
  ];
}

describe('References', () => {
  const broken: Record<string, [kind: string, find: RegExp, replacement: string, said: string]> = {
    'a Secret that is not there': ['Secret', /async-endpoints-secrets/, 'others', 'names Secret'],
    'a key that is not there': ['Secret', /redis-password/, 'password', 'redis-password'],
    'a Service of no pod': ['Service', /"async-endpoints"/, '"other"', 'selects 0 workloads'],
    'a port that is not there': ['Service', /"targetPort":"http"/, '"targetPort":"web"', 'leads to port web'],
    'an autoscaler of nothing': [
      'HorizontalPodAutoscaler',
      /"name":"async-endpoints-api"},"target|"async-endpoints-api"}/,
      '"x"}',
      'scales x',
    ],
    'a budget of nothing': ['PodDisruptionBudget', /"component":|"api"/, '"apis"', 'is for 0 workloads'],
    'a closed door': ['NetworkPolicy', /"key":"app.kubernetes.io\/part-of"/, '"key":"part-of"', 'is let out to'],
    'no ServiceAccount': ['ServiceAccount', /"async-endpoints"/, '"other"', 'has no ServiceAccount'],
  };

  it.for(Object.keys(broken))('that are broken are found: %s', (what, test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const [kind, find, replacement, said] = broken[what]!;
    const text = deployed('development').map((manifest) => JSON.stringify(manifest));
    const hurt = text.map((one) => (one.includes(`"kind":"${kind}"`) ? one.replace(find, replacement) : one));
    expect(hurt).not.toEqual(text);
    expect(brokenReferences(hurt.map((one) => JSON.parse(one) as Manifest)).join('\n')).toContain(said);
  });
});

describe('Overlays', () => {
  it('do not build without their secrets', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const [command = '', verb = ''] = KUSTOMIZE ?? [];
    const folder = join(copyOfK8s(), 'overlays/production');
    spawnSync('rm', ['-r', join(folder, 'secrets')]);
    expect(spawnSync(command, [verb, folder], { encoding: 'utf8' }).stderr).toContain('secrets/redis-password');
  });

  it('of production and development can do without KEDA', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const components = ['../../components/worker-scaling-hpa'];
    const resources = ['../../namespace', '../../base', '../../redis'];
    const secretGenerator = [{ name: 'async-endpoints-secrets', literals: ['redis-password=x'] }];
    const path = 'overlays/own/kustomization.yaml';
    writeWithFolders(join(K8S, path), JSON.stringify({ namespace: 'own', resources, components, secretGenerator }));
    const manifests = build(join(K8S, 'overlays/own'));
    expect([...manifests.flatMap(mistakesOf), ...brokenReferences(manifests)]).toEqual([]);
  });

  it('of blue and green differ in nothing but color and version, and one of them is live (S-88)', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const [blue, green] = ['blue', 'green'].map((color) => {
      const text = JSON.stringify(build(join(K8S, 'overlays/blue-green', color)));
      return text
        .replaceAll(new RegExp(`\\b${color}(-\\w{10})?\\b`, 'g'), 'COLOR')
        .replaceAll(/:1\.\d\.0"/g, ':VERSION"');
    });
    expect(blue).toBe(green);
    const service = build(join(K8S, 'overlays/blue-green/live')).find(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === 'async-endpoints-api',
    ) as IService | undefined;
    expect(service?.spec?.selector?.['async-endpoints/color']).toMatch(/^(blue|green)$/);
  });

  it('keep secrets out of the repository', () => {
    expect(read('.gitignore').split('\n')).toContain('secrets/');
  });
});
