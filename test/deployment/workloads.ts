import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1';
import type { IContainer, IPodTemplateSpec } from 'kubernetes-models/v1';
import type { Manifest } from './manifests.js';

type Template = IPodTemplateSpec & { metadata: { labels: Record<string, string> } };
type PodSpec = NonNullable<IPodTemplateSpec['spec']>;

/** What makes pods, with its one container. */
export interface Workload {
  readonly manifest: Manifest;
  readonly spec: NonNullable<IDeployment['spec'] & IStatefulSet['spec']>;
  readonly labels: Readonly<Record<string, string>>;
  readonly pod: PodSpec;
  readonly container: IContainer;
}

export function ofKind<T = Manifest>(manifests: readonly Manifest[], ...kinds: string[]): (Manifest & T)[] {
  return manifests.filter(({ kind }) => kinds.includes(kind)) as (Manifest & T)[];
}

export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return ofKind<{ spec: Workload['spec'] }>(manifests, 'Deployment', 'StatefulSet').map((manifest) => {
    const template = manifest.spec.template as Template;
    const pod = template.spec as PodSpec;
    return { manifest, spec: manifest.spec, labels: template.metadata.labels, pod, container: pod.containers[0]! };
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
export function mountedFiles(manifests: readonly Manifest[], { pod, container }: Workload): Map<string, string> {
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
export function environmentOf({ container }: Workload): Record<string, string> {
  const stated = (container.env ?? []).filter(({ value }) => value !== undefined);
  return Object.fromEntries(stated.map(({ name, value }) => [name, value as string]));
}

export function restrictedViolations({ manifest, pod, container }: Workload): string[] {
  const { securityContext: ofPod } = pod;
  const { securityContext: own } = container;
  const rules = {
    'one container': pod.containers.length === 1 && !pod.initContainers,
    runAsNonRoot: ofPod?.runAsNonRoot === true && (ofPod.runAsUser ?? 0) > 0,
    seccompProfile: ofPod?.seccompProfile?.type === 'RuntimeDefault',
    'no escalation': own?.allowPrivilegeEscalation === false && own.privileged !== true,
    'no capabilities': own?.capabilities?.drop?.includes('ALL') === true && !own.capabilities.add,
    'read-only root': own?.readOnlyRootFilesystem === true,
    'no host': !pod.hostNetwork && !pod.hostPID && !pod.hostIPC && !pod.volumes?.some(({ hostPath }) => hostPath),
    'no token': pod.automountServiceAccountToken === false,
    limits: Boolean(container.resources?.limits?.['memory'] && container.resources.requests?.['memory']),
    requests: Boolean(container.resources?.requests?.['cpu']),
  };
  const broken = Object.entries(rules).filter(([, isKept]) => !isKept);
  return broken.map(([rule]) => `${manifest.metadata.name}: ${rule}`);
}
