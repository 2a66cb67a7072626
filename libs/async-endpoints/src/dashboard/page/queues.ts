import type { Snapshot } from './server.js';

/** One job name, as a row of the overview. */
export interface Queue {
  readonly name: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly oldestMs: number;
  readonly isGrowing: boolean;
  readonly paused: Snapshot['paused'][number] | undefined;
  readonly completed: readonly number[];
  readonly failed: readonly number[];
}

export function queuesOf({ stats, paused, history, growing }: Snapshot): Queue[] {
  const byName = new Map<string, Snapshot['stats'][number][]>(paused.map(({ name }) => [name, []]));
  for (const entry of stats) byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry]);
  const queues = [...byName].map(([name, own]) => {
    const waiting = own.filter(({ status }) => status === 'Queued' || status === 'Scheduled');
    const series = Object.hasOwn(history.names, name) ? history.names[name] : undefined;
    return {
      name,
      counts: Object.fromEntries(own.map(({ status, count }) => [status, count])),
      oldestMs: Math.max(0, ...waiting.map(({ oldestAgeMs }) => oldestAgeMs ?? 0)),
      isGrowing: growing.includes(name),
      paused: paused.find((entry) => entry.name === name),
      completed: series?.completed ?? [],
      failed: series?.failed ?? [],
    };
  });
  return queues.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
