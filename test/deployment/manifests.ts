import * as keda from '@kubernetes-models/keda/keda.sh/v1alpha1';
import * as monitoring from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as batch from 'kubernetes-models/batch/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import { parseAllDocuments } from 'yaml';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
}

interface Model {
  readonly prototype: { validate(this: object): void };
}

const MODELS: Readonly<Record<string, object>> = {
  v1: core,
  'apps/v1': apps,
  'autoscaling/v2': autoscaling,
  'batch/v1': batch,
  'keda.sh/v1alpha1': keda,
  'monitoring.coreos.com/v1': monitoring,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
};

/** The command that builds overlays here, if there is one. */
export const KUSTOMIZE = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
].find(([command = '', verb = '']) => spawnSync(command, [verb, '--help']).status === 0);

/** @throws Error what kustomize says, where it refuses */
export function build(folder: string): Manifest[] {
  const [command = '', verb = ''] = KUSTOMIZE ?? [];
  const { status, stdout, stderr } = spawnSync(command, [verb, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${verb} ${folder}: ${stderr}`);
  return parse(stdout);
}

/** The manifests of a folder and those below it, as they are in their files. */
export function manifestsIn(folder: string): [path: string, manifest: Manifest][] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.yaml'));
  const all = paths.flatMap((path) =>
    parse(readFileSync(join(folder, path), 'utf8')).map((manifest): [string, Manifest] => [path, manifest]),
  );
  return all.filter(([, { kind }]) => kind && kind !== 'Kustomization' && kind !== 'Component');
}

function parse(text: string): Manifest[] {
  return parseAllDocuments(text, { merge: true }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    return document.toJS() as Manifest;
  });
}

export const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`;

/** What is wrong with it by Kubernetes's own schemas: a field of a wrong type, one that is missing, or one that is unknown. */
export function mistakesOf(manifest: Manifest): string[] {
  const model = (MODELS[manifest.apiVersion] as Record<string, Model> | undefined)?.[manifest.kind];
  if (!model) return [`${nameOf(manifest)}: no such kind in ${manifest.apiVersion}`];
  const readings = new Readings();
  try {
    model.prototype.validate.call(readings.watch(manifest));
  } catch (error) {
    return [`${nameOf(manifest)}: ${(error as Error).message}`];
  }
  return readings.unread(manifest, '').map((path) => `${nameOf(manifest)}: ${path} is no field`);
}

/** Schemas of Kubernetes allow unknown fields, which its server then drops or refuses. A field that no schema looks at is one. */
class Readings {
  readonly #read = new Map<object, Set<string>>();

  watch<T extends object>(value: T): T {
    const read = this.#read.get(value) ?? new Set();
    this.#read.set(value, read);
    return new Proxy(value, {
      get: (target, key) => {
        const child: unknown = Reflect.get(target, key);
        if (typeof key === 'string') read.add(key);
        return typeof child === 'object' && child !== null && Object.hasOwn(target, key) ? this.watch(child) : child;
      },
    });
  }

  unread(value: unknown, path: string): string[] {
    if (typeof value !== 'object' || value === null) return [];
    const read = this.#read.get(value);
    return Object.entries(value).flatMap(([key, child]) =>
      read && !read.has(key) ? [`${path}/${key}`] : this.unread(child, `${path}/${key}`),
    );
  }
}
