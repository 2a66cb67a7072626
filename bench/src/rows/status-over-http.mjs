import { startChild } from '../child.mjs';
import { readLoad } from '../load/load.mjs';
import { startRedis } from '../redis-server.mjs';
import { row } from '../report.mjs';
import { alternate, byRound } from '../rounds.mjs';

const JOBS = 1_000;
/** Jobs with a large result, and the objects in it: 100 kB. */
const LARGE = { count: 100, items: 1_000 };
const CONCURRENCY = 64;
/** The largest ratio of CPU times to those of BullMQ. */
const TARGETS = { Express: 0.6, Fastify: 0.5 };
const LARGE_TARGET = 0.35;

/** P5: the cost of reading the status of a completed job, compared with BullMQ; and the cost of a 304. */
export const statusOverHttp = {
  ids: ['P5'],

  async run({ redis, settings, sides }) {
    await redis.client.flushall();
    const small = await bothPaths(redis, sides, { count: JOBS });
    const other = await startRedis();
    const large = await bothPaths(other, sides, LARGE);
    const rows = [];
    for (const adapter of ['Express', 'Fastify']) {
      rows.push(...(await rowsOf(adapter, small, redis, settings)));
      rows.push(await largeRowOf(adapter, large, other, settings));
    }
    return rows;
  },
};

async function bothPaths(redis, sides, jobs) {
  const ours = await statusPaths(redis, sides.ours, jobs);
  await sides.peer.api.call('submit', { port: redis.port, ...jobs, inFlight: CONCURRENCY });
  await finish(sides.peer, redis, jobs);
  return { redis: ours, bullmq: ours.map((_, n) => ({ path: `/jobs/${n + 1}` })) };
}

/** Submits jobs, waits until they are completed, and returns the paths of their statuses. */
export async function statusPaths(redis, side, jobs = { count: JOBS }) {
  const ids = await side.api.call('submitAll', { port: redis.port, ...jobs });
  await finish(side, redis, jobs);
  return ids.map((id) => ({ path: `/jobs/${id}` }));
}

async function finish({ api, worker }, { port }, { count }) {
  await worker.call('work', { port, count, concurrency: CONCURRENCY });
  await api.call('check', { port, count });
}

async function rowsOf(adapter, paths, redis, { rounds, loadSeconds, connections }) {
  const { ours, peer, oursUrl, peerUrl, stop } = await startServers(adapter, redis);
  const known = await Promise.all(paths.redis.map(({ path }) => withEntityTag(oursUrl, path)));
  await mustBeCompleted(peerUrl, paths.bullmq);
  await mustBe(304, oursUrl, known[0].path, null, { 'if-none-match': known[0].entityTag });
  const runs = (seconds) => ({
    status: () => reads(ours, oursUrl, paths.redis, { seconds, connections }),
    peer: () => reads(peer, peerUrl, paths.bullmq, { seconds, connections }),
    notModified: () => reads(ours, oursUrl, known, { seconds, connections }),
  });
  await alternate(1, runs(Math.ceil(loadSeconds / 2))); // warm-up
  const figures = await alternate(rounds, runs(loadSeconds));
  await stop();
  return [
    line(figures, `status read, ${adapter}, beside BullMQ`, 'status', 'peer', TARGETS[adapter]),
    line(figures, `304, ${adapter}, beside a 200`, 'notModified', 'status', 0.85),
  ];
}

async function largeRowOf(adapter, paths, redis, { rounds, loadSeconds: seconds, connections }) {
  const { ours, peer, oursUrl, peerUrl, stop } = await startServers(adapter, redis);
  await mustBeCompleted(oursUrl, paths.redis);
  await mustBeCompleted(peerUrl, paths.bullmq);
  const sides = {
    status: () => reads(ours, oursUrl, paths.redis, { seconds, connections }),
    peer: () => reads(peer, peerUrl, paths.bullmq, { seconds, connections }),
  };
  await alternate(1, sides); // warm-up
  const figures = await alternate(rounds, sides);
  await stop();
  return line(figures, `status read, 100 kB result, ${adapter}, beside BullMQ`, 'status', 'peer', LARGE_TARGET);
}

async function startServers(adapter, { port }) {
  const [ours, peer] = [startChild('http-server.mjs'), startChild('http-server.mjs')];
  const oursUrl = await ours.call('start', { side: 'redis', adapter, port });
  const peerUrl = await peer.call('start', { side: 'bullmq', adapter, port });
  const stop = () => Promise.all([ours, peer].map((child) => child.call('stop').then(() => child.stop())));
  return { ours, peer, oursUrl, peerUrl, stop };
}

function line(figures, what, is, beside, atMost) {
  const rate = byRound(figures, ({ perSecond }) => perSecond);
  const cpu = byRound(figures, ({ cpuMicros }) => cpuMicros);
  return row('P5', `API CPU per ${what}`, {
    ours: cpu[is],
    peer: cpu[beside],
    unit: 'µs',
    target: ['≤', atMost],
    perSecond: { ours: rate[is], peer: rate[beside] },
  });
}

export async function reads(child, url, paths, shape) {
  const before = await child.call('cpu');
  const load = await readLoad(url, paths, shape);
  return { perSecond: load.perSecond, cpuMicros: ((await child.call('cpu')) - before) / load.requests };
}

async function mustBeCompleted(url, paths) {
  const isCompleted = ({ status }) => /^completed$/i.test(status);
  for (const { path } of paths) await mustBe(200, url, path, isCompleted);
}

async function withEntityTag(url, path) {
  const { headers } = await mustBe(200, url, path, ({ status }) => status === 'Completed');
  return { path, entityTag: headers.get('etag') };
}

async function mustBe(status, url, path, isRight, headers = {}) {
  const response = await fetch(url + path, { headers });
  const text = await response.text();
  if (response.status === status && (isRight === null || isRight(JSON.parse(text)))) return response;
  throw new Error(`GET ${path} is ${response.status} ${text}`);
}
