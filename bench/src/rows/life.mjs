import { busyMicros, dataBytes } from '../redis-figures.mjs';
import { row } from '../report.mjs';
import { alternate, sweep, byRound } from '../rounds.mjs';

const IN_FLIGHT = 64;

/** P1, P2, P9, P10: jobs are submitted, run and read back. */
export const life = {
  ids: ['P1', 'P2', 'P9', 'P10'],

  async run({ redis, settings, sides }) {
    const { jobs, rounds } = settings;
    const chosen = await chooseSettings(redis, settings, sides);
    for (const [name, side] of Object.entries(sides)) {
      await wholeLife(redis, side, settings.warmUpJobs, chosen[name]);
    }
    const figures = await alternate(
      rounds,
      Object.fromEntries(
        Object.entries(sides).map(([name, side]) => [name, () => wholeLife(redis, side, jobs, chosen[name])]),
      ),
    );
    return rowsOf(figures, chosen);
  },
};

function rowsOf(figures, chosen) {
  const of = (field) => byRound(figures, (figure) => figure[field]);
  const notes = { settings: chosen };
  return [
    row('P1', 'jobs worked per second', { ...of('worked'), unit: '/s', target: ['≥', 5], notes }),
    row('P2', 'submissions per second, 64 in flight', { ...of('submitted'), unit: '/s', target: ['≥', 4] }),
    row('P9', 'Redis CPU per job, by commandstats', { ...of('commandMicros'), unit: 'µs', target: ['≤', 0.22] }),
    row('P9', '… and by the CPU time of its process', { ...of('processMicros'), unit: 'µs' }),
    row('P10', 'Redis memory per queued job', { ...of('queuedBytes'), unit: 'B', target: ['≤', 1] }),
    row('P10', 'Redis memory per finished job', { ...of('finishedBytes'), unit: 'B', target: ['≤', 0.65] }),
  ];
}

/** Chooses the best settings of each side: the concurrency, and for BullMQ the automatic pipelining of ioredis. */
async function chooseSettings(redis, { sweepJobs, concurrencies }, sides) {
  const candidates = {
    ours: concurrencies.ours.map((concurrency) => ({ concurrency })),
    peer: [false, true].flatMap((pipelining) => concurrencies.peer.map((concurrency) => ({ concurrency, pipelining }))),
  };
  const chosen = {};
  for (const [name, side] of Object.entries(sides)) {
    await wholeLife(redis, side, sweepJobs, candidates[name][0]); // cold
    const { best, tried } = await sweep(candidates[name], (setting) => wholeLife(redis, side, sweepJobs, setting));
    const { concurrency, pipelining } = best('worked');
    chosen[name] = { concurrency, pipelining, submitPipelining: best('submitted').pipelining, tried };
  }
  return chosen;
}

export async function wholeLife(redis, side, count, { concurrency, pipelining, submitPipelining = pipelining }) {
  const { port, client } = redis;
  await client.flushall();
  await client.config('RESETSTAT');
  const [bytes, busy] = [await dataBytes(client), await busyMicros(client)];
  const submitted = await side.api.call('submit', { port, count, inFlight: IN_FLIGHT, pipelining: submitPipelining });
  const queuedBytes = await dataBytes(client);
  const worked = await side.worker.call('work', { port, count, concurrency, pipelining });
  const [finishedBytes, busyThen] = [await dataBytes(client), await busyMicros(client)];
  await side.api.call('check', { port, count });
  return {
    submitted: (count / submitted.ms) * 1_000,
    worked: (count / worked.ms) * 1_000,
    queuedBytes: (queuedBytes - bytes) / count,
    finishedBytes: (finishedBytes - bytes) / count,
    commandMicros: (busyThen.commands - busy.commands) / count,
    processMicros: (busyThen.process - busy.process) / count,
  };
}
