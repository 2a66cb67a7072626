import { startChild } from '../child.mjs';
import { row } from '../report.mjs';
import { alternate, sweep } from '../rounds.mjs';

/** P15: the work of P1 without Redis, compared with p-queue. */
export const memory = {
  ids: ['P15'],

  async run({ settings: { jobs, rounds, sweepJobs, warmUpJobs, concurrencies } }) {
    const child = startChild('memory.mjs');
    try {
      const perSecond = async (side, count, concurrency) =>
        (count / (await child.call(side, { count, concurrency }))) * 1_000;
      const chosen = {};
      for (const side of ['ours', 'peer']) {
        await perSecond(side, warmUpJobs, concurrencies[side][0]);
        const { best } = await sweep(
          concurrencies[side].map((concurrency) => ({ concurrency })),
          async ({ concurrency }) => ({ worked: await perSecond(side, sweepJobs, concurrency) }),
        );
        chosen[side] = best('worked').concurrency;
      }
      const figures = await alternate(rounds, {
        ours: () => perSecond('ours', jobs, chosen.ours),
        peer: () => perSecond('peer', jobs, chosen.peer),
      });
      const notes = { concurrency: chosen };
      return [row('P15', 'memory store: jobs worked per second', { ...figures, unit: '/s', target: ['≥', 1], notes })];
    } finally {
      await child.stop();
    }
  },
};
