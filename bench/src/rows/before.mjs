import { startChild } from '../child.mjs';
import { startRedis } from '../redis-server.mjs';
import { row } from '../report.mjs';
import { alternate, quantile, byRound } from '../rounds.mjs';
import { wholeLife } from './life.mjs';
import { latencies } from './pickup.mjs';
import { reads, statusPaths } from './status-over-http.mjs';
import { submitted } from './submit-over-http.mjs';
import { memoryOfWaiters } from './waiters.mjs';

/** A change may make a figure worse by 3 %. */
const AT_LEAST = ['≥', 0.97];
const AT_MOST = ['≤', 1.03];
const ADAPTERS = ['Express', 'Fastify'];
const CONCURRENCY = 256;

/** Before and after, in one run: this checkout (ours) beside another checkout of the library (the peer). */
export const BEFORE = [
  {
    ids: ['P1', 'P2', 'P9', 'P10'],
    async run({ redis, settings, checkouts }) {
      const figures = await beside(checkouts, settings, async (checkout) => {
        const side = { api: startChild('ours.mjs', checkout), worker: startChild('ours.mjs', checkout) };
        await wholeLife(redis, side, settings.warmUpJobs, { concurrency: CONCURRENCY });
        return () => wholeLife(redis, side, settings.jobs, { concurrency: CONCURRENCY });
      });
      const of = (field) => byRound(figures, (figure) => figure[field]);
      return [
        row('P1', 'jobs worked per second', { ...of('worked'), unit: '/s', target: AT_LEAST }),
        row('P2', 'submissions per second, 64 in flight', { ...of('submitted'), unit: '/s', target: AT_LEAST }),
        row('P9', 'Redis CPU per job, by commandstats', { ...of('commandMicros'), unit: 'µs', target: AT_MOST }),
        row('P9', '… and by the CPU time of its process', { ...of('processMicros'), unit: 'µs' }),
        row('P10', 'Redis memory per queued job', { ...of('queuedBytes'), unit: 'B', target: AT_MOST }),
        row('P10', 'Redis memory per finished job', { ...of('finishedBytes'), unit: 'B', target: AT_MOST }),
      ];
    },
  },
  {
    ids: ['P6'],
    async run({ redis, settings, checkouts }) {
      const figures = await beside(checkouts, settings, async (checkout) => {
        const side = { api: startChild('ours.mjs', checkout), worker: startChild('ours.mjs', checkout) };
        return () => latencies(redis, side, settings.pickups);
      });
      const at = (part) => byRound(figures, (micros) => quantile(micros, part) / 1_000);
      return [
        row('P6', 'pickup by an idle worker, p50', { ...at(0.5), unit: 'ms', target: AT_MOST }),
        row('P6', '… p99', { ...at(0.99), unit: 'ms' }),
      ];
    },
  },
  { ids: ['P3'], run: (given) => overHttp('P3', 'POST → 202, Redis', given, submissions('redis')) },
  { ids: ['P4'], run: (given) => overHttp('P4', 'POST → 202, in memory', given, submissions('memory')) },
  { ids: ['P5'], run: (given) => overHttp('P5', 'GET /jobs/{id}', given, statusReads) },
  {
    ids: ['P14'],
    async run({ redis, settings, checkouts }) {
      const figures = await beside(checkouts, settings, async (checkout) => {
        const side = { api: startChild('ours.mjs', checkout), worker: startChild('ours.mjs', checkout) };
        return () => memoryOfWaiters(redis, settings, side, checkout);
      });
      const each = byRound(figures, (figure) => figure);
      const what = `memory of the process for each of ${settings.waiters.toLocaleString('en')} waiters`;
      return [row('P14', what, { ...each, unit: 'KiB', target: AT_MOST })];
    },
  },
];

/** Prepares the same measurement for both checkouts, then runs them alternately. */
async function beside(checkouts, { rounds }, prepare) {
  const measures = {};
  for (const [side, checkout] of Object.entries(checkouts)) measures[side] = await prepare(checkout);
  return alternate(rounds, measures);
}

async function overHttp(id, what, given, measureOf) {
  const rows = [];
  for (const adapter of ADAPTERS) {
    const figures = await beside(given.checkouts, given.settings, (checkout) => measureOf(given, adapter, checkout));
    const perSecond = byRound(figures, (figure) => figure.perSecond);
    const micros = byRound(figures, ({ cpuMicros }) => cpuMicros);
    rows.push(row(id, `API CPU per ${what}, ${adapter}`, { ...micros, unit: 'µs', target: AT_MOST, perSecond }));
  }
  return rows;
}

function submissions(side) {
  return async ({ redis, settings }, adapter, checkout) => {
    const child = startChild('http-server.mjs', checkout);
    const measure = (seconds) => submitted(redis, child, { ...settings, side, adapter, seconds });
    await measure(Math.ceil(settings.loadSeconds / 2)); // warm-up
    return () => measure(settings.loadSeconds);
  };
}

async function statusReads({ settings }, adapter, checkout) {
  const redis = await startRedis(); // the records of each checkout are its own
  const side = { api: startChild('ours.mjs', checkout), worker: startChild('ours.mjs', checkout) };
  const paths = await statusPaths(redis, side);
  const server = startChild('http-server.mjs', checkout);
  const url = await server.call('start', { side: 'redis', adapter, port: redis.port });
  const { connections, loadSeconds: seconds } = settings;
  const measure = () => reads(server, url, paths, { seconds, connections });
  await measure(); // warm-up
  return measure;
}
