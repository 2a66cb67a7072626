import type { RequestValue } from './job.js';

/**
 * Headers, route values or query values of the request that submitted a job: text, in their order, found by name
 * without regard to case. The same in every store, because it is made from what was stored.
 */
export class RequestValues implements Iterable<RequestValue> {
  constructor(private readonly values: readonly RequestValue[] = []) {}

  /** Values that are also properties, under their lower-case names, as Node has a request's headers. */
  static byName(values: readonly RequestValue[]): RequestValues {
    const named = new RequestValues(values);
    for (const [name, value] of values) {
      const key = name.toLowerCase();
      if (!(key in named)) Object.defineProperty(named, key, { value, enumerable: true });
    }
    return named;
  }

  /** The first value of this name. */
  get(name: string): string | undefined {
    return this.getAll(name)[0];
  }

  /** Every value of this name, in order. */
  getAll(name: string): string[] {
    const wanted = name.toLowerCase();
    return this.values.filter(([given]) => given.toLowerCase() === wanted).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.getAll(name).length > 0;
  }

  [Symbol.iterator](): Iterator<RequestValue> {
    return this.values[Symbol.iterator]();
  }
}
