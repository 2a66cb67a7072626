import { startChild } from '../child.mjs';
import { startPostgres } from '../postgres-server.mjs';
import { row } from '../report.mjs';
import { alternate, byRound, sweep } from '../rounds.mjs';

const IN_FLIGHT = 64;
/** Calls with one job each are slow on the peers' side: they are measured with fewer jobs. */
const SINGLES = 1 / 20;
const PEERS = { graphile: 'graphile-worker', boss: 'pg-boss' };
const TARGETS = {
  graphile: { worked: 1.2, submitted: 20, keyed: 10, batched: 1.5, cpu: 0.9 },
  boss: { worked: 1.8, submitted: 15, keyed: 10, batched: 1.5, cpu: 0.5 },
};
const MOST_WAL = 1_400;
/** Concurrent jobs, and for the peers how many they fetch at once. */
const CANDIDATES = {
  ours: [{ concurrency: 256 }, { concurrency: 512 }, { concurrency: 1_024 }],
  graphile: [
    { concurrency: 100, batch: 500 },
    { concurrency: 200, batch: 1_000 },
  ],
  boss: [
    { concurrency: 2, batch: 1_000 },
    { concurrency: 4, batch: 500 },
  ],
};

/** A side: two processes. */
export function apiAndWorker(file) {
  return { api: startChild(file), worker: startChild(file) };
}

/** What a row of PostgreSQL is measured with: of each side an API and a worker. */
export function postgresSides() {
  return {
    ours: apiAndWorker('postgres-ours.mjs'),
    graphile: apiAndWorker('graphile-worker.mjs'),
    boss: apiAndWorker('pg-boss.mjs'),
  };
}

/** One row for each peer. */
export function besidePeers(id, what, figures, of, more) {
  return Object.entries(PEERS).map(([peer, name]) => {
    const { ours, [peer]: theirs } = byRound(figures, of);
    return row(id, `PostgreSQL: ${what}, beside ${name}`, { ours, peer: theirs, ...more(peer) });
  });
}

/** Q1, Q2, Q3: jobs are submitted, worked off and read back. */
export const postgres = {
  ids: ['Q1', 'Q2', 'Q3'],
  start: startPostgres,
  sides: postgresSides,

  async run({ server, settings, sides }) {
    const chosen = {};
    for (const [name, side] of Object.entries(sides)) {
      const tried = settings.quick ? CANDIDATES[name].slice(0, 1) : CANDIDATES[name];
      await worked(server, side, settings.sweepJobs, tried[0]); // cold
      const { best } = await sweep(tried, (setting) => worked(server, side, settings.sweepJobs, setting));
      chosen[name] = best('worked');
    }
    const runs = Object.entries(sides).map(([name, side]) => [
      name,
      () => life(server, side, settings.jobs, chosen[name]),
    ]);
    return rowsOf(await alternate(settings.rounds, Object.fromEntries(runs)), chosen);
  },
};

function rowsOf(figures, notes) {
  const rate = (id, what, field) =>
    besidePeers(
      id,
      what,
      figures,
      (figure) => figure[field],
      (peer) => ({ unit: '/s', target: ['≥', TARGETS[peer][field]] }),
    );
  const held = (figure) => figure.held / figure.worked;
  const cpu = besidePeers(
    'Q3',
    "CPU of server and Node for a job's life",
    figures,
    (figure) => figure.cpuMicros,
    (peer) => {
      return { unit: 'µs', target: ['≤', TARGETS[peer].cpu], notes };
    },
  );
  return [
    ...rate('Q1', 'jobs worked per second', 'worked'),
    ...besidePeers('Q1', 'the same while a session holds a snapshot, ÷ without', figures, held, () => ({
      limit: ['≥', 0.8],
    })),
    ...rate('Q2', 'submissions per second, 64 in flight', 'submitted'),
    ...rate('Q2', 'submissions with a key per second, 64 in flight', 'keyed'),
    ...rate('Q2', 'submissions per second in batches of 100', 'batched'),
    ...cpu,
    ...besidePeers(
      'Q3',
      "WAL of a job's life",
      figures,
      (figure) => figure.walBytes,
      () => ({ unit: 'B', limit: ['≤', MOST_WAL] }),
    ),
  ];
}

async function worked(server, side, count, setting) {
  const { port } = server;
  await server.clear();
  await side.api.call('submitBatches', { port, count });
  const { ms } = await side.worker.call('work', { port, count, ...setting });
  await side.api.call('check', { port, count });
  return { worked: perSecond(count, ms), ...setting };
}

async function life(server, side, count, setting) {
  const { port } = server;
  const singles = Math.ceil(count * SINGLES);
  const single = async (call) => {
    await server.clear();
    return perSecond(singles, (await side.api.call(call, { port, count: singles, inFlight: IN_FLIGHT })).ms);
  };
  const [submitted, keyed] = [await single('submit'), await single('submitKeyed')];
  await server.clear();
  const before = await spent(server, side);
  const batched = perSecond(count, (await side.api.call('submitBatches', { port, count })).ms);
  const { ms } = await side.worker.call('work', { port, count, ...setting });
  const after = await spent(server, side);
  await side.api.call('check', { port, count });
  return {
    submitted,
    keyed,
    batched,
    worked: perSecond(count, ms),
    held: await workedWhileHeld(server, side, count, setting),
    cpuMicros: (after.cpuMicros - before.cpuMicros) / count,
    walBytes: (after.walBytes - before.walBytes) / count,
  };
}

async function workedWhileHeld(server, side, count, setting) {
  const { port } = server;
  await server.clear();
  await side.api.call('submitBatches', { port, count });
  const letGo = await server.holdSnapshot();
  const { ms } = await side.worker.call('work', { port, count, ...setting });
  await letGo();
  return perSecond(count, ms);
}

async function spent(server, { api, worker }) {
  const node = (await api.call('cpu')) + (await worker.call('cpu'));
  return { cpuMicros: server.cpuMicros() + node, walBytes: await server.walBytes() };
}

function perSecond(count, ms) {
  return (count / ms) * 1_000;
}
