import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IIngress, INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type { IContainer, IService } from 'kubernetes-models/v1';
import { type Manifest, nameOf } from './manifests.js';
import { filesOf, ofKind, type Workload, workloadsOf } from './workloads.js';

export type Labels = Readonly<Record<string, string>>;
interface Selector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}
export type Policy = { spec: NonNullable<INetworkPolicy['spec']> };

/** Every name, key, selector and port in these manifests without a target, and every object that nothing refers to. */
export function brokenReferences(manifests: readonly Manifest[]): string[] {
  const workloads = workloadsOf(manifests);
  return [
    ...duplicates(manifests),
    ...workloads.flatMap((workload) => brokenIn(workload, manifests)),
    ...unused(manifests, workloads),
    ...services(manifests, workloads),
    ...scalers(manifests),
    ...budgets(manifests, workloads),
    ...policies(manifests, workloads),
    ...routes(manifests),
  ];
}

function duplicates(manifests: readonly Manifest[]): string[] {
  const names = manifests.map(nameOf);
  return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is there twice`);
}

function brokenIn(workload: Workload, manifests: readonly Manifest[]): string[] {
  const { manifest, spec, labels, pod, containers } = workload;
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name);
  const volumes = pod.volumes ?? [];
  const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
  const spread = pod.topologySpreadConstraints ?? [];
  const has = (kind: string, name = '') => manifests.some((other) => nameOf(other) === `${kind} ${name}`);
  const service = ofKind<IService>(manifests, 'Service').find(({ metadata }) => metadata.name === spec.serviceName);
  const wrong: [boolean, string][] = [
    [!manifest.kind.endsWith('Job') && !selects(spec.selector, labels), 'selects other pods than its own'],
    [Boolean(pod.serviceAccountName) && !has('ServiceAccount', pod.serviceAccountName), 'has no ServiceAccount'],
    [Boolean(spec.serviceName) && service?.spec?.clusterIP !== 'None', 'has no headless Service'],
    ...spread.map(({ labelSelector }): [boolean, string] => [!selects(labelSelector, labels), 'spreads other pods']),
    ...mounts.map((name): [boolean, string] => [
      !claims.includes(name) && !volumes.some((volume) => volume.name === name),
      `mounts ${name}, which is no volume`,
    ]),
    ...volumes.map(({ name }): [boolean, string] => [!mounts.includes(name), `does not mount ${name}`]),
    ...volumes.map(({ persistentVolumeClaim: claim }): [boolean, string] => [
      Boolean(claim) && !claimsIn(manifests).includes(claim!.claimName),
      `claims ${claim?.claimName}`,
    ]),
    ...keysOf(workload).map(({ kind, name, key }): [boolean, string] => {
      const files = filesOf(manifests, kind, name);
      return [!files || (key !== null && files[key] === undefined), `names ${kind} ${name} ${key ?? ''}`];
    }),
    ...containers.flatMap((container) =>
      probedPorts(container).map((port): [boolean, string] => [!hasPort(container, port), `probes port ${port}`]),
    ),
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, what]) => `${nameOf(manifest)} ${what}`);
}

/** Those that are manifests, and those that a StatefulSet makes for its first pod. */
function claimsIn(manifests: readonly Manifest[]): string[] {
  const sets = workloadsOf(ofKind(manifests, 'StatefulSet'));
  const made = sets.flatMap(({ manifest, spec }) =>
    (spec.volumeClaimTemplates ?? []).map(({ metadata }) => `${metadata?.name}-${manifest.metadata.name}-0`),
  );
  return [...ofKind(manifests, 'PersistentVolumeClaim').map(({ metadata }) => metadata.name), ...made];
}

interface KeyReference {
  readonly kind: 'ConfigMap' | 'Secret';
  readonly name: string | undefined;
  /** Null for all of it. */
  readonly key: string | null;
}

function keysOf({ pod, containers }: Workload): KeyReference[] {
  const named = (kind: KeyReference['kind'], name: string | undefined, items: { key: string }[] | undefined) =>
    items ? items.map(({ key }) => ({ kind, name, key })) : [{ kind, name, key: null }];
  const ofVolumes = (pod.volumes ?? []).flatMap(({ configMap, secret }) => [
    ...(configMap ? named('ConfigMap', configMap.name, configMap.items) : []),
    ...(secret ? named('Secret', secret.secretName, secret.items) : []),
  ]);
  const ofVariables = containers.flatMap(({ env = [] }) =>
    env.flatMap(({ valueFrom }) => [
      ...(valueFrom?.configMapKeyRef
        ? named('ConfigMap', valueFrom.configMapKeyRef.name, [valueFrom.configMapKeyRef])
        : []),
      ...(valueFrom?.secretKeyRef ? named('Secret', valueFrom.secretKeyRef.name, [valueFrom.secretKeyRef]) : []),
    ]),
  );
  const ofMaps = containers.flatMap(({ envFrom = [] }) =>
    envFrom.flatMap(({ configMapRef, secretRef }) => [
      ...(configMapRef ? named('ConfigMap', configMapRef.name, undefined) : []),
      ...(secretRef ? named('Secret', secretRef.name, undefined) : []),
    ]),
  );
  return [...ofVolumes, ...ofVariables, ...ofMaps];
}

/** By whole ConfigMaps and Secrets, and by each of their keys. */
function unused(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  const used = workloads.flatMap(keysOf);
  return ofKind(manifests, 'ConfigMap', 'Secret').flatMap((holder) => {
    const { kind, metadata } = holder;
    const uses = used.filter((use) => use.kind === kind && use.name === metadata.name);
    if (uses.length === 0) return [`${nameOf(holder)} is used by nobody`];
    const keys = Object.keys(filesOf(manifests, kind as KeyReference['kind'], metadata.name) ?? {});
    const idle = keys.filter((key) => !uses.some((use) => use.key === null || use.key === key));
    return idle.map((key) => `${key} of ${nameOf(holder)} is used by nobody`);
  });
}

function services(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  return ofKind<IService>(manifests, 'Service').flatMap((service) => {
    const { selector = {}, ports = [] } = service.spec ?? {};
    const selected = workloads.filter(({ labels }) => selects({ matchLabels: selector }, labels));
    if (selected.length !== 1) return [`${nameOf(service)} selects ${selected.length} workloads`];
    const missing = ports.filter(({ targetPort }) => !hasPort(selected[0]!.container, targetPort ?? ''));
    return missing.map(({ targetPort }) => `${nameOf(service)} leads to port ${targetPort}`);
  });
}

function scalers(manifests: readonly Manifest[]): string[] {
  return ofKind<IHorizontalPodAutoscaler>(manifests, 'HorizontalPodAutoscaler', 'ScaledObject').flatMap((scaler) => {
    // KEDA's may leave out the kind.
    const { kind = 'Deployment', name } = scaler.spec!.scaleTargetRef as { kind?: string; name: string };
    const target = workloadsOf(manifests).find(({ manifest }) => nameOf(manifest) === `${kind} ${name}`);
    if (!target) return [`${nameOf(scaler)} scales ${name}, which is not there`];
    // They would be set back with every `kubectl apply`.
    return target.spec.replicas === undefined ? [] : [`${nameOf(scaler)} scales what has a fixed number of replicas`];
  });
}

function budgets(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  return ofKind<IPodDisruptionBudget>(manifests, 'PodDisruptionBudget').flatMap((budget) => {
    const selected = workloads.filter(({ labels }) => selects(budget.spec?.selector as Selector, labels));
    return selected.length === 1 ? [] : [`${nameOf(budget)} is for ${selected.length} workloads`];
  });
}

/** Both ends must allow a connection: who is let out to a pod must be let in there. Policies of a pod add up. */
function policies(manifests: readonly Manifest[], workloads: readonly Workload[]): string[] {
  const all = ofKind<Policy>(manifests, 'NetworkPolicy');
  const of = ({ labels }: Workload) => all.filter(({ spec }) => selects(spec.podSelector, labels));
  const without = workloads.filter((workload) => of(workload).length === 0);
  const missing = without.map(({ manifest }) => `${nameOf(manifest)} has no NetworkPolicy`);
  const idle = all.filter(({ spec }) => !workloads.some(({ labels }) => selects(spec.podSelector, labels)));
  const wrong = workloads.flatMap((workload) => {
    const ingress = of(workload).flatMap(({ spec }) => spec.ingress ?? []);
    const egress = of(workload).flatMap(({ spec }) => spec.egress ?? []);
    const ports = ingress.flatMap((rule) => rule.ports ?? []).map(({ port }) => port ?? '');
    const closed = ports.filter((port) => !hasPort(workload.container, port));
    const refused = egress.flatMap(({ to = [], ports: out = [] }) =>
      to.flatMap(({ podSelector, namespaceSelector }) => {
        if (!podSelector || namespaceSelector) return [];
        const peers = workloads.filter(({ labels }) => selects(podSelector, labels));
        const open = peers.filter((peer) => letsIn(of(peer), peer, workload.labels, out[0]?.port));
        return open.length > 0 && open.length === peers.length ? [] : [JSON.stringify(podSelector)];
      }),
    );
    return [
      ...closed.map((port) => `lets in to port ${port}`),
      ...refused.map((peer) => `is let out to ${peer} only here`),
    ].map((what) => `${nameOf(workload.manifest)} ${what}`);
  });
  return [...missing, ...idle.map((policy) => `${nameOf(policy)} is for no pod`), ...wrong];
}

function letsIn(of: readonly Policy[], { container }: Workload, from: Labels, port: unknown): boolean {
  const number = (name: unknown) => container.ports?.find((known) => known.name === name)?.containerPort ?? name;
  return of
    .flatMap(({ spec }) => spec.ingress ?? [])
    .some(
      (rule) =>
        rule.ports?.some((open) => number(open.port) === number(port)) &&
        (!rule.from || rule.from.some(({ podSelector }) => podSelector && selects(podSelector, from))),
    );
}

function routes(manifests: readonly Manifest[]): string[] {
  const known = ofKind<IService>(manifests, 'Service');
  return ofKind<IIngress>(manifests, 'Ingress').flatMap((ingress) => {
    const paths = (ingress.spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
    const lost = paths.filter(({ backend: { service } }) => {
      const target = known.find(({ metadata }) => metadata.name === service?.name);
      return !target?.spec?.ports?.some(({ name }) => name === service?.port?.name);
    });
    return lost.map(({ path }) => `${nameOf(ingress)} ${path} leads nowhere`);
  });
}

export function selects({ matchLabels = {}, matchExpressions = [] }: Selector = {}, labels: Labels): boolean {
  const isIn = ({ key, operator, values = [] }: { key: string; operator: string; values?: string[] }) =>
    operator === 'In' && values.includes(labels[key] ?? '');
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((one) => isIn(one))
  );
}

function probedPorts({ startupProbe, livenessProbe, readinessProbe }: IContainer): (string | number)[] {
  return [startupProbe, livenessProbe, readinessProbe].flatMap((probe) => (probe?.httpGet ? [probe.httpGet.port] : []));
}

function hasPort({ ports = [] }: IContainer, port: string | number): boolean {
  return ports.some(({ name, containerPort }) => name === port || containerPort === port);
}
