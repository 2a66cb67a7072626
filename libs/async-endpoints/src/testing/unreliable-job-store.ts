import { AsyncEndpointsError } from '../job/errors.js';
import type { JobStore } from '../store/job-store.js';
import { type Gate, gate } from './gate.js';

type Verb = keyof JobStore;

/** A real store with a switch: to see what happens when it goes away, hurt the real thing. */
export interface UnreliableJobStore {
  readonly store: JobStore;
  /** From now on these verbs (default: all) throw `STORE_UNAVAILABLE`, or what is given, and do nothing. */
  fail(options?: { verbs?: Verb[]; error?: unknown }): void;
  /** From now on these verbs (default: all) do not answer before {@link mend}; then they go through. */
  hang(verbs?: Verb[]): void;
  mend(): void;
}

export function unreliable(real: JobStore): UnreliableJobStore {
  let trouble: { verbs?: Verb[]; error?: unknown; mended?: Gate } | undefined;

  const store = new Proxy(real, {
    get(target, verb: Verb) {
      const method = target[verb] as ((...args: unknown[]) => unknown) | undefined;
      if (typeof method !== 'function') return method; // Nest asks for lifecycle hooks, await for `then`
      return async (...args: unknown[]) => {
        const hit = trouble && (trouble.verbs?.includes(verb) ?? true) ? trouble : undefined;
        if (hit?.mended) await hit.mended.opened;
        else if (hit) throw hit.error;
        return method.apply(target, args);
      };
    },
  });

  return {
    store,
    fail: ({ verbs, error = new AsyncEndpointsError('STORE_UNAVAILABLE') } = {}) => (trouble = { verbs, error }),
    hang: (verbs) => (trouble = { verbs, mended: gate() }),
    mend() {
      trouble?.mended?.open();
      trouble = undefined;
    },
  };
}
