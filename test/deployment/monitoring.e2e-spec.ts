import { dirname, join } from 'node:path';
import type { IPodMonitor } from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { parse } from 'yaml';
import { copyOfK8s, read } from './files.js';
import { build, KUSTOMIZE, type Manifest, nameOf } from './manifests.js';
import { environmentOf, ofKind, workloadsOf } from './workloads.js';

const SKIPPED = 'there is no kubectl and no kustomize here';
const yaml = <T>(path: string) => parse(read(path), { merge: true }) as T;

interface Service {
  readonly environment?: Record<string, string>;
  readonly networks?: string[];
  readonly configs?: { source: string; target: string }[];
  readonly deploy?: { replicas?: number; endpoint_mode?: string };
}
interface Compose {
  readonly services: Record<string, Service>;
  readonly configs?: Record<string, { file: string }>;
}

const [development, production, monitoring] = [
  'compose.yaml',
  'compose.production.yaml',
  'compose.monitoring.yaml',
].map((path) => yaml<Compose>(path)) as [Compose, Compose, Compose];
const DEPLOYED: Readonly<Record<string, Compose>> = {
  development,
  production: {
    services: { ...production.services, ...monitoring.services },
    configs: { ...production.configs, ...monitoring.configs },
  },
};
/** Of the images, where no variable says another. */
const PORT = Number(/\bPORT=(\d+)/.exec(read('Dockerfile'))?.[1]);
const share = (one: Service | undefined, other: Service | undefined) =>
  (one?.networks ?? ['default']).some((network) => (other?.networks ?? ['default']).includes(network));

describe.each(Object.entries(DEPLOYED))('Monitoring with the %s compose file', (name, { services, configs }) => {
  const contentOf = (service: string, path: string) => {
    const { source } = services[service]?.configs?.find(({ target }) => target === path) ?? {};
    return read(configs?.[source ?? '']?.file ?? `no config of ${service} is at ${path}`);
  };

  it('scrapes every replica of API and worker, on their port', () => {
    const { scrape_configs, rule_files } = parse(contentOf('prometheus', '/etc/prometheus/prometheus.yml'), {
      merge: true,
    }) as {
      scrape_configs: { dns_sd_configs: { names: string[]; type: string; port: number }[] }[];
      rule_files: string[];
    };
    const found = scrape_configs.flatMap(({ dns_sd_configs }) => dns_sd_configs).filter(({ port }) => port !== 9100);
    expect(found.map(({ names, type, port }) => ({ names, type, port }))).toEqual([
      { names: ['api'], type: 'A', port: PORT },
      { names: ['worker'], type: 'A', port: PORT },
    ]);
    for (const service of ['api', 'worker']) {
      const { environment, deploy } = services[service] as Service;
      expect([environment?.['PORT'], environment?.['OPERATIONS_PORT']]).toEqual([undefined, undefined]);
      expect(share(services['prometheus'], services[service])).toBe(true);
      // In a swarm, the name of a service would otherwise be one virtual address.
      if (deploy?.replicas) expect(deploy.endpoint_mode).toBe('dnsrr');
    }
    for (const file of rule_files) expect(contentOf('prometheus', `/etc/prometheus/${file}`)).toContain('- alert:');
  });

  it('has Grafana with the data source and the dashboard', () => {
    const [source] = (
      parse(contentOf('grafana', '/etc/grafana/provisioning/datasources/async-endpoints.yml')) as {
        datasources: { type: string; url: string; isDefault: boolean }[];
      }
    ).datasources;
    expect(source).toMatchObject({ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true });
    expect(share(services['grafana'], services['prometheus'])).toBe(true);
    const { providers } = parse(contentOf('grafana', '/etc/grafana/provisioning/dashboards/async-endpoints.yml')) as {
      providers: { options: { path: string } }[];
    };
    const home = services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? '';
    expect(providers.map(({ options }) => options.path)).toEqual([dirname(home)]);
    expect(JSON.parse(contentOf('grafana', home))).toMatchObject({ title: 'Async Endpoints' });
  });

  it('reads the age of backups from the service that reports it', () => {
    const isThere = 'backup-age' in services && share(services['prometheus'], services['backup-age']);
    expect(isThere).toBe(name === 'production');
  });
});

describe('Monitoring on Kubernetes', () => {
  it('has the alerts of deploy/monitoring (npm run docs copies them)', () => {
    const rule = yaml<{ spec: { groups: object[] } }>('k8s/components/monitoring/prometheus-rule.yaml');
    expect(rule.spec).toEqual({ groups: yaml<{ groups: object[] }>('deploy/monitoring/alerts.yml').groups });
  });

  it.for([
    ['production', ['production']],
    ['managed Redis', ['managed-redis']],
    ['blue and green', ['blue-green/live', 'blue-green/blue', 'blue-green/green']],
  ] as const)('scrapes each pod of %s once, where it serves /metrics', ([, overlays], test) => {
    if (!KUSTOMIZE) test.skip(SKIPPED);
    const k8s = copyOfK8s();
    const manifests = overlays.flatMap((overlay) => build(join(k8s, 'overlays', overlay)));
    expect(ofKind(manifests, 'PodMonitor', 'PrometheusRule').map(nameOf)).toEqual([
      'PodMonitor async-endpoints',
      'PrometheusRule async-endpoints',
    ]);
    const pods = workloadsOf(manifests).filter(({ manifest }) => manifest.kind === 'Deployment');
    expect(pods.length).toBeGreaterThan(1);
    const [monitor] = ofKind<IPodMonitor>(manifests, 'PodMonitor') as [Manifest & IPodMonitor];
    const [selector] = monitor.spec.selector.matchExpressions ?? [];
    for (const pod of pods) {
      const component = pod.labels['app.kubernetes.io/component'] ?? '';
      expect(selector?.values).toContain(pod.labels[selector?.key ?? '']);
      expect(monitor.metadata?.namespace).toBe(pod.manifest.metadata.namespace);
      const scraped = (monitor.spec.podMetricsEndpoints ?? []).filter(
        ({ port, relabelings = [] }) =>
          pod.container.ports?.some((open) => open.name === port) &&
          relabelings.every(({ action, regex }) => action !== 'keep' || regex === component),
      );
      const { containerPort } = pod.container.ports?.find((open) => open.name === scraped[0]?.port) ?? {};
      const { PORT: main, OPERATIONS_PORT: operations } = environmentOf(pod.container);
      expect([scraped.length, String(containerPort)]).toEqual([1, operations ?? main]);
    }
  });
});
