/**
 * Merges sorted sources. It reads from each source only the items that it yields, and one more.
 *
 * @param sources each with its newest item first
 */
export function* newestFirst<T>(sources: readonly Iterator<T>[], isNewer: (a: T, b: T) => boolean): Generator<T> {
  let heads = sources.map((source) => ({ source, next: source.next() }));
  for (;;) {
    heads = heads.filter(({ next }) => !next.done);
    if (heads.length === 0) return;
    const newest = heads.reduce((a, b) => (isNewer(b.next.value as T, a.next.value as T) ? b : a));
    yield newest.next.value as T;
    newest.next = newest.source.next();
  }
}
