import PQueue from 'p-queue';
import { serve } from '../child.mjs';
import { MemoryJobStore } from './library.mjs';
import { Noop, onCompletions, startApi, startWorker } from './our-application.mjs';
import { Calls, requestOf, resultOf, Results, timedCalls } from './work.mjs';

/** An API and a worker on one store in one process, so that all jobs are there before the first is worked on. */
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

async function peer({ count, concurrency }) {
  const queue = new PQueue({ concurrency, autoStart: false });
  const calls = new Calls(count);
  const handle = async (request) => {
    calls.note(request.n);
    return resultOf(request);
  };
  const stored = Array.from({ length: count }, (_, n) => {
    const request = requestOf(n);
    return queue.add(() => handle(request));
  });
  globalThis.gc();
  const startedAt = performance.now();
  queue.start();
  const values = await Promise.all(stored);
  const ms = performance.now() - startedAt;
  const results = new Results(count);
  for (const value of values) results.note(value);
  calls.check();
  results.check();
  return ms;
}

serve({ ours, peer });
