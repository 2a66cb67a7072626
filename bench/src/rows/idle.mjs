import { countCommands } from '../redis-figures.mjs';
import { row } from '../report.mjs';

const JOBS = 20;
const SETTLING_MS = 2_000;

/** P8: the load of an idle API and worker on Redis, with default settings. */
export const idle = {
  ids: ['P8'],

  async run({ redis, settings: { idleMs }, sides }) {
    const counts = {};
    for (const [name, side] of Object.entries(sides)) counts[name] = await commandsOf(redis, side, idleMs);
    const perSecond = (field) => ({
      ours: [(counts.ours[field] / idleMs) * 1_000],
      peer: [(counts.peer[field] / idleMs) * 1_000],
    });
    const line = (what, field, more) => row('P8', what, { ...perSecond(field), unit: '/s', ...more });
    return [
      line('commands sent by an idle worker and API', 'sent', { limit: ['≤', 1], notes: counts }),
      line('commands that scripts call for an idle worker and API', 'nested'),
    ];
  },
};

async function commandsOf({ port, client }, { api, worker }, ms) {
  await client.flushall();
  await worker.call('startIdle', { port, count: JOBS });
  await api.call('submitPaced', { port, count: JOBS });
  await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
  const count = await countCommands(client, ms);
  await worker.call('stopIdle');
  await api.call('check', { port, count: JOBS });
  return count;
}
