import { startChild } from '../child.mjs';
import { row } from '../report.mjs';
import { alternate, byRound } from '../rounds.mjs';

/** P16: what the module costs an application that has nothing to do. Each round is a process of its own. */
export const start = {
  ids: ['P16'],

  async run({ settings: { rounds } }) {
    const figures = await alternate(rounds, { ours: () => measured(true), peer: () => measured(false) });
    const heap = byRound(figures, ({ bytes }) => bytes / 2 ** 20);
    const ours = figures.ours.map(({ ms }) => ms);
    const cpu = figures.ours.map(({ cpuMs }) => cpuMs);
    const more = heap.ours.map((mebibytes, round) => mebibytes - heap.peer[round]);
    return [
      row('P16', 'importing the package, Nest imported before', { ours, unit: 'ms', limit: ['≤', 35] }),
      row('P16', '… and of CPU time', { ours: cpu, unit: 'ms' }),
      row('P16', 'heap of an idle application, more than without the module', {
        ours: more,
        unit: 'MiB',
        limit: ['≤', 2],
      }),
    ];
  },
};

async function measured(withLibrary) {
  const child = startChild('start.mjs');
  const imported = withLibrary ? await child.call('importLibrary') : {};
  const bytes = await child.call('heapOfIdle');
  await child.stop();
  return { ...imported, bytes };
}
