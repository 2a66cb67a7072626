import { startChild } from '../child.mjs';
import { commandStats, countCommands } from '../redis-figures.mjs';
import { row } from '../report.mjs';

/** Longer than the duration of the row. */
const WAIT_SECONDS = 600;

/**
 * P14: the cost of open streams and held responses, each for a different job, on one API process: connections and
 * commands while nothing changes, and memory for each. Then the jobs run, and each must get its end.
 */
export const waiters = {
  ids: ['P14'],

  async run({ redis, settings, sides }) {
    return rowsOf(await held(redis, settings, sides.ours));
  },
};

async function held(redis, settings, { api, worker }, checkout) {
  const server = startChild('http-server.mjs', checkout);
  const holder = startChild('http-client.mjs');
  const http = { maxWaitMs: WAIT_SECONDS * 1_000 };
  const url = await server.call('start', { side: 'redis', adapter: 'Fastify', port: redis.port, http });
  await redis.client.flushall();
  const count = settings.waiters;
  const ids = await api.call('submitAll', { port: redis.port, count });
  const before = await connectionsOf(redis);
  const { kept: keptBefore } = await server.call('memory');
  const sentBefore = await sentTo(redis);
  await holder.call('hold', { url, ids, seconds: WAIT_SECONDS });
  const opening = (await sentWhenQuiet(redis)) - sentBefore;
  const connections = (await connectionsOf(redis)) - before;
  const { sent } = await countCommands(redis.client, settings.idleMs);
  const { kept } = await server.call('memory');
  await worker.call('work', { port: redis.port, count, concurrency: 256 });
  const ended = await holder.call('ends');
  await server.call('stop');
  await Promise.all([server.stop(), holder.stop()]);
  if (ended !== count) throw new Error(`${count} waited, and ${ended} were told the end`);
  const each = (kept - keptBefore) / count / 1_024;
  return { count, connections, opening: opening / count, open: (sent / settings.idleMs) * 1_000, each };
}

/** The memory of an API process for each waiting client, in KiB. */
export async function memoryOfWaiters(redis, settings, side, checkout) {
  return (await held(redis, settings, side, checkout)).each;
}

/** The targets are absolute numbers, not ratios. */
function rowsOf({ count, connections, opening, open, each }) {
  const what = `${count.toLocaleString('en')} open streams and long polls`;
  const line = (text, figure, more) => row('P14', `${what}: ${text}`, { ours: [figure], ...more });
  return [
    line('connections to Redis', connections, { limit: ['≤', 1] }),
    // The connection has a periodic heartbeat, independent of the number of waiters.
    line('commands while nothing happens', open, { unit: '/s', limit: ['≤', 1] }),
    line('commands to open one', opening),
    line('memory of the process for each', each, { unit: 'KiB' }),
  ];
}

async function connectionsOf({ client }) {
  return Number(/connected_clients:(\d+)/.exec(await client.info('clients'))[1]);
}

/** All commands from clients so far, except those that read figures. */
async function sentTo({ client }) {
  const { evalsha, subscribe } = await commandStats(client);
  return (evalsha?.calls ?? 0) + (subscribe?.calls ?? 0);
}

/** The same, after a second without new commands. */
async function sentWhenQuiet(redis) {
  for (let last = -1; ;) {
    const sent = await sentTo(redis);
    if (sent === last) return sent;
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
