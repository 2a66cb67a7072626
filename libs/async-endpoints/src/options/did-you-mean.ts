/** The known name that was probably meant, or null where none is near. */
export function didYouMean(name: string, known: Iterable<string>): string | null {
  const near = [...known]
    .map((candidate) => ({ candidate, distance: distanceBetween(name, candidate) }))
    .filter(({ candidate, distance }) => distance <= name.length / 4 || abbreviates(name, candidate))
    .toSorted((a, b) => a.distance - b.distance);
  return near[0]?.candidate ?? null;
}

/** Whether each word of the one is in the other, as `ASYNC_LEASE_MS` is in `ASYNC_WORKER_LEASE_MS`. */
function abbreviates(name: string, candidate: string): boolean {
  const words = wordsOf(candidate);
  return wordsOf(name).every((word) => words.includes(word));
}

/** Between the whole names, or their last parts where only the group is another. */
function distanceBetween(name: string, candidate: string): number {
  const whole = distanceOf(name.toLowerCase(), candidate.toLowerCase());
  return Math.min(whole, distanceOf(lastOf(name), lastOf(candidate)) + 1);
}

function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z])(?=[A-Z])/g, '$1.')
    .toLowerCase()
    .split(/[._]/);
}

function lastOf(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1).toLowerCase();
}

/** Levenshtein's: how many letters to add, take away or replace. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
