import { serve } from '../child.mjs';
import { listing } from './listing.mjs';
import { Noop, onCompletions, startApi, startWorker } from './our-application.mjs';
import { storeCosts } from './store-costs.mjs';
import { batchedCalls, Calls, heapBytes, pacedCalls, requestOf, Results, timedCalls } from './work.mjs';

/** By port, so that rounds do not include the time of connecting. */
const apis = new Map();
const stores = new Map();
let storeAt;
let idle;

/** Serves what a side of ours does. @param create makes a store for a port @param more functions of this side alone */
export function serveOurs(create, more = {}) {
  storeAt = create;
  serve({
    submit,
    submitKeyed,
    submitBatches,
    submitAll,
    work,
    check,
    startIdle,
    stopIdle,
    submitPaced,
    ...storeCosts(managerOf, storeOf),
    ...listing(storeOf),
    ...more,
  });
}

async function managerOf(port) {
  if (!apis.has(port)) apis.set(port, await startApi(storeAt(port)));
  return apis.get(port).manager;
}

async function storeOf(port) {
  if (!stores.has(port)) {
    stores.set(port, storeAt(port));
    await stores.get(port).open();
  }
  return stores.get(port);
}

async function submit({ port, ...span }) {
  const manager = await managerOf(port);
  const sample = [];
  const every = Math.max(Math.floor(span.count / 1_000), 1);
  const ms = await timedCalls(span, async (n) => {
    const { id } = await manager.submit(Noop, requestOf(n));
    if (n % every === 0) sample.push(id);
  });
  return { ms, sample };
}

async function submitKeyed({ port, ...span }) {
  const manager = await managerOf(port);
  const ms = await timedCalls(span, (n) => manager.submit(Noop, requestOf(n), { idempotencyKey: `key ${n}` }));
  return { ms };
}

async function submitBatches({ port, ...span }) {
  const manager = await managerOf(port);
  const ms = await batchedCalls(span, async (numbers) => {
    const submissions = await manager.submitMany(
      Noop,
      numbers.map((n) => ({ payload: requestOf(n) })),
    );
    const refused = submissions.find(({ status }) => status === 'rejected');
    if (refused) throw refused.reason;
  });
  return { ms };
}

async function submitAll({ port, count, items }) {
  const manager = await managerOf(port);
  const ids = [];
  await timedCalls({ count, inFlight: 64 }, async (n) => {
    ids.push((await manager.submit(Noop, { ...requestOf(n), items })).id);
  });
  return ids;
}

async function work({ port, count, concurrency, size = count, heapAt = [], timeAt = [] }) {
  const calls = new Calls(size);
  const heaps = [];
  const marks = Object.fromEntries(heapAt.map((at) => [at, () => setImmediate(() => heaps.push(heapBytes()))]));
  const times = [];
  for (const at of timeAt) marks[at] = () => times.push(performance.now());
  const done = deferred();
  marks[count] = () => {
    times.push(performance.now());
    done.resolve(times.at(-1));
  };
  const stopCounting = onCompletions(marks);
  const worker = await startWorker(storeAt(port), calls, { concurrency });
  const endedAt = await done.promise;
  await worker.close();
  stopCounting();
  if (size === count) calls.check();
  else if (calls.count !== count) throw new Error(`${calls.count} calls of the handler for ${count} jobs`);
  return { ms: endedAt - worker.startedAt, heaps, times: times.map((at) => at - worker.startedAt) };
}

async function check({ port, count }) {
  const manager = await managerOf(port);
  const stats = (await manager.stats()).map(({ status, count: jobs }) => `${status} ${jobs}`).join();
  if (stats !== `Completed ${count}`) throw new Error(`${count} jobs were submitted, and there are: ${stats}`);
  const results = new Results(count);
  let cursor;
  do {
    const page = await manager.list({ status: 'Completed' }, { limit: 1_000, cursor });
    for (const { result } of page.jobs) results.note(result);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  results.check();
}

async function startIdle({ port, count, concurrency }) {
  const calls = new Calls(count, true);
  const worker = await startWorker(storeAt(port), calls, { concurrency });
  idle = { calls, worker };
}

async function stopIdle() {
  await idle.worker.close();
  idle.calls.check();
  return idle.calls.times;
}

async function submitPaced({ port, count }) {
  const manager = await managerOf(port);
  return pacedCalls({ count }, (n) => manager.submit(Noop, requestOf(n)));
}

function deferred() {
  let resolve;
  const promise = new Promise((given) => (resolve = given));
  return { promise, resolve };
}
