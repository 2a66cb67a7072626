import { startChild } from '../child.mjs';
import { row } from '../report.mjs';
import { alternate, byRound, quantile, sweep } from '../rounds.mjs';
import { sqliteFile } from '../sqlite-file.mjs';
import { besideFew } from './million.mjs';
import { latencies } from './pickup.mjs';

const IN_FLIGHT = 64;
const CANDIDATES = [{ concurrency: 128 }, { concurrency: 256 }, { concurrency: 512 }];
const TARGETS = { full: { submitted: 2.5, worked: 3 }, normal: { submitted: 4, worked: 4.5 } };
const JOBS = 20;
const SETTLING_MS = 2_000;

const side = (file) => ({ api: startChild(file), worker: startChild(file) });

/** Q7, Q8: jobs are submitted and worked off, durably (FULL) and as the peer does it (NORMAL). */
export const sqlite = {
  ids: ['Q7', 'Q8'],
  sides: () => ({ full: side('sqlite-ours.mjs'), normal: side('sqlite-ours.mjs'), plainjob: side('plainjob.mjs') }),

  async run({ settings, sides }) {
    const files = {
      full: await sqliteFile('FULL'),
      normal: await sqliteFile('NORMAL'),
      plainjob: await sqliteFile('NORMAL'),
    };
    const chosen = {};
    for (const name of ['full', 'normal']) {
      const { best } = await sweep(settings.quick ? CANDIDATES.slice(0, 1) : CANDIDATES, async (setting) => ({
        ...(await life(files[name], sides[name], settings.sweepJobs, setting)),
        ...setting,
      }));
      chosen[name] = best('worked');
    }
    const runs = Object.keys(files).map((name) => [
      name,
      () => life(files[name], sides[name], settings.jobs, chosen[name]),
    ]);
    return rowsOf(await alternate(settings.rounds, Object.fromEntries(runs)));
  },
};

function rowsOf(figures) {
  const beside = (name, what, field) => {
    const { [name]: ours, plainjob: peer } = byRound(figures, (figure) => figure[field]);
    const target = ['≥', TARGETS[name][field]];
    return row('Q7', `SQLite, ${name.toUpperCase()}: ${what}, beside plainjob`, { ours, peer, unit: '/s', target });
  };
  const alone = (what, name, field, more) => {
    const { [name]: ours } = byRound(figures, (figure) => figure[field]);
    return row('Q8', `SQLite, ${name.toUpperCase()}: ${what}`, { ours, ...more });
  };
  const late = { unit: 'ms', limit: ['≤', 5] };
  const bytes = { unit: 'B', limit: ['≤', 280] };
  return [
    ...['full', 'normal'].flatMap((name) => [
      beside(name, 'submissions per second, 64 in flight', 'submitted'),
      beside(name, 'jobs worked per second', 'worked'),
      alone('delay of the event loop while submitting, p99', name, 'submitDelayMs', late),
      alone('delay of the event loop while working, p99', name, 'workDelayMs', late),
    ]),
    alone('file per queued job', 'full', 'queuedBytes', bytes),
    alone('file per finished job', 'full', 'finishedBytes', bytes),
  ];
}

async function life(file, { api, worker }, count, setting) {
  const { port } = file;
  await api.call('submit', { port, count: IN_FLIGHT, inFlight: IN_FLIGHT }); // opens the file
  await file.clear();
  await api.call('watchLoop');
  const submitted = await api.call('submit', { port, count, inFlight: IN_FLIGHT });
  const submitDelayMs = await api.call('loopDelay');
  const queuedBytes = file.bytes() / count;
  await worker.call('watchLoop');
  const worked = await worker.call('work', { port, count, ...setting });
  const workDelayMs = await worker.call('loopDelay');
  await api.call('check', { port, count });
  const perSecond = ({ ms }) => (count / ms) * 1_000;
  return {
    submitted: perSecond(submitted),
    worked: perSecond(worked),
    submitDelayMs,
    workDelayMs,
    queuedBytes,
    finishedBytes: file.bytes() / count,
  };
}

/** Q8: how long a job waits for an idle worker of another process. */
export const sqlitePickup = {
  ids: ['Q8'],
  sides: () => ({ ours: side('sqlite-ours.mjs') }),

  async run({ settings: { pickups, rounds }, sides: { ours } }) {
    const figures = { FULL: [], NORMAL: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [synchronous, all] of Object.entries(figures))
        all.push(await latencies({ ...(await sqliteFile(synchronous)), clear() {} }, ours, pickups));
    }
    const rowOf = (synchronous, part, more) => {
      const times = figures[synchronous].map((micros) => quantile(micros, part) / 1_000);
      const what = `pickup by an idle worker of another process, p${part * 100}`;
      return row('Q8', `SQLite, ${synchronous}: ${what}`, { ours: times, unit: 'ms', ...more });
    };
    return Object.keys(figures).flatMap((synchronous) => [
      rowOf(synchronous, 0.5, { limit: ['≤', 1.5] }),
      rowOf(synchronous, 0.99),
    ]);
  },
};

/** Q8: whether a million jobs cost what a thousand do. */
export const sqliteMillion = {
  ids: ['Q8'],
  sides: () => ({ ours: side('sqlite-ours.mjs') }),

  async run({ settings, sides: { ours } }) {
    const [many, few] = [await sqliteFile('NORMAL'), await sqliteFile('NORMAL')];
    for (const { port } of [many, few]) await ours.api.call('submit', { port, count: 1, inFlight: 1 });
    const { claims, settles, reads } = await besideFew({ many, few, settings, ...ours });
    return [
      row('Q8', 'SQLite: claim, per job: many queued, few queued', { ...claims, target: ['≤', 1.2] }),
      row('Q8', 'SQLite: settle, per job: many finished, few finished', { ...settles, target: ['≤', 1.2] }),
      row('Q8', 'SQLite: status read: many finished, few finished', { ...reads, target: ['≤', 1.2] }),
    ];
  },
};

/** Q9: statements of an API and a worker while there is nothing to do, at their default settings. */
export const sqliteIdle = {
  ids: ['Q9'],
  sides: () => ({ ours: side('sqlite-ours.mjs') }),

  async run({ settings: { idleMs }, sides: { ours } }) {
    const { port } = await sqliteFile('FULL');
    await ours.worker.call('startIdle', { port, count: JOBS });
    await ours.api.call('submitPaced', { port, count: JOBS });
    await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    const statements = async () => (await ours.api.call('statements')) + (await ours.worker.call('statements'));
    const before = await statements();
    await new Promise((resolve) => setTimeout(resolve, idleMs));
    const perSecond = ((await statements()) - before) / (idleMs / 1_000);
    await ours.worker.call('stopIdle');
    return [
      row('Q9', 'SQLite: statements of an idle worker and API', { ours: [perSecond], unit: '/s', limit: ['≤', 0.5] }),
    ];
  },
};
