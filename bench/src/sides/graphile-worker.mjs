import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { Pool } from 'pg';
import { serve } from '../child.mjs';
import { urlOf } from '../postgres-server.mjs';
import { batchedCalls, Calls, JOB_NAME, pacedCalls, requestOf, timedCalls } from './work.mjs';

/** With 64 calls in flight, more connections than these make it slower. */
const POOL = 20;
const logger = new Logger(() => () => {});
const connections = new Map();
let idle;

/** By port, so that rounds do not pay for connecting. */
async function at(port) {
  if (!connections.has(port)) {
    const pool = new Pool({ connectionString: urlOf(port), max: POOL });
    pool.on('error', (error) => console.error(error));
    pool.on('connect', (client) => client.on('error', (error) => console.error(error)));
    const utils = await makeWorkerUtils({ pgPool: pool, logger });
    await utils.migrate();
    connections.set(port, { pool, utils });
  }
  return connections.get(port);
}

async function submit({ port, ...span }) {
  const { utils } = await at(port);
  return { ms: await timedCalls(span, (n) => utils.addJob(JOB_NAME, requestOf(n))) };
}

async function submitKeyed({ port, ...span }) {
  const { utils } = await at(port);
  return { ms: await timedCalls(span, (n) => utils.addJob(JOB_NAME, requestOf(n), { jobKey: `key ${n}` })) };
}

async function submitBatches({ port, ...span }) {
  const { utils } = await at(port);
  const specOf = (n) => ({ identifier: JOB_NAME, payload: requestOf(n) });
  return { ms: await batchedCalls(span, (numbers) => utils.addJobs(numbers.map(specOf))) };
}

async function start({ port, calls, concurrency, batch, events }) {
  const { pool } = await at(port);
  return run({
    pgPool: pool,
    logger,
    events,
    concurrency,
    noHandleSignals: true,
    taskList: { [JOB_NAME]: (payload) => calls.note(payload.n) },
    preset: { worker: { ...(batch && { localQueue: { size: batch }, completeJobBatchDelay: 0 }) } },
  });
}

/** It stores no results: from ready until nothing is left. */
async function work({ port, count, concurrency, batch }) {
  const calls = new Calls(count);
  const events = new EventEmitter();
  let completed = 0;
  const done = new Promise((resolve) => events.on('job:complete', () => ++completed === count && resolve()));
  const startedAt = performance.now();
  const runner = await start({ port, calls, concurrency, batch, events });
  await done;
  const { pool } = await at(port);
  while ((await pool.query('SELECT FROM graphile_worker._private_jobs LIMIT 1')).rowCount > 0);
  const endedAt = performance.now();
  await runner.stop();
  calls.check();
  return { ms: endedAt - startedAt };
}

/** A finished job is gone. */
async function check({ port }) {
  const { pool } = await at(port);
  const { rows } = await pool.query('SELECT count(*)::int AS jobs FROM graphile_worker._private_jobs');
  if (rows[0].jobs > 0) throw new Error(`${rows[0].jobs} jobs are left`);
}

async function startIdle({ port, count, concurrency }) {
  const calls = new Calls(count, true);
  idle = { calls, runner: await start({ port, calls, concurrency }) };
}

async function stopIdle() {
  await idle.runner.stop();
  idle.calls.check();
  return idle.calls.times;
}

async function submitPaced({ port, count }) {
  const { utils } = await at(port);
  return pacedCalls({ count }, (n) => utils.addJob(JOB_NAME, requestOf(n)));
}

serve({ submit, submitKeyed, submitBatches, work, check, startIdle, stopIdle, submitPaced });
