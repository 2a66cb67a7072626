// Submits jobs to the store at the given URL, runs them, and prints each id after the store has acknowledged it:
// `submitted <id>`, then `completed <id>`. It continues until it is killed, also while the store is unreachable.
import { PostgresJobStore } from '../../libs/async-endpoints/dist/stores/postgres/index.js';
import { aJob } from '../../libs/async-endpoints/dist/testing/index.js';

const [, , url] = process.argv;
const store = new PostgresJobStore({ url, connect: 'degraded', commandTimeoutMs: 1_000 });
await store.open();
const say = (line) => process.stdout.write(`${line}\n`);
const slots = new Map([['Work', 20]]);
const later = () => new Promise((resolve) => setTimeout(resolve, 20));

async function submit() {
  const jobs = Array.from({ length: 10 }, () => aJob({ payload: JSON.stringify({ request: 'x'.repeat(500) }) }));
  const submissions = await store.submit(jobs, { queueLimit: 100_000 });
  for (const { outcome, job } of submissions) if (outcome === 'created') say(`submitted ${job.id}`);
}

async function work() {
  const claims = await store.claim({ worker: `w-${process.pid}`, leaseMs: 60_000, limit: 20, slots });
  const settlements = claims.map(({ job, fence }) => {
    return { id: job.id, name: 'Work', fence, verb: 'complete', result: '"done"' };
  });
  const settled = await store.settle(settlements);
  for (const [n, { id }] of settlements.entries()) if (settled[n]) say(`completed ${id}`);
}

for (;;) await Promise.all([submit(), work()]).catch(later);
