// Submits jobs to the store in the file that is named, works them, and prints each id once the store has acknowledged it:
// `submitted <id>`, then `completed <id>`. It goes on until it is killed.
import { SqliteJobStore } from '../../libs/async-endpoints/dist/stores/sqlite/index.js';
import { aJob } from '../../libs/async-endpoints/dist/testing/index.js';

const [, , path, synchronous] = process.argv;
const store = new SqliteJobStore({ path, synchronous });
await store.open();
const say = (line) => process.stdout.write(`${line}\n`);
const slots = new Map([['Work', 20]]);
for (;;) {
  const jobs = Array.from({ length: 10 }, () => aJob({ payload: JSON.stringify({ request: 'x'.repeat(500) }) }));
  const submitting = store.submit(jobs, { queueLimit: 100_000 }).then((submissions) => {
    for (const { outcome, job } of submissions) if (outcome === 'created') say(`submitted ${job.id}`);
  });
  const claims = await store.claim({ worker: `w-${process.pid}`, leaseMs: 60_000, limit: 20, slots });
  const settlements = claims.map(({ job, fence }) => {
    return { id: job.id, name: 'Work', fence, verb: 'complete', result: '"done"' };
  });
  const settled = await store.settle(settlements);
  for (const [n, { id }] of settlements.entries()) if (settled[n]) say(`completed ${id}`);
  await submitting;
}
