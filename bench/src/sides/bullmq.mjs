import { Queue, Worker } from 'bullmq';
import { serve } from '../child.mjs';
import { Calls, JOB_NAME, pacedCalls, requestOf, resultOf, Results, timedCalls } from './work.mjs';

const PAGE = 1_000;
const queues = new Map();
let idle;

function connectionTo(port, pipelining = false) {
  return { host: '127.0.0.1', port, maxRetriesPerRequest: null, enableAutoPipelining: pipelining };
}

async function queueAt(port, pipelining) {
  const key = `${port} ${pipelining}`;
  if (!queues.has(key)) queues.set(key, new Queue(JOB_NAME, { connection: connectionTo(port, pipelining) }));
  await queues.get(key).waitUntilReady();
  return queues.get(key);
}

async function submit({ port, pipelining, items, ...span }) {
  const queue = await queueAt(port, pipelining);
  return { ms: await timedCalls(span, (n) => queue.add(JOB_NAME, { ...requestOf(n), items })) };
}

async function startWorker({ port, calls, concurrency, pipelining }) {
  const handle = async (job) => {
    calls.note(job.data.n);
    return resultOf(job.data);
  };
  const worker = new Worker(JOB_NAME, handle, {
    connection: connectionTo(port, pipelining),
    autorun: false,
    ...(concurrency && { concurrency }),
  });
  worker.on('error', (error) => console.error(error));
  await worker.waitUntilReady();
  return worker;
}

async function work({ port, count, ...settings }) {
  const calls = new Calls(count);
  const worker = await startWorker({ port, calls, ...settings });
  let completed = 0;
  const done = new Promise((resolve) => {
    worker.on('completed', () => ++completed === count && resolve(performance.now()));
  });
  const startedAt = performance.now();
  void worker.run();
  const endedAt = await done;
  await worker.close();
  calls.check();
  return { ms: endedAt - startedAt };
}

async function check({ port, count }) {
  const queue = await queueAt(port, false);
  const counts = await queue.getJobCounts();
  const others = Object.entries(counts).filter(([status, jobs]) => status !== 'completed' && jobs > 0);
  if (counts.completed !== count || others.length > 0)
    throw new Error(`${count} jobs were added, and there are: ${JSON.stringify(counts)}`);
  const results = new Results(count);
  for (let from = 0; from < count; from += PAGE) {
    const jobs = await queue.getJobs(['completed'], from, from + PAGE - 1);
    for (const { returnvalue } of jobs) results.note(returnvalue);
  }
  results.check();
}

async function startIdle({ port, count, concurrency }) {
  const calls = new Calls(count, true);
  const worker = await startWorker({ port, calls, concurrency });
  idle = { calls, worker };
  void worker.run();
}

async function stopIdle() {
  await idle.worker.close();
  idle.calls.check();
  return idle.calls.times;
}

async function submitPaced({ port, count }) {
  const queue = await queueAt(port, false);
  return pacedCalls({ count }, (n) => queue.add(JOB_NAME, requestOf(n)));
}

serve({ submit, work, check, startIdle, stopIdle, submitPaced });
