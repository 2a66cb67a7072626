import { startPostgres } from '../postgres-server.mjs';
import { row } from '../report.mjs';
import { besideFew } from './million.mjs';
import { apiAndWorker } from './postgres.mjs';

/** Q5: whether a million jobs cost what a thousand do. */
export const postgresMillion = {
  ids: ['Q5'],
  start: startPostgres,
  sides: () => ({ ours: apiAndWorker('postgres-ours.mjs') }),

  async run({ server: many, settings, sides: { ours } }) {
    const few = await startPostgres();
    const { claims, settles, reads, times } = await besideFew({ many, few, settings, ...ours });
    const [first, before, last] = times;
    const perSecond = (ms) => [(settings.some / ms) * 1_000];
    return [
      row('Q5', 'PostgreSQL: claim, per job: many queued, few queued', { ...claims, target: ['≤', 1.3] }),
      row('Q5', 'PostgreSQL: settle, per job: many finished, few finished', { ...settles, target: ['≤', 1.2] }),
      row('Q5', 'PostgreSQL: status read: many finished, few finished', { ...reads, target: ['≤', 1.2] }),
      row('Q5', 'PostgreSQL: jobs worked per second, the last of a million, the first', {
        ours: perSecond(last - before),
        peer: perSecond(first),
        unit: '/s',
        target: ['≥', 0.9],
      }),
    ];
  },
};
