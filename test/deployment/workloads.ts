import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IContainer, IPodTemplateSpec } from 'kubernetes-models/v1';
import type { Manifest } from './manifests.js';

type Template = IPodTemplateSpec & { metadata: { labels: Record<string, string> } };
type CronSpec = { jobTemplate?: { spec?: { template: unknown } } };
type PodSpec = NonNullable<IPodTemplateSpec['spec']>;

/** What makes pods. */
export interface Workload {
  readonly manifest: Manifest;
  readonly spec: NonNullable<IDeployment['spec'] & IStatefulSet['spec']>;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: PodSpec;
  /** The one that runs on, or last. */
  readonly container: IContainer;
  /** With those that run before it. */
  readonly containers: readonly IContainer[];
}

export function ofKind<T = Manifest>(manifests: readonly Manifest[], ...kinds: string[]): (Manifest & T)[] {
  return manifests.filter(({ kind }) => kinds.includes(kind)) as (Manifest & T)[];
}

export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  const all = ofKind<{ spec: CronSpec & Workload['spec'] }>(manifests, 'Deployment', 'StatefulSet', 'CronJob', 'Job');
  return all.map((manifest) => {
    const spec = manifest.spec.jobTemplate?.spec ?? manifest.spec;
    const template = spec.template as Template;
    const pod = template.spec as PodSpec;
    const [container] = pod.containers as [IContainer];
    const containers = [...(pod.initContainers ?? []), container];
    return { manifest, spec: spec as Workload['spec'], labels: template.metadata.labels, pod, container, containers };
  });
}

type Files = Readonly<Record<string, string>>;

/** The files of a ConfigMap or Secret, by key; null where there is none of this name. */
export function filesOf(
  manifests: readonly Manifest[],
  kind: 'ConfigMap' | 'Secret',
  name: string | undefined,
): Files | null {
  const holders = ofKind<{ data?: Files; stringData?: Files }>(manifests, kind);
  const found = holders.find(({ metadata }) => metadata.name === name);
  if (!found) return null;
  const decode = (text: string) => (kind === 'Secret' ? Buffer.from(text, 'base64').toString() : text);
  const decoded = Object.entries(found.data ?? {}).map(([key, text]) => [key, decode(text)]);
  return { ...Object.fromEntries(decoded), ...found.stringData } as Files;
}

/** What is mounted in a container, by absolute path. */
export function mountedFiles(
  manifests: readonly Manifest[],
  { pod }: Workload,
  container: IContainer,
): Map<string, string> {
  const files = new Map<string, string>();
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const { configMap, secret } = pod.volumes?.find((volume) => volume.name === name) ?? {};
    const content = configMap
      ? filesOf(manifests, 'ConfigMap', configMap.name)
      : secret && filesOf(manifests, 'Secret', secret.secretName);
    const all = Object.keys(content ?? {}).map((key) => ({ key, path: key }));
    for (const { key, path } of (configMap ?? secret)?.items ?? all) {
      if (content?.[key] !== undefined) files.set(`${mountPath}/${path}`, content[key]);
    }
  }
  return files;
}

/** The variables that are stated in so many words. */
export function environmentOf({ env = [] }: IContainer): Record<string, string> {
  const stated = env.filter(({ value }) => value !== undefined);
  return Object.fromEntries(stated.map(({ name, value }) => [name, value as string]));
}

/** What the restricted Pod Security Standard forbids, and what we hold ourselves to besides. */
export function restrictedViolations({ manifest, pod, containers }: Workload): string[] {
  const { securityContext: ofPod } = pod;
  const every = (isKept: (container: IContainer) => boolean) => containers.every((container) => isKept(container));
  const rules = {
    'one container': pod.containers.length === 1,
    runAsNonRoot: ofPod?.runAsNonRoot === true && (ofPod.runAsUser ?? 0) > 0,
    seccompProfile: ofPod?.seccompProfile?.type === 'RuntimeDefault',
    'no escalation': every(({ securityContext: own }) => own?.allowPrivilegeEscalation === false && !own.privileged),
    'no capabilities': every(({ securityContext: own }) => isEqual(own?.capabilities, { drop: ['ALL'] })),
    'the user of the pod': every(({ securityContext: own }) => !own?.runAsUser && own?.runAsNonRoot !== false),
    'read-only root': every(({ securityContext: own }) => own?.readOnlyRootFilesystem === true),
    'no host': !pod.hostNetwork && !pod.hostPID && !pod.hostIPC && !pod.volumes?.some(({ hostPath }) => hostPath),
    'no token': pod.automountServiceAccountToken === false,
    limits: every(({ resources }) => Boolean(resources?.limits?.['memory'] && resources.requests?.['memory'])),
    requests: every(({ resources }) => Boolean(resources?.requests?.['cpu'])),
    'a version of the image': every(({ image = '' }) =>
      /^async-endpoints-\w+$|:\d[\w.-]*(@sha256:[\da-f]{64})?$/.test(image),
    ),
  };
  const broken = Object.entries(rules).filter(([, isKept]) => !isKept);
  return broken.map(([rule]) => `${manifest.metadata.name}: ${rule}`);
}

const isEqual = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
