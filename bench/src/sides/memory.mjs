import { randomUUID } from 'node:crypto';
import PQueue from 'p-queue';
import { serve } from '../child.mjs';
import { MemoryJobStore } from './library.mjs';
import { Noop, onCompletions, startApi, startWorker } from './our-application.mjs';
import { Calls, requestOf, resultOf, Results, timedCalls } from './work.mjs';

/** An API and a worker on one store in one process, so that all jobs are submitted before the first one runs. */
async function ours({ count, concurrency }) {
  const store = new MemoryJobStore();
  const api = await startApi(store);
  const ids = [];
  await timedCalls({ count, inFlight: 1_000 }, async (n) => {
    ids.push((await api.manager.submit(Noop, requestOf(n))).id);
  });
  globalThis.gc();
  const calls = new Calls(count);
  let stopCounting;
  const done = new Promise((resolve) => {
    stopCounting = onCompletions({ [count]: () => resolve(performance.now()) });
  });
  const worker = await startWorker(store, calls, { concurrency });
  const endedAt = await done;
  stopCounting();
  calls.check();
  await checkOurs(api.manager, ids);
  await worker.close();
  await api.close();
  return endedAt - worker.startedAt;
}

async function checkOurs(manager, ids) {
  const results = new Results(ids.length);
  for (const id of ids) results.note((await manager.find(id)).result);
  results.check();
}

/** Does the same work with p-queue: JSON in and out, and a record of each job in a map, with its result. */
async function peer({ count, concurrency }) {
  const queue = new PQueue({ concurrency, autoStart: false });
  const calls = new Calls(count);
  const handle = async (request) => {
    calls.note(request.n);
    return resultOf(request);
  };
  const records = new Map();
  const work = async (id) => {
    const record = { ...records.get(id), status: 'InProgress', startedAt: Date.now() };
    records.set(id, record);
    const result = JSON.stringify(await handle(JSON.parse(record.payload)));
    records.set(id, { ...record, status: 'Completed', payload: null, result, completedAt: Date.now() });
  };
  const done = Array.from({ length: count }, (_, n) => {
    const id = randomUUID();
    const times = { createdAt: Date.now(), startedAt: null, completedAt: null };
    records.set(id, { id, status: 'Queued', payload: JSON.stringify(requestOf(n)), result: null, ...times });
    return queue.add(() => work(id));
  });
  globalThis.gc();
  const startedAt = performance.now();
  queue.start();
  await Promise.all(done);
  const ms = performance.now() - startedAt;
  const results = new Results(count);
  for (const { result } of records.values()) results.note(JSON.parse(result));
  calls.check();
  results.check();
  return ms;
}

serve({ ours, peer });
