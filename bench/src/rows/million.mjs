import { startRedis } from '../redis-server.mjs';
import { row } from '../report.mjs';
import { alternate, median, byRound } from '../rounds.mjs';

const IN_FLIGHT = 1_000;
/** Batches of 100 measured in each round. */
const TURNS = 5;
const CONCURRENCY = 256;

/**
 * P11, P12, P13: compares the cost with a million stored jobs to that with a thousand. Calls two Redis servers
 * alternately, one with many jobs and one with few.
 */
export const million = {
  ids: ['P11', 'P12', 'P13'],

  async run({ redis: many, settings, sides: { ours } }) {
    const few = await startRedis();
    try {
      return rowsOf(await besideFew({ many, few, settings, ...ours }), settings);
    } finally {
      await few.stop();
    }
  },
};

/** The figures of each round: with many jobs are ours, with few the peer's. */
export async function besideFew({ many, few, settings, api, worker }) {
  const { rounds, some, few: fewJobs } = settings;
  await many.clear();
  // The first round is a warm-up. Each round claims some jobs, and the worker must find as many as it is measured with.
  const claimed = (rounds + 1) * TURNS * 100;
  const total = settings.many + claimed;
  const { sample } = await api.call('submit', { port: many.port, count: total, inFlight: IN_FLIGHT });
  const claims = await alternate(rounds + 1, {
    ours: async () => (await api.call('turns', { port: many.port, turns: TURNS })).claims,
    peer: async () => (await refilled(few, fewJobs, api)).claims,
  });
  const heapAt = [some, settings.many - CONCURRENCY];
  const timeAt = [some, settings.many - some];
  const work = { port: many.port, count: settings.many, size: total, concurrency: CONCURRENCY, heapAt, timeAt };
  const { heaps, times } = await worker.call('work', work);
  await api.call('check', { port: many.port, count: total });
  const finished = await withFinished({ many, few, rounds, fewJobs, api, sample, total });
  const flat = (figures) => ({ ...roundsOf(figures), unit: 'µs' });
  return { claims: flat(claims), settles: flat(finished.settles), reads: flat(finished.reads), heaps, times };
}

function rowsOf({ claims, settles, reads, heaps }, settings) {
  const { some } = settings;
  return [
    row('P11', 'claim, per job: many queued, few queued', { ...claims, target: ['≤', 1.3] }),
    row('P12', 'settle, per job: many finished, few finished', { ...settles, target: ['≤', 1.2] }),
    row('P12', 'status read: many finished, few finished', { ...reads, target: ['≤', 1.2] }),
    row('P13', `worker heap after ${settings.many.toLocaleString('en')} jobs, after ${some.toLocaleString('en')}`, {
      ours: [heaps[1] / 2 ** 20],
      peer: [heaps[0] / 2 ** 20],
      unit: 'MiB',
      target: ['≤', 1.1],
    }),
  ];
}

/** Submits, claims and settles some more jobs, then reads completed ones. */
async function withFinished({ many, few, rounds, fewJobs, api, sample, total }) {
  const reads = { ours: [], peer: [] };
  let finished = total;
  const settles = await alternate(rounds + 1, {
    ours: async () => {
      const more = await submitMore(many, finished, api);
      finished += TURNS * 100;
      reads.ours.push([await api.call('reads', { port: many.port, ids: sample })]);
      return more.settles;
    },
    peer: async () => {
      const { sample: ids, settles: fewSettles } = await refilled(few, fewJobs, api);
      await api.call('turns', { port: few.port, turns: fewJobs / 100 - TURNS });
      await api.call('check', { port: few.port, count: fewJobs });
      reads.peer.push([await api.call('reads', { port: few.port, ids: ids.slice(0, fewJobs) })]);
      return fewSettles;
    },
  });
  await api.call('check', { port: many.port, count: finished });
  return { settles, reads };
}

async function submitMore({ port }, from, api) {
  await api.call('submit', { port, from, count: TURNS * 100, inFlight: IN_FLIGHT });
  return api.call('turns', { port, turns: TURNS });
}

async function refilled({ port, clear }, count, api) {
  await clear();
  const { sample } = await api.call('submit', { port, count, inFlight: IN_FLIGHT });
  return { sample, ...(await api.call('turns', { port, turns: TURNS })) };
}

/** The median of each round, without the first. */
function roundsOf({ ours, peer }) {
  return byRound({ ours: ours.slice(1), peer: peer.slice(1) }, median);
}
