import { startPostgres } from '../postgres-server.mjs';
import { row } from '../report.mjs';
import { alternate, quantile } from '../rounds.mjs';
import { latencies } from './pickup.mjs';
import { apiAndWorker, besidePeers, postgresSides } from './postgres.mjs';

const MOST = { graphile: 1, boss: 0.8 };
const JOBS = 20;
/** Connections that are idle report what they did within ten seconds. */
const SETTLING_MS = 12_000;

/** Q4: how long a job waits for a worker that has nothing else to do. */
export const postgresPickup = {
  ids: ['Q4'],
  start: startPostgres,
  sides: postgresSides,

  async run({ server, settings: { pickups, rounds }, sides }) {
    const runs = Object.entries(sides).map(([name, side]) => [name, () => latencies(server, side, pickups)]);
    const figures = await alternate(rounds, Object.fromEntries(runs));
    const at = (part) => (micros) => quantile(micros, part) / 1_000;
    return [
      ...besidePeers('Q4', 'pickup by an idle worker, p50', figures, at(0.5), (peer) => ({
        unit: 'ms',
        target: ['≤', MOST[peer]],
      })),
      ...besidePeers('Q4', 'pickup by an idle worker, p99', figures, at(0.99), () => ({ unit: 'ms' })),
    ];
  },
};

/** Q9: transactions of an API and a worker while there is nothing to do, at their default settings. */
export const postgresIdle = {
  ids: ['Q9'],
  start: startPostgres,
  sides: () => ({ ours: apiAndWorker('postgres-ours.mjs') }),

  async run({ server, settings: { idleMs }, sides: { ours } }) {
    const { port } = server;
    await ours.worker.call('startIdle', { port, count: JOBS });
    await ours.api.call('submitPaced', { port, count: JOBS });
    await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
    const before = await transactions(server);
    await new Promise((resolve) => setTimeout(resolve, idleMs + SETTLING_MS));
    const perSecond = ((await transactions(server)) - before - 1) / ((idleMs + SETTLING_MS) / 1_000);
    await ours.worker.call('stopIdle');
    return [
      row('Q9', 'PostgreSQL: statements of an idle worker and API', { ours: [perSecond], unit: '/s', limit: ['≤', 1] }),
    ];
  },
};

async function transactions({ pool }) {
  const { rows } = await pool.query(
    'SELECT (xact_commit + xact_rollback)::int AS count FROM pg_stat_database WHERE datname = current_database()',
  );
  return rows[0].count;
}
