/** The most similar known name, or null when none is similar. */
export function didYouMean(name: string, known: Iterable<string>): string | null {
  const near = [...known]
    .map((candidate) => ({ candidate, distance: distanceBetween(name, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.min(2, name.length / 4) || abbreviates(name, candidate))
    .toSorted((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? null;
}

/** Whether the words of one name are all in the other, like `ASYNC_LEASE_MS` and `ASYNC_WORKER_LEASE_MS`. */
function abbreviates(name: string, candidate: string): boolean {
  const words = wordsOf(candidate);
  return wordsOf(name).every((word) => words.includes(word));
}

/** The distance between the whole names, or between their last parts when only the group differs. */
function distanceBetween(name: string, candidate: string): number {
  return Math.min(differing(name, candidate), differing(lastOf(name), lastOf(candidate)) + 1);
}

function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z])(?=[A-Z])/g, '$1.')
    .toLowerCase()
    .split(/[._]/);
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** The number of letters between the common beginning and the common end of both names. A typing error is 1 or 2. */
function differing(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return Math.max(a.length, b.length) - start - end;
}
