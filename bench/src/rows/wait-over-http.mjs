import { startChild } from '../child.mjs';
import { row } from '../report.mjs';
import { alternate, median, quantile, byRound } from '../rounds.mjs';

const WARM_UP = 200;

/**
 * P7: how long a client waits for the result of a no-op job in one request, with client, API and worker in separate
 * processes, compared with two requests to a route without a wait.
 */
export const waitOverHttp = {
  ids: ['P7'],

  async run({ redis, settings, sides }) {
    const rows = [];
    for (const adapter of ['Express', 'Fastify']) rows.push(await rowOf(adapter, redis, settings, sides.ours.worker));
    return rows;
  },
};

async function rowOf(adapter, { port, client: redis }, { pickups, rounds }, worker) {
  const [ours, peer] = [startChild('http-server.mjs'), startChild('http-server.mjs')];
  const client = startChild('http-client.mjs');
  const oursUrl = await ours.call('start', { side: 'redis', adapter, port });
  const peerUrl = await peer.call('start', { side: 'plain', adapter });
  const count = WARM_UP + pickups;
  const figures = await alternate(rounds, {
    ours: async () => {
      await redis.flushall();
      await worker.call('startIdle', { port, count, concurrency: 16 });
      const micros = await client.call('waits', { url: `${oursUrl}/jobs/new`, count });
      await worker.call('stopIdle');
      return micros.slice(WARM_UP);
    },
    peer: async () => (await client.call('pairs', { url: `${peerUrl}/jobs/new`, count })).slice(WARM_UP),
  });
  await Promise.all([ours, peer].map((child) => child.call('stop')));
  await Promise.all([ours, peer, client].map((child) => child.stop()));
  const at = (part) => byRound(figures, (micros) => quantile(micros, part) / 1_000);
  const p99 = at(0.99);
  return row('P7', `POST with Prefer: wait=5 to its end, p50, ${adapter}, beside two requests`, {
    ...at(0.5),
    unit: 'ms',
    target: ['≤', 2],
    notes: { p99: { ours: median(p99.ours), peer: median(p99.peer) } },
  });
}
