import { startChild } from '../child.mjs';
import { submitLoad } from '../load/load.mjs';
import { row } from '../report.mjs';
import { alternate, medians } from '../rounds.mjs';

/** P3 and P4: what it costs to accept a job by `POST`, beside the same route without a queue and with BullMQ. */
export const submitOverHttp = {
  ids: ['P3', 'P4'],

  async run({ redis, settings }) {
    const sides = ['redis', 'plain', 'bullmq', 'memory'].filter((side) => wanted(side, settings));
    const rows = [];
    for (const adapter of ['Express', 'Fastify']) rows.push(...(await rowsOf(adapter, sides, redis, settings)));
    return rows;
  },
};

function wanted(side, { wants }) {
  if (side === 'memory') return wants('P4');
  return side === 'plain' || wants('P3');
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
  const perSecond = medians(figures, (figure) => figure.perSecond);
  const micros = medians(figures, (figure) => figure.cpuMicros);
  const line = (id, what, ours, peer, target) => [
    row(id, `POST → 202 per second, ${adapter}, ${what}`, {
      ours: perSecond[ours],
      peer: perSecond[peer],
      unit: '/s',
      target,
      notes: { rounds: figures },
    }),
    row(id, '… and CPU of the API for each', { ours: micros[ours], peer: micros[peer], unit: 'µs', target: null }),
  ];
  return [
    ...(settings.wants('P3') ? line('P3', 'a route without a queue', 'redis', 'plain', ['≥', 0.8]) : []),
    ...(settings.wants('P3') ? line('P3', 'a route with BullMQ', 'redis', 'bullmq', ['≥', 1.5]) : []),
    ...(settings.wants('P4') ? line('P4', 'in memory, a route without a queue', 'memory', 'plain', ['≥', 0.9]) : []),
  ];
}

/** One run on a fresh application in a warm process. Then all that was accepted must be there, complete, and be right. */
export async function submitted({ port, client }, child, { side, adapter, seconds, connections }) {
  await client.flushall();
  const url = await child.call('start', { side, adapter, port });
  const before = await child.call('cpu');
  const load = await submitLoad(`${url}/jobs/new`, { seconds, connections });
  const cpuMicros = ((await child.call('cpu')) - before) / load.requests;
  // Those whose answer the load did not wait for may have been accepted, too.
  const most = load.requests + connections;
  const count = await child.call('settle', { size: most + 2 * connections }); // wrk counts ahead
  await child.call('stop');
  if (side !== 'plain' && (count < load.requests || count > most))
    throw new Error(`${load.requests} submissions were answered, and there are ${count} jobs`);
  return { perSecond: load.perSecond, cpuMicros };
}
