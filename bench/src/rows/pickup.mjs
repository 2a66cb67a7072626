import { row } from '../report.mjs';
import { alternate, quantile, byRound } from '../rounds.mjs';

const WARM_UP = 50;

/** P6: how long a job waits for an idle worker. API and worker are two processes. */
export const pickup = {
  ids: ['P6'],

  async run({ redis, settings: { pickups, rounds }, sides }) {
    const runs = Object.entries(sides).map(([name, side]) => [name, () => latencies(redis, side, pickups)]);
    const figures = await alternate(rounds, Object.fromEntries(runs));
    const at = (part) => byRound(figures, (micros) => quantile(micros, part) / 1_000);
    return [
      row('P6', 'pickup by an idle worker, p50', { ...at(0.5), unit: 'ms', target: ['≤', 1] }),
      row('P6', 'pickup by an idle worker, p99', { ...at(0.99), unit: 'ms', target: ['≤', 1] }),
    ];
  },
};

export async function latencies({ port, clear }, { api, worker }, pickups) {
  await clear();
  const count = WARM_UP + pickups;
  await worker.call('startIdle', { port, count, concurrency: 16 });
  const submitted = await api.call('submitPaced', { port, count });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const begun = await worker.call('stopIdle');
  await api.call('check', { port, count });
  return begun.map((at, n) => at - submitted[n]).slice(WARM_UP);
}
