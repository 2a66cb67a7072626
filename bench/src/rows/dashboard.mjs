import { startChild } from '../child.mjs';
import { startPostgres } from '../postgres-server.mjs';
import { row } from '../report.mjs';
import { quantile } from '../rounds.mjs';
import { sqliteFile } from '../sqlite-file.mjs';

const SIDES = { Redis: 'ours.mjs', PostgreSQL: 'postgres-ours.mjs', SQLite: 'sqlite-ours.mjs' };
/** First pages of each filter, and as many following ones. */
const TIMES = 50;

/** D1: how long the store takes for the first view and for a page of the dashboard, with a million jobs of every status. */
export const dashboard = {
  ids: ['D1'],

  async run({ redis, settings }) {
    const servers = { Redis: redis, PostgreSQL: await startPostgres(), SQLite: await sqliteFile('FULL') };
    const rows = [];
    for (const [name, { port }] of Object.entries(servers)) {
      const side = startChild(SIDES[name]);
      await side.call('fillMixed', { port, count: settings.many });
      const times = settings.quick ? 5 : TIMES;
      const first = p99(await side.call('overviews', { port, times: 2 * times }));
      const pages = Object.entries(await side.call('pages', { port, times }));
      const notes = Object.fromEntries(pages.map(([filter, ms]) => [filter, p99(ms)]));
      rows.push(rowOf(`${name}: first view of the dashboard, p99`, first));
      rows.push(
        rowOf(`${name}: page of the dashboard, p99 of the slowest filter`, Math.max(...Object.values(notes)), notes),
      );
      await side.stop();
    }
    return rows;
  },
};

function rowOf(what, ms, notes) {
  return row('D1', what, { ours: [ms], unit: 'ms', limit: ['≤', 300], notes });
}

function p99(ms) {
  return Math.round(quantile(ms, 0.99) * 10) / 10;
}
