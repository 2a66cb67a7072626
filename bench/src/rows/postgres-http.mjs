import { startChild } from '../child.mjs';
import { startPostgres } from '../postgres-server.mjs';
import { row } from '../report.mjs';
import { alternate, byRound } from '../rounds.mjs';
import { submitted } from './submit-over-http.mjs';

/** Q6: accepting a job by `POST`, beside the same route that inserts a row by `pg`. */
export const postgresHttp = {
  ids: ['Q6'],
  start: startPostgres,
  sides: () => ({ postgres: startChild('http-server.mjs'), insert: startChild('http-server.mjs') }),

  async run({ server, settings, sides }) {
    const measured = (side, seconds) =>
      submitted(server, sides[side], { ...settings, side, adapter: 'Fastify', seconds });
    for (const side of Object.keys(sides)) await measured(side, Math.ceil(settings.loadSeconds / 2)); // warm-up
    const runs = Object.keys(sides).map((side) => [side, () => measured(side, settings.loadSeconds)]);
    const figures = await alternate(settings.rounds, Object.fromEntries(runs));
    const { postgres: ours, insert: peer } = byRound(figures, (figure) => figure.perSecond);
    const what = 'PostgreSQL: POST → 202 per second, Fastify, beside a route that inserts one row';
    return [row('Q6', what, { ours, peer, unit: '/s', target: ['≥', 2] })];
  },
};
