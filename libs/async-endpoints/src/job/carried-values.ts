import { isCredential } from './credentials.js';
import type { CarriedValues } from './job.js';

/**
 * The values of these names that are there, as JSON will have them: copied, so that they do not change until they are
 * stored, and without the properties that are named like credentials.
 */
export function carriedValues(names: readonly string[], read: (name: string) => unknown): CarriedValues | undefined {
  let carried: Record<string, unknown> | undefined;
  for (const name of names) {
    const json = JSON.stringify(read(name) ?? undefined, withoutCredentials) as string | undefined;
    if (json !== undefined) (carried ??= {})[name] = JSON.parse(json) as unknown;
  }
  return carried;
}

function withoutCredentials(name: string, value: unknown): unknown {
  return isCredential(name) ? undefined : value;
}
