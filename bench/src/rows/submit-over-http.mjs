import { startChild } from '../child.mjs';
import { submitLoad } from '../load/load.mjs';
import { row } from '../report.mjs';
import { alternate, byRound } from '../rounds.mjs';

/** The largest ratio of CPU times. */
const TARGETS = {
  Express: { plain: 0.9, bullmq: 0.67, memory: 1.11 },
  Fastify: { plain: 1.25, bullmq: 0.67, memory: 1.15 },
};

/** P3 and P4: the cost of accepting a job by `POST`, compared with the same route without a queue and with BullMQ. */
export const submitOverHttp = {
  ids: ['P3', 'P4'],

  async run({ redis, settings }) {
    const sides = ['redis', 'plain', 'answering', 'bullmq', 'memory'].filter((side) => wanted(side, settings));
    const rows = [];
    for (const adapter of ['Express', 'Fastify']) rows.push(...(await rowsOf(adapter, sides, redis, settings)));
    return rows;
  },
};

function wanted(side, { wants }) {
  if (side === 'memory') return wants('P4');
  return side === 'plain' || side === 'answering' || wants('P3');
}

async function rowsOf(adapter, sides, redis, settings) {
  const children = Object.fromEntries(sides.map((side) => [side, startChild('http-server.mjs')]));
  const measured = (side, seconds) => submitted(redis, children[side], { ...settings, side, adapter, seconds });
  for (const side of sides) await measured(side, Math.ceil(settings.loadSeconds / 2)); // warm-up
  const figures = await alternate(
    settings.rounds,
    Object.fromEntries(sides.map((side) => [side, () => measured(side, settings.loadSeconds)])),
  );
  await Promise.all(Object.values(children).map(({ stop }) => stop()));
  const perSecond = byRound(figures, (figure) => figure.perSecond);
  const micros = byRound(figures, (figure) => figure.cpuMicros);
  const line = (id, what, ours, peer, atMost) =>
    row(id, `API CPU per POST → 202, ${adapter}, ${what}`, {
      ours: micros[ours],
      peer: micros[peer],
      unit: 'µs',
      target: atMost && ['≤', atMost],
      perSecond: { ours: perSecond[ours], peer: perSecond[peer] },
    });
  const targets = TARGETS[adapter];
  return [
    ...(settings.wants('P3') ? [line('P3', 'beside no queue', 'redis', 'plain', targets.plain)] : []),
    ...(settings.wants('P3') ? [line('P3', 'beside BullMQ', 'redis', 'bullmq', targets.bullmq)] : []),
    ...(settings.wants('P3') ? [line('P3', 'beside the same answer without a queue', 'redis', 'answering')] : []),
    ...(settings.wants('P4') ? [line('P4', 'in memory, beside no queue', 'memory', 'plain', targets.memory)] : []),
    ...(settings.wants('P4')
      ? [line('P4', 'in memory, beside the same answer without a queue', 'memory', 'answering')]
      : []),
  ];
}

/**
 * One run on a new application in a warm process. Then all accepted jobs must exist, complete, and have the correct
 * result.
 */
export async function submitted({ port, clear }, child, { side, adapter, seconds, connections }) {
  await clear();
  const url = await child.call('start', { side, adapter, port });
  const before = await child.call('cpu');
  const load = await submitLoad(`${url}/jobs/new`, { seconds, connections });
  const cpuMicros = ((await child.call('cpu')) - before) / load.requests;
  // Jobs whose response the load generator did not wait for may have been accepted, too.
  const most = load.requests + connections;
  const count = await child.call('settle', { size: most + 2 * connections }); // wrk counts ahead
  await child.call('stop');
  const isQueued = side !== 'plain' && side !== 'answering';
  if (isQueued && (count < load.requests || count > most))
    throw new Error(`${load.requests} submissions were answered, and there are ${count} jobs`);
  return { perSecond: load.perSecond, cpuMicros };
}
