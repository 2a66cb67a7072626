import { JOB_NAME, requestOf, resultOf, timedCalls } from './work.mjs';

const BATCH = 100;
const FINDS_IN_FLIGHT = 64;
const READS = 20_000;

/** The cost of single verbs for the caller, in µs per job, to see whether it grows with the number of stored jobs. */
export function storeCosts(managerOf, storeOf) {
  /** Claims and completes `turns` batches. */
  async function turns({ port, turns: count }) {
    const store = await storeOf(port);
    const claims = [];
    const settles = [];
    for (let turn = 0; turn < count; turn++) {
      const [claimed, claimMicros] = await timed(() => store.claim(claimRequest()));
      if (claimed.length !== BATCH) throw new Error(`${claimed.length} jobs claimed, expected ${BATCH}`);
      const [held, settleMicros] = await timed(() => store.settle(claimed.map(completionOf)));
      if (held.includes(false)) throw new Error('a completion was refused');
      claims.push(claimMicros / BATCH);
      settles.push(settleMicros / BATCH);
    }
    return { claims, settles };
  }

  /** Reads these jobs repeatedly: a thousand reads would end before the code is warm. */
  async function reads({ port, ids }) {
    const manager = await managerOf(port);
    const ms = await timedCalls({ count: READS, inFlight: FINDS_IN_FLIGHT }, async (at) => {
      const job = await manager.find(ids[at % ids.length]);
      if (job?.status !== 'Completed') throw new Error(`job ${ids[at % ids.length]} is ${job?.status ?? 'gone'}`);
    });
    return (ms * 1_000) / READS;
  }

  return { turns, reads };
}

function claimRequest() {
  return { worker: 'bench', leaseMs: 600_000, limit: BATCH, slots: new Map([[JOB_NAME, BATCH]]) };
}

function completionOf({ job, fence, payload }) {
  const { request } = JSON.parse(payload);
  if (request.text !== requestOf(request.n).text) throw new Error(`job ${job.id} has the wrong request`);
  return { id: job.id, name: job.name, fence, verb: 'complete', result: JSON.stringify(resultOf(request)) };
}

async function timed(call) {
  const startedAt = performance.now();
  const value = await call();
  return [value, (performance.now() - startedAt) * 1_000];
}
