/**
 * Neighbours that are alike, together: what they have in common is sent once, behind their number. `alike` names what they
 * have in common.
 */
export function inGroups<T>(items: readonly T[], alike: (item: T) => string): [head: string, items: T[]][] {
  const groups: { head: string; items: T[] }[] = [];
  for (const item of items) {
    const head = alike(item);
    const last = groups.at(-1);
    if (last?.head === head) last.items.push(item);
    else groups.push({ head, items: [item] });
  }
  return groups.map(({ head, items: alikes }) => [`${alikes.length},${head}`, alikes]);
}
