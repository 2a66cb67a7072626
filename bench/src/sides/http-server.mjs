import { Queue, Worker } from 'bullmq';
import { Pool } from 'pg';
import { serve } from '../child.mjs';
import { urlOf } from '../postgres-server.mjs';
import { JobManager, MemoryJobStore, PostgresJobStore, RedisJobStore } from './library.mjs';
import { answering, bullmq, inserting, listen, ours, plain } from './nest-application.mjs';
import { onCompletions, startWorker } from './our-application.mjs';
import { Calls, heapBytes, JOB_NAME, resultOf, Results } from './work.mjs';

const PAGE = 1_000;
const CONCURRENCY = 256;
let running;

/** The server of each side. `settle` runs the accepted jobs and reads the results. */
const SIDES = {
  plain: () => ({ root: plain(), settle: () => 0 }),
  answering: () => ({ root: answering(), settle: () => 0 }),
  redis: ({ port, http }) => {
    const open = () => new RedisJobStore({ url: `redis://127.0.0.1:${port}` });
    return { root: ours(open(), { http }), settle: (size) => settleOurs(open(), size) };
  },
  postgres: ({ port, http }) => {
    const open = () => new PostgresJobStore({ url: urlOf(port) });
    return { root: ours(open(), { http }), settle: (size) => settleOurs(open(), size) };
  },
  insert: ({ port }) => {
    const pool = new Pool({ connectionString: urlOf(port), max: 20 });
    return { root: inserting(pool), settle: () => countInserted(pool), close: () => pool.end() };
  },
  memory: () => {
    const store = new MemoryJobStore();
    return { root: ours(store), settle: (size) => settleOurs(store, size) };
  },
  bullmq: ({ port, pipelining }) => {
    const connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null, enableAutoPipelining: pipelining };
    const queue = new Queue(JOB_NAME, { connection });
    return { root: bullmq(queue), settle: (size) => settleBullmq(queue, connection, size), close: () => queue.close() };
  },
};

async function start({ side, adapter, port, http, pipelining = true }) {
  const { root, close = () => {}, ...rest } = SIDES[side]({ port, http, pipelining });
  const { app, url } = await listen(adapter, root);
  running = { app, close, ...rest };
  return url;
}

async function stop() {
  await running.app.close();
  await running.close();
}

/** The number of jobs, when all have completed. @param size the numbers of their requests are below this */
async function settle({ size }) {
  return running.settle(size);
}

async function settleOurs(store, size) {
  const manager = running.app.get(JobManager);
  const count = await steady(() => manager.depth());
  const calls = new Calls(size);
  let stopCounting;
  const done = new Promise((resolve) => (stopCounting = onCompletions({ [count]: resolve })));
  const worker = await startWorker(store, calls, { concurrency: CONCURRENCY });
  await done;
  stopCounting();
  const results = new Results(size);
  for (let cursor; cursor !== null;) {
    const page = await manager.list({ status: 'Completed' }, { limit: PAGE, cursor });
    for (const { result } of page.jobs) results.note(result);
    cursor = page.cursor;
  }
  await worker.close();
  return checked(count, calls, results);
}

async function settleBullmq(queue, connection, size) {
  const count = await steady(() => queue.getWaitingCount());
  const calls = new Calls(size);
  const handle = async ({ data }) => {
    calls.note(data.n);
    return resultOf(data);
  };
  const worker = new Worker(JOB_NAME, handle, { connection, concurrency: CONCURRENCY });
  let completed = 0;
  await new Promise((resolve) => worker.on('completed', () => ++completed === count && resolve()));
  await worker.close();
  const results = new Results(size);
  for (let from = 0; from < count; from += PAGE) {
    for (const { returnvalue } of await queue.getJobs(['completed'], from, from + PAGE - 1)) results.note(returnvalue);
  }
  return checked(count, calls, results);
}

async function countInserted(pool) {
  const { rows } = await pool.query('SELECT count(*)::int AS count FROM plain.job');
  return rows[0].count;
}

/** A number that grows until requests that the load has left behind are done. */
async function steady(read) {
  for (let last = -1; ;) {
    const count = await read();
    if (count === last) return count;
    last = count;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function checked(count, calls, results) {
  if (calls.count !== count || calls.distinct !== count || results.count !== count)
    throw new Error(`${count} jobs, ${calls.count} calls for ${calls.distinct} of them, ${results.count} results`);
  return count;
}

/** Streams and held responses also need memory outside of the heap: sockets and their buffers. */
function memory() {
  const heap = heapBytes();
  const { external, rss } = process.memoryUsage();
  return { kept: heap + external, rss };
}

serve({ start, stop, settle, memory });
