import { countCommands } from '../redis-figures.mjs';
import { row } from '../report.mjs';

const JOBS = 20;
const SETTLING_MS = 2_000;

/** P8: what an API and a worker ask of Redis while there is nothing to do, at their default settings. */
export const idle = {
  ids: ['P8'],

  async run({ redis, settings: { idleMs }, sides }) {
    const counts = {};
    for (const [name, side] of Object.entries(sides)) counts[name] = await commandsOf(redis, side, idleMs);
    const perSecond = (field) => ({
      ours: (counts.ours[field] / idleMs) * 1_000,
      peer: (counts.peer[field] / idleMs) * 1_000,
    });
    const sent = perSecond('sent');
    // The target is a number of commands, not a part of the peer's.
    const line = row('P8', 'commands sent by an idle worker and API', { ...sent, unit: '/s', target: ['≤', 1] });
    return [
      { ...line, met: sent.ours <= 1, target: '≤ 1 /s', notes: counts },
      row('P8', '… and commands called by their scripts', { ...perSecond('nested'), unit: '/s', target: null }),
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
