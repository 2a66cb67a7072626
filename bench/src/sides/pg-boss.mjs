import { PgBoss } from 'pg-boss';
import { Pool } from 'pg';
import { serve } from '../child.mjs';
import { urlOf } from '../postgres-server.mjs';
import { batchedCalls, Calls, JOB_NAME, pacedCalls, requestOf, resultOf, timedCalls } from './work.mjs';

const POOL = 20;
const instances = new Map();
let idle;

/** By port, so that rounds do not pay for connecting. */
async function at(port) {
  if (!instances.has(port)) {
    const options = { connectionString: urlOf(port), max: POOL, useListenNotify: true, schedule: false };
    const boss = new PgBoss(options);
    boss.on('error', (error) => console.error(error));
    await boss.start();
    await boss.createQueue(JOB_NAME, { notify: true });
    instances.set(port, { boss, pool: new Pool({ connectionString: urlOf(port), max: 1 }) });
  }
  return instances.get(port);
}

async function submit({ port, ...span }) {
  const { boss } = await at(port);
  return { ms: await timedCalls(span, (n) => boss.send(JOB_NAME, requestOf(n))) };
}

async function submitKeyed({ port, ...span }) {
  const { boss } = await at(port);
  return { ms: await timedCalls(span, (n) => boss.send(JOB_NAME, requestOf(n), { singletonKey: `key ${n}` })) };
}

async function submitBatches({ port, ...span }) {
  const { boss } = await at(port);
  const jobOf = (n) => ({ data: requestOf(n) });
  return { ms: await batchedCalls(span, (numbers) => boss.insert(JOB_NAME, numbers.map(jobOf))) };
}

/** Its `work` waits between two batches; at its best it is told to fetch and complete. Each batch has one result. */
async function work({ port, count, concurrency, batch }) {
  const { boss } = await at(port);
  const calls = new Calls(count);
  const lane = async () => {
    while (calls.count < count) {
      const jobs = await boss.fetch(JOB_NAME, { batchSize: batch });
      if (jobs.length === 0) continue;
      for (const { data } of jobs) calls.note(data.n);
      const ids = jobs.map(({ id }) => id);
      await boss.complete(JOB_NAME, ids, resultOf(jobs[0].data));
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  const ms = performance.now() - startedAt;
  calls.check();
  return { ms };
}

async function check({ port, count }) {
  const { pool } = await at(port);
  const states = 'SELECT state::text, count(*)::int AS jobs FROM pgboss.job WHERE name = $1 GROUP BY state';
  const { rows } = await pool.query(states, [JOB_NAME]);
  if (rows.length !== 1 || rows[0].state !== 'completed' || rows[0].jobs !== count)
    throw new Error(`${count} jobs were sent, and there are: ${JSON.stringify(rows)}`);
}

async function startIdle({ port, count, concurrency }) {
  const { boss } = await at(port);
  const calls = new Calls(count, true);
  const polling = { pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 };
  await boss.work(JOB_NAME, { ...polling, localConcurrency: concurrency }, async ([{ data }]) => {
    calls.note(data.n);
    return resultOf(data);
  });
  idle = { boss, calls, count };
}

async function stopIdle() {
  while (idle.calls.count < idle.count) await new Promise((resolve) => setTimeout(resolve, 20)); // it may poll
  await idle.boss.offWork(JOB_NAME, { wait: true });
  idle.calls.check();
  return idle.calls.times;
}

async function submitPaced({ port, count }) {
  const { boss } = await at(port);
  return pacedCalls({ count }, (n) => boss.send(JOB_NAME, requestOf(n)));
}

serve({ submit, submitKeyed, submitBatches, work, check, startIdle, stopIdle, submitPaced });
