import { startChild } from '../child.mjs';
import { readLoad } from '../load/load.mjs';
import { row } from '../report.mjs';
import { alternate, byRound } from '../rounds.mjs';

const JOBS = 1_000;
const CONCURRENCY = 64;
/** The largest ratio of CPU times to those of BullMQ. */
const TARGETS = { Express: 0.6, Fastify: 0.5 };

/** P5: reading the status of a finished job, beside BullMQ; and what a 304 saves. */
export const statusOverHttp = {
  ids: ['P5'],

  async run({ redis, settings, sides }) {
    await redis.client.flushall();
    const ours = await statusPaths(redis, sides.ours);
    await sides.peer.api.call('submit', { port: redis.port, count: JOBS, inFlight: CONCURRENCY });
    await finish(sides.peer, redis);
    const paths = { redis: ours, bullmq: ours.map((_, n) => ({ path: `/jobs/${n + 1}` })) };
    const rows = [];
    for (const adapter of ['Express', 'Fastify']) rows.push(...(await rowsOf(adapter, paths, redis, settings)));
    return rows;
  },
};

/** Where the statuses of jobs are read that this submits and has worked off. */
export async function statusPaths(redis, side) {
  const ids = await side.api.call('submitAll', { port: redis.port, count: JOBS });
  await finish(side, redis);
  return ids.map((id) => ({ path: `/jobs/${id}` }));
}

async function finish({ api, worker }, { port }) {
  await worker.call('work', { port, count: JOBS, concurrency: CONCURRENCY });
  await api.call('check', { port, count: JOBS });
}

async function rowsOf(adapter, paths, { port }, { rounds, loadSeconds, connections }) {
  const [ours, peer] = [startChild('http-server.mjs'), startChild('http-server.mjs')];
  const oursUrl = await ours.call('start', { side: 'redis', adapter, port });
  const peerUrl = await peer.call('start', { side: 'bullmq', adapter, port });
  const known = await Promise.all(paths.redis.map(({ path }) => withEntityTag(oursUrl, path)));
  await Promise.all(paths.bullmq.map(({ path }) => mustBe(200, peerUrl, path, ({ status }) => status === 'completed')));
  await mustBe(304, oursUrl, known[0].path, null, { 'if-none-match': known[0].entityTag });
  const runs = (seconds) => ({
    status: () => reads(ours, oursUrl, paths.redis, { seconds, connections }),
    peer: () => reads(peer, peerUrl, paths.bullmq, { seconds, connections }),
    notModified: () => reads(ours, oursUrl, known, { seconds, connections }),
  });
  await alternate(1, runs(Math.ceil(loadSeconds / 2))); // warm-up
  const figures = await alternate(rounds, runs(loadSeconds));
  await Promise.all([ours, peer].map((child) => child.call('stop').then(() => child.stop())));
  const rate = byRound(figures, ({ perSecond }) => perSecond);
  const cpu = byRound(figures, ({ cpuMicros }) => cpuMicros);
  const line = (what, is, beside, atMost) =>
    row('P5', `API CPU per ${what}`, {
      ours: cpu[is],
      peer: cpu[beside],
      unit: 'µs',
      target: ['≤', atMost],
      perSecond: { ours: rate[is], peer: rate[beside] },
    });
  return [
    line(`status read, ${adapter}, beside BullMQ`, 'status', 'peer', TARGETS[adapter]),
    line(`304, ${adapter}, beside a 200`, 'notModified', 'status', 0.85),
  ];
}

export async function reads(child, url, paths, shape) {
  const before = await child.call('cpu');
  const load = await readLoad(url, paths, shape);
  return { perSecond: load.perSecond, cpuMicros: ((await child.call('cpu')) - before) / load.requests };
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
