import { startChild } from '../child.mjs';
import { startPostgres } from '../postgres-server.mjs';
import { row } from '../report.mjs';
import { quantile } from '../rounds.mjs';
import { sqliteFile } from '../sqlite-file.mjs';

const SIDES = { Redis: 'ours.mjs', PostgreSQL: 'postgres-ours.mjs', SQLite: 'sqlite-ours.mjs' };
/** First pages of each filter, and as many following ones. */
const TIMES = 50;

/** D1: how long the store takes for a page of the dashboard, the slowest of all filters, with a million jobs of every status. */
export const dashboard = {
  ids: ['D1'],

  async run({ redis, settings }) {
    const servers = { Redis: redis, PostgreSQL: await startPostgres(), SQLite: await sqliteFile('FULL') };
    const rows = [];
    for (const [name, { port }] of Object.entries(servers)) {
      const side = startChild(SIDES[name]);
      await side.call('fillMixed', { port, count: settings.many });
      rows.push(rowOf(name, await side.call('pages', { port, times: settings.quick ? 5 : TIMES })));
      await side.stop();
    }
    return rows;
  },
};

function rowOf(name, measured) {
  const notes = Object.fromEntries(Object.entries(measured).map(([filter, ms]) => [filter, p99(ms)]));
  const ours = [Math.max(...Object.values(notes))];
  return row('D1', `${name}: page of the dashboard, p99 of the slowest filter`, {
    ours,
    unit: 'ms',
    limit: ['≤', 300],
    notes,
  });
}

function p99(ms) {
  return Math.round(quantile(ms, 0.99) * 10) / 10;
}
