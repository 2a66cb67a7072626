import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { ICronJob } from 'kubernetes-models/batch/v1';
import type { IIngress, INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IService } from 'kubernetes-models/v1';
import { METRICS } from 'nestjs-async-endpoints/telemetry';
import { parse } from 'yaml';
import { settingsOf, shutdownSeconds } from './budget.js';
import { mayReach } from './egress.js';
import { copyOfK8s, PASSWORD, read, writeWithFolders } from './files.js';
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
  'managed PostgreSQL': ['managed-postgres'],
  'blue and green': ['blue-green/live', 'blue-green/blue', 'blue-green/green'],
};

const built = new Map<string, Manifest[]>();
function deployed(name: string): Manifest[] {
  const manifests =
    built.get(name) ??
    DEPLOYED[name]!.flatMap((overlay) => build(join(K8S, 'overlays', overlay)))
      .filter(isFirst)
      .map(switchedToBlue);
  built.set(name, manifests);
  return structuredClone(manifests);
}
/** Blue and green are in one namespace, which is there once. */
const isFirst = (manifest: Manifest, index: number, all: readonly Manifest[]) =>
  all.findIndex((other) => nameOf(other) === nameOf(manifest)) === index || manifest.kind !== 'Namespace';
/** As `switch.sh blue` leaves the one Service that has no color of its own. */
const switchedToBlue = (manifest: Manifest, _index: number, all: readonly Manifest[]) => {
  const selector = manifest.kind === 'Service' ? (manifest as IService).spec?.selector : undefined;
  const isColored = all.some(({ metadata }) => metadata.labels?.['async-endpoints/color'] !== undefined);
  if (isColored && selector?.['app.kubernetes.io/component'] === 'api') selector['async-endpoints/color'] ??= 'blue';
  return manifest;
};
const configOf = (manifests: readonly Manifest[], workload: Workload) =>
  mountedFiles(manifests, workload, workload.container).get(
    environmentOf(workload.container)['ASYNC_CONFIG_FILE'] ?? '',
  ) ?? '';
const isOurs = ({ labels }: Workload) => labels['app.kubernetes.io/name'] === 'async-endpoints';

describe('The manifests in k8s', () => {
  const all = manifestsIn(K8S);
  const base = manifestsIn(join(K8S, 'base')).map(([, manifest]) => manifest);
  const redis = manifestsIn(join(K8S, 'redis')).map(([, manifest]) => manifest);
  const backup = manifestsIn(join(K8S, 'components/backup')).map(([, manifest]) => manifest);
  const workloads = workloadsOf([...base, ...redis, ...backup]);

  it('match the schemas of Kubernetes and KEDA', () => {
    expect(all.flatMap(([path, manifest]) => mistakesOf(manifest).map((mistake) => `${path}: ${mistake}`))).toEqual([]);
    expect(all.length).toBeGreaterThan(15);
  });

  it('are refused with a field that is unknown, missing or of a wrong type', () => {
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

  it('give pods only what they need: the restricted standard, resources, no token', () => {
    const names = workloads.map(({ manifest }) => manifest.metadata.name);
    expect(names.toSorted()).toEqual([
      'async-endpoints-api',
      'async-endpoints-worker',
      'redis',
      'redis-backup',
      'redis-restore',
    ]);
    expect(workloads.flatMap(restrictedViolations)).toEqual([]);
    const [namespace] = manifestsIn(join(K8S, 'namespace')).map(([, manifest]) => manifest);
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  });

  it('probe liveness without Redis, readiness with it, and have a startup probe', () => {
    for (const { container, manifest } of workloads.filter(isOurs)) {
      const { startupProbe, livenessProbe, readinessProbe } = container;
      const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet?.path);
      expect([manifest.metadata.name, ...paths]).toEqual([
        manifest.metadata.name,
        '/health/live',
        '/health/live',
        '/health/ready',
      ]);
      expect((startupProbe?.periodSeconds ?? 0) * (startupProbe?.failureThreshold ?? 0)).toBe(60);
      // The check gives up on Redis after 5 s, and says so.
      expect(readinessProbe?.timeoutSeconds).toBeGreaterThan(5);
    }
  });

  it('admit clients to the API, and only Prometheus to its metrics, documents and health', () => {
    const [api] = workloads.filter(({ container }) => container.name === 'api') as [Workload];
    const policies = ofKind<INetworkPolicy & Manifest>(base, 'NetworkPolicy');
    const { ingress = [] } = policies.find(({ metadata }) => metadata.name === 'async-endpoints-api')?.spec ?? {};
    const fromAnywhere = ingress.filter(({ from }) => !from).flatMap(({ ports = [] }) => ports.map(({ port }) => port));
    expect(fromAnywhere).toEqual(['http']);
    const [others] = ingress.filter(({ from }) => from);
    expect(others?.ports).toEqual([{ port: 'operations' }]);
    expect(JSON.stringify(others?.from)).toContain('"values":["monitoring"]');
    const operations = api.container.ports?.find(({ name }) => name === 'operations')?.containerPort;
    expect(environmentOf(api.container)['OPERATIONS_PORT']).toBe(String(operations));
  });

  it('roll out without losing capacity: one API pod at a time, after its replacement', () => {
    const strategies = workloads.filter(isOurs).map(({ spec }) => (spec as { strategy?: unknown }).strategy);
    expect(strategies).toEqual([
      { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
    ]);
  });

  it('scale the API down again after load: the memory target keeps no idle pods', () => {
    const [autoscaler] = ofKind<IHorizontalPodAutoscaler>(base, 'HorizontalPodAutoscaler');
    const { minReplicas = 1, maxReplicas, metrics = [] } = autoscaler!.spec!;
    const target = metrics.find(({ resource }) => resource?.name === 'memory')?.resource?.target.averageValue;
    const mebibytes = (text: unknown) => Number(/^(\d+)Mi$/.exec(String(text))?.[1]);
    // What docs/deploy-kubernetes.md says that a pod keeps; the last row is the largest load that was measured.
    const measured = [...read('docs/deploy-kubernetes.md').matchAll(/^\|.*\| +(\d+) MiB +\|$/gm)].map(([, size]) =>
      Number(size),
    );
    expect(measured).toHaveLength(4);
    for (const size of measured) {
      let pods = maxReplicas;
      // Kubernetes: ceil(pods x value / target); a ratio within a tenth of 1 changes nothing.
      const desired = () => Math.ceil((pods * size) / mebibytes(target));
      while (desired() < pods && size / mebibytes(target) < 0.9) pods = desired();
      expect([size, Math.max(pods, minReplicas)]).toEqual([size, minReplicas]);
    }
    const [api] = workloads.filter(({ container }) => container.name === 'api') as [Workload];
    // Before the limit is reached, it does start more.
    expect(mebibytes(target) * 1.1).toBeLessThan(mebibytes(api.container.resources?.limits?.['memory']));
    expect(environmentOf(api.container)['NODE_OPTIONS']).toBe(
      /`(--max-old-space-size=\d+)`/.exec(read('docs/deploy-kubernetes.md'))?.[1],
    );
  });

  it('run API and worker separately, with a Service for the API and a headless one for Redis', () => {
    const ours = workloads.filter(isOurs);
    expect(ours.map(({ manifest }) => [manifest.kind, manifest.metadata.name])).toEqual([
      ['Deployment', 'async-endpoints-api'],
      ['Deployment', 'async-endpoints-worker'],
    ]);
    expect(ours.map((workload) => environmentOf(workload.container)['ASYNC_ROLE'])).toEqual(['api', 'worker']);
    const services = ofKind<IService & Manifest>([...base, ...redis], 'Service');
    const clusterIPs = services.map(({ metadata, spec }) => [metadata.name, spec?.type, spec?.clusterIP]);
    expect(clusterIPs).toEqual([
      ['async-endpoints-api', undefined, undefined],
      ['redis', undefined, 'None'],
    ]);
  });

  it('request the resources of the seed, with the same memory limit and twice the CPU as limit', () => {
    const [api, worker] = workloads.filter(isOurs).map(({ container }) => container.resources);
    const requests = { cpu: '250m', memory: '256Mi' };
    expect(api).toEqual({ requests, limits: { cpu: '1', memory: '512Mi' } });
    expect(worker).toEqual(api);
  });

  it('scale the API by CPU and memory, from 3 to 10 pods', () => {
    const [scaler] = ofKind<IHorizontalPodAutoscaler & Manifest>(base, 'HorizontalPodAutoscaler');
    const { minReplicas, maxReplicas, metrics = [], scaleTargetRef } = scaler!.spec!;
    expect([scaleTargetRef.name, minReplicas, maxReplicas]).toEqual(['async-endpoints-api', 3, 10]);
    const targets = metrics.map(({ resource }) => [resource?.name, resource?.target.averageUtilization]);
    expect(targets).toEqual([
      ['cpu', 70],
      ['memory', undefined], // a value, not a part of what is asked for: an API does not give memory back
    ]);
  });

  it('run the command-line tool as a Job of the same image, with access to Redis only', () => {
    const tool = manifestsIn(join(K8S, 'tool')).map(([, manifest]) => manifest);
    const [job] = workloadsOf(tool) as [Workload];
    expect(job.container).toMatchObject({ command: ['async-endpoints'], args: ['audit'] });
    expect(job.container.image).toMatch(/\/async-endpoints-worker:/);
    expect(restrictedViolations(job)).toEqual([]);
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'async-endpoints-secrets' } };
    const passwords = ['redis-password', 'redis-backup-password', 'redis-operator-password'];
    const stringData = Object.fromEntries(passwords.map((name) => [name, 'x']));
    const together = [...base, ...redis, ...tool, { ...secret, stringData } as unknown as Manifest];
    expect(brokenReferences(together).filter((line) => line.includes('async-endpoints-tool'))).toEqual([]);
    // Redis's rule is what lets it in: with another label it stands outside.
    const outside = JSON.parse(
      JSON.stringify(together).replaceAll(
        '"async-endpoints-tool","app.kubernetes.io/part-of":"async-endpoints"',
        '"async-endpoints-tool"',
      ),
    ) as Manifest[];
    expect(brokenReferences(outside).join()).toContain('Job async-endpoints-tool is let out to');
  });

  it('make Redis durable: append-only file, volume, no eviction, memory for a rewrite', () => {
    const [{ spec, container }] = workloadsOf(redis) as [Workload];
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
    // The file, its rewrite and a snapshot: docs/sizing.md.
    expect(spec.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.['storage']).toBe('4Gi');
  });

  it('scale workers by the same existing metrics with and without KEDA', () => {
    const [scaledObject] = ofKind<{ spec: { triggers: { metadata: Record<string, string> }[] } }>(
      all.map(([, manifest]) => manifest),
      'ScaledObject',
    );
    const values = parse(read('k8s/components/worker-scaling-hpa/prometheus-adapter.values.yaml')) as {
      rules: { external: { seriesQuery: string; name: { as: string }; metricsQuery: string }[] };
    };
    const adapted = values.rules.external;
    expect(scaledObject?.spec.triggers.map(({ metadata }) => metadata['query'])).toEqual(
      // The adapter puts the namespace of the autoscaler there.
      adapted.map(({ metricsQuery }) => metricsQuery.replaceAll('<<.LabelMatchers>>', 'namespace="async-endpoints"')),
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
  it('builds manifests that match the schemas', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    expect(deployed(name).flatMap(mistakesOf)).toEqual([]);
  });

  it('names only existing objects, and uses all of them', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = deployed(name);
    // Applied by hand beside the rest, where Redis is one of ours.
    const hasBackup = ofKind(manifests, 'CronJob').length > 0 && ofKind(manifests, 'StatefulSet').length > 0;
    const byHand = manifestsIn(join(K8S, 'components/backup')).map(([, manifest]) => manifest);
    if (hasBackup) {
      const [restore] = ofKind(byHand, 'Job') as [Manifest];
      const { namespace } = manifests.find(({ kind }) => kind === 'StatefulSet')!.metadata;
      manifests.push({ ...restore, metadata: { ...restore.metadata, namespace: namespace! } });
    }
    expect(brokenReferences(manifests)).toEqual([]);
    const withKey = manifests.map((one) => (one.kind === 'Secret' ? { ...one, stringData: { 'api-key': '' } } : one));
    const secrets = ofKind(manifests, 'Secret').map(
      ({ metadata }) => `api-key of Secret ${metadata.name} is used by nobody`,
    );
    expect(brokenReferences(withKey)).toEqual(secrets);
    const namespaces = manifests.map(({ kind, metadata }) =>
      kind === 'Namespace' ? metadata.name : metadata.namespace,
    );
    expect(new Set(namespaces).size).toBe(1);
    expect(ofKind(manifests, 'Namespace')).toHaveLength(1);
  });

  it('gives pods a longer grace period than their configuration needs', async (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = deployed(name);
    for (const workload of workloadsOf(manifests).filter(isOurs)) {
      const isOption = ([key]: [string, string]) => key.startsWith('ASYNC_') && !key.endsWith('_FILE');
      const env = Object.fromEntries(Object.entries(environmentOf(workload.container)).filter(isOption));
      const settings = await settingsOf(configOf(manifests, workload), env);
      const preStop = workload.container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      expect(preStop).toBe(workload.container.name === 'api' ? 10 : 0);
      expect(settings.worker?.drainTimeoutMs).toBe(60_000);
      expect(preStop + shutdownSeconds(settings)).toBeLessThan(workload.pod.terminationGracePeriodSeconds ?? 30);
      // A request that is held is answered before the gateway gives up on it.
      expect(settings.http?.maxWaitMs).toBeLessThan(60_000);
    }
  });

  it('listens on the probed port, sets each variable once, and logs in the format of its environment', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    for (const { container } of workloadsOf(deployed(name)).filter(isOurs)) {
      const names = (container.env ?? []).map((one) => one.name);
      expect([...new Set(names)]).toEqual(names);
      const { PORT, OPERATIONS_PORT = PORT, LOG_LEVEL, LOG_FORMAT } = environmentOf(container);
      for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe]) {
        const probed = container.ports?.find((port) => port.name === probe?.httpGet?.port);
        expect(String(probed?.containerPort)).toBe(OPERATIONS_PORT);
      }
      expect([LOG_LEVEL, LOG_FORMAT]).toEqual([name === 'development' ? 'debug' : 'log', 'json']);
    }
  });

  it('scales by the queues of its own namespace', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const scaledObjects = ofKind<{ spec: { triggers: { metadata: Record<string, string> }[] } }>(
      deployed(name),
      'ScaledObject',
    );
    for (const { metadata, spec } of scaledObjects) {
      const queries = spec.triggers.map((trigger) => trigger.metadata['query'] ?? '');
      const selectors = queries.flatMap((query) => query.match(/\basync_?endpoints?_\w+\{[^}]*\}/g) ?? []);
      expect(selectors).toHaveLength(queries.join().match(/\basync_?endpoints?_/g)?.length ?? 0);
      const others = selectors.filter((selector) => !selector.includes(`namespace="${metadata.namespace}"`));
      expect(others).toEqual([]);
    }
  });

  it('scales workers by a number of jobs that equals the concurrency of one worker', async (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = deployed(name);
    const [worker] = workloadsOf(manifests).filter(({ labels }) => labels['app.kubernetes.io/component'] === 'worker');
    const settings = await settingsOf(configOf(manifests, worker as Workload));
    for (const jobs of jobsPerWorker(manifests)) expect(jobs).toBe(String(settings.worker?.maxConcurrency));
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

  it.for(Object.keys(broken))('that are broken are reported: %s', (what, test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const [kind, find, replacement, said] = broken[what]!;
    const text = deployed('development').map((manifest) => JSON.stringify(manifest));
    const hurt = text.map((one) => (one.includes(`"kind":"${kind}"`) ? one.replace(find, replacement) : one));
    expect(hurt).not.toEqual(text);
    expect(brokenReferences(hurt.map((one) => JSON.parse(one) as Manifest)).join('\n')).toContain(said);
  });
});

describe('The egress of pods', () => {
  const pod = (component: string) => ({
    'app.kubernetes.io/name': 'async-endpoints',
    'app.kubernetes.io/component': component,
  });
  const collector = { namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'otel-collector' } };
  const publicAddress = { address: '203.0.113.7' };
  const inside: readonly string[] = ['10.1.2.3', '172.20.0.1', '192.168.1.1', '169.254.169.254'];
  const withComponents = (...names: string[]) => {
    const components = ['production', 'backup', ...names].map((name) => `../../components/${name}`);
    const literals = ['redis-password=x', 'redis-backup-password=y', 'redis-operator-password=z'];
    const secretGenerator = [
      { name: 'async-endpoints-secrets', literals: [...literals, 's3-access-key=a', 's3-secret-key=b'] },
    ];
    const resources = ['../../namespace', '../../base', '../../redis'];
    const text = JSON.stringify({ namespace: 'own', resources, components, secretGenerator });
    writeWithFolders(join(K8S, 'overlays/reaching/kustomization.yaml'), text);
    return build(join(K8S, 'overlays/reaching'));
  };

  it('is Redis only, and for backups also the remote storage', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = withComponents();
    const redis = { labels: { 'app.kubernetes.io/name': 'redis' } };
    for (const component of ['api', 'worker']) {
      expect(mayReach(manifests, pod(component), redis, 6379)).toBe(true);
      expect(mayReach(manifests, pod(component), redis, 22)).toBe(false);
      expect(mayReach(manifests, pod(component), collector, 4318)).toBe(false);
      expect(mayReach(manifests, pod(component), publicAddress, 443)).toBe(false);
    }
    const backup = { 'app.kubernetes.io/name': 'redis-backup' };
    expect(mayReach(manifests, backup, redis, 6379)).toBe(true);
    expect(mayReach(manifests, backup, publicAddress, 443)).toBe(true);
    expect(inside.filter((address) => mayReach(manifests, backup, { address }, 443))).toEqual([]);
    expect(mayReach(manifests, redis.labels, publicAddress, 443)).toBe(false);
  });

  it('components/telemetry: includes the collector at the address that the pods use', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = withComponents('telemetry');
    expect([...manifests.flatMap(mistakesOf), ...brokenReferences(manifests)]).toEqual([]);
    for (const workload of workloadsOf(manifests).filter(isOurs)) {
      const url = new URL(environmentOf(workload.container)['OTEL_EXPORTER_OTLP_ENDPOINT']!);
      expect(url.hostname).toBe(`${collector.labels['app.kubernetes.io/name']}.${collector.namespace}`);
      expect(mayReach(manifests, workload.labels, collector, Number(url.port))).toBe(true);
      expect(mayReach(manifests, workload.labels, { ...collector, namespace: 'own' }, Number(url.port))).toBe(false);
      expect(mayReach(manifests, workload.labels, publicAddress, 443)).toBe(false);
    }
  });

  it('components/outbound-calls: includes public addresses by HTTPS, for workers only', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = withComponents('outbound-calls');
    expect([...manifests.flatMap(mistakesOf), ...brokenReferences(manifests)]).toEqual([]);
    expect(mayReach(manifests, pod('worker'), publicAddress, 443)).toBe(true);
    expect(mayReach(manifests, pod('worker'), publicAddress, 80)).toBe(false);
    expect(inside.filter((address) => mayReach(manifests, pod('worker'), { address }, 443))).toEqual([]);
    expect(mayReach(manifests, pod('api'), publicAddress, 443)).toBe(false);
  });

  it.for(['production', 'managed-redis', 'managed-postgres', 'blue-green/blue', 'blue-green/green'])(
    'includes more when the comments in %s are enabled',
    (overlay, test) => {
      if (!KUSTOMIZE) test.skip(SKIPPED);
      const folder = join(copyOfK8s(), 'overlays', overlay);
      const path = join(folder, 'kustomization.yaml');
      writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/^ {2}# - /gm, '  - '));
      const manifests = build(folder);
      expect(manifests.flatMap(mistakesOf)).toEqual([]);
      const [api, worker] = ['api', 'worker'].map((name) => {
        const workload = workloadsOf(manifests).find(({ container }) => container.name === name);
        return workload!.labels;
      });
      expect(mayReach(manifests, api!, collector, 4318)).toBe(true);
      expect(mayReach(manifests, api!, publicAddress, 443)).toBe(false);
      expect(mayReach(manifests, worker!, publicAddress, 443)).toBe(true);
      const managed = { address: '10.1.2.3' };
      expect(mayReach(manifests, worker!, managed, 6379)).toBe(overlay === 'managed-redis');
      expect(mayReach(manifests, worker!, managed, 5432)).toBe(overlay === 'managed-postgres');
    },
  );
});

describe('Overlays', () => {
  it('of a managed PostgreSQL name it alone, with its password in a file', async (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const manifests = deployed('managed PostgreSQL');
    expect(JSON.stringify(manifests.filter(({ kind }) => kind !== 'PrometheusRule'))).not.toMatch(
      /ASYNC_REDIS|redis-password|6379/,
    );
    for (const workload of workloadsOf(manifests)) {
      const files = mountedFiles(manifests, workload, workload.container);
      const { ASYNC_POSTGRES_PASSWORD_FILE: file = '' } = environmentOf(workload.container);
      expect(files.get(file)).toBe(PASSWORD);
      const settings = await settingsOf(configOf(manifests, workload));
      expect(settings).toMatchObject({ store: 'postgres', postgres: { connect: 'degraded' } });
      expect(settings.postgres?.url).toMatch(/sslmode=verify-full$/);
    }
  });

  it('do not build without their secrets', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const [command = '', verb = ''] = KUSTOMIZE ?? [];
    const folder = join(copyOfK8s(), 'overlays/production');
    spawnSync('rm', ['-r', join(folder, 'secrets')]);
    expect(spawnSync(command, [verb, folder], { encoding: 'utf8' }).stderr).toContain('secrets/redis-password');
  });

  it('of production and development work without KEDA', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const components = ['../../components/worker-scaling-hpa'];
    const resources = ['../../namespace', '../../base', '../../redis'];
    const literals = ['redis-password=x', 'redis-backup-password=y', 'redis-operator-password=z'];
    const secretGenerator = [{ name: 'async-endpoints-secrets', literals }];
    const path = 'overlays/own/kustomization.yaml';
    writeWithFolders(join(K8S, path), JSON.stringify({ namespace: 'own', resources, components, secretGenerator }));
    const manifests = build(join(K8S, 'overlays/own'));
    expect([...manifests.flatMap(mistakesOf), ...brokenReferences(manifests)]).toEqual([]);
  });

  it('of blue and green differ only in color and version', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const [blue, green] = ['blue', 'green'].map((color) => {
      const text = JSON.stringify(build(join(K8S, 'overlays/blue-green', color)));
      return text
        .replaceAll(new RegExp(`\\b${color}(-\\w{10})?\\b`, 'g'), 'COLOR')
        .replaceAll(/:1\.\d\.0"/g, ':VERSION"');
    });
    expect(blue).toBe(green);
  });

  it('of blue and green have the configuration and Ingress of production, and keep the active color when applied again', (test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const config = (manifests: readonly Manifest[]) =>
      workloadsOf(manifests)
        .filter(isOurs)
        .map((workload) => configOf(manifests, workload));
    const production = deployed('production');
    const both = deployed('blue and green');
    expect(new Set([...config(production), ...config(both)]).size).toBe(1);
    const rules = (manifests: readonly Manifest[]) => ofKind<IIngress>(manifests, 'Ingress').map(({ spec }) => spec);
    expect(rules(both)).toEqual(rules(production));
    expect(ofKind<IService>(both, 'Service').map(({ spec }) => spec?.type ?? 'ClusterIP')).not.toContain(
      'LoadBalancer',
    );
    // A field that the file does not have is left as `kubectl patch` has set it.
    const service = build(join(K8S, 'overlays/blue-green/live')).find(
      ({ kind, metadata }) => kind === 'Service' && metadata.name === 'async-endpoints-api',
    ) as IService;
    expect(service.spec?.selector).toEqual({
      'app.kubernetes.io/name': 'async-endpoints',
      'app.kubernetes.io/component': 'api',
    });
  });

  it.for(['production', 'managed Redis', 'blue and green'])(
    'of %s has an Ingress for the API only, and a nightly backup',
    (name, test) => {
      if (!KUSTOMIZE) test.skip(SKIPPED);
      const manifests = deployed(name);
      const [ingress] = ofKind<IIngress>(manifests, 'Ingress');
      const paths = ingress?.spec?.rules?.flatMap(({ http }) => http?.paths.map(({ path }) => path));
      expect(paths).toEqual(['/api', '/jobs']);
      expect(ingress?.spec?.tls?.flatMap(({ hosts }) => hosts)).toEqual(ingress?.spec?.rules?.map(({ host }) => host));
      expect(JSON.stringify(ingress?.metadata?.annotations ?? {})).not.toMatch(/ssl-redirect|hsts/);
      const [backup] = ofKind<ICronJob>(manifests, 'CronJob');
      expect(backup?.spec?.schedule).toMatch(/^\d+ \d+ \* \* \*$/);
      const variables = environmentOf(backup!.spec!.jobTemplate.spec!.template.spec!.initContainers![0]!);
      const { url, username } = (
        JSON.parse(configOf(manifests, workloadsOf(manifests).find(isOurs)!)) as {
          asyncEndpoints: { redis: { url: string; username: string } };
        }
      ).asyncEndpoints.redis;
      expect(variables['REDIS_HOST']).toBe(new URL(url).hostname);
      expect([variables['REDIS_USERNAME'], username]).toEqual(['backup', 'jobs']);
      expect(variables['REDIS_TLS'] === 'yes').toBe(url.startsWith('rediss:'));
    },
  );

  it('contain no secrets', () => {
    expect(read('.gitignore').split('\n')).toContain('secrets/');
  });
});
