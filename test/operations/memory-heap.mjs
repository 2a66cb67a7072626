/**
 * What the memory store keeps of the heap for each job, printed as JSON: run with `--expose-gc`.
 *
 * Arguments: the address of the built library; as JSON, pairs of how long payload and result are and how many jobs.
 */
const [library, sizes] = process.argv.slice(2);
const { MemoryJobStore } = await import(library);
const measured = [];

await measure(60, 500); // shapes and code of the engine are not the jobs'
for (const [length, count] of JSON.parse(sizes)) measured.push(await measure(length, count));
process.stdout.write(JSON.stringify(measured));

async function measure(length, count) {
  const store = new MemoryJobStore({ maxFinishedBytes: 1e12 });
  await store.open();
  const empty = await heap();
  await submit(store, length, count);
  const [{ bytes }] = await store.stats();
  const waiting = (await heap()) - empty;
  await complete(store, length, count);
  const finished = (await heap()) - empty;
  await store.close();
  return { length, waiting: waiting / count, counted: bytes / count, finished: finished / count };
}

/** The heap in use, once collecting garbage frees no more: what a timer or a callback still holds goes with a later turn. */
async function heap() {
  for (let before = Infinity; ;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    globalThis.gc();
    const now = process.memoryUsage().heapUsed;
    if (now > before - 4_096) return now;
    before = now;
  }
}

async function submit(store, length, count) {
  const retention = { completedMs: 1e9, failedMs: 1e9, canceledMs: 1e9 };
  const usual = { name: 'Work', owner: null, priority: 0, delayMs: 0, maxRetries: 3, retention, queueLimit: null };
  for (let n = 0; n < count; n++) {
    const job = { ...usual, id: crypto.randomUUID(), payload: text('x', length), fingerprint: null, idempotency: null };
    await store.submit([job], { queueLimit: 1e9 });
  }
}

async function complete(store, length, count) {
  for (let n = 0; n < count; n++) {
    const slots = new Map([['Work', 1]]);
    const [{ job, fence }] = await store.claim({ worker: 'w', leaseMs: 1e6, limit: 1, slots });
    await store.settle([{ id: job.id, name: 'Work', fence, verb: 'complete', result: text('y', length) }]);
  }
}

function text(character, length) {
  return JSON.stringify(character.repeat(length - 2));
}
