import { randomUUID } from 'node:crypto';

const NAMES = Array.from({ length: 20 }, (_, n) => `bench-${n}`);
const OWNERS = Array.from({ length: 200 }, (_, n) => `owner ${n}`);
const CODES = ['TIMEOUT', 'HANDLER_ERROR', 'CRASHED', 'UPSTREAM'];
const STATUSES = ['Queued', 'Scheduled', 'InProgress', 'Completed', 'Failed', 'Canceled'];
const BATCH = 500;
const PAGE = 50; // what the dashboard shows at once
const DAY_MS = 86_400_000;
/** Of each hundred jobs, 5 are canceled, then 10 wait for tomorrow; of the rest, a part is worked off, and each fourth of it fails. */
const [CANCELED, DELAYED] = [5, 15];
const WORKED = 0.9;

/** Fills a store with jobs of every status, and measures how long a page of the dashboard takes, in ms. */
export function listing(storeOf) {
  async function fillMixed({ port, count }) {
    const store = await storeOf(port);
    for (let from = 0; from < count; from += BATCH) {
      const jobs = Array.from({ length: Math.min(BATCH, count - from) }, (_, at) => jobOf(from + at));
      await store.submit(jobs, { queueLimit: 1e9 });
      await store.cancel(jobs.filter((_, at) => (from + at) % 100 < CANCELED).map(({ id }) => id));
      const claims = await store.claim(claimRequest(Math.floor(jobs.length * (1 - DELAYED / 100) * WORKED)));
      await store.settle(claims.map(ending));
    }
    // Some stay in progress.
    await store.claim(claimRequest(BATCH));
  }

  /** Each filter's pages: as many first ones as following ones. */
  async function pages({ port, times }) {
    const store = await storeOf(port);
    const measured = {};
    for (const filter of filters()) {
      const ms = [];
      let cursor;
      for (let page = 0; page < 2 * times; page++) {
        const startedAt = performance.now();
        const found = await store.list(filter, { limit: PAGE, cursor: page < times ? undefined : cursor });
        ms.push(performance.now() - startedAt);
        cursor = found.cursor ?? undefined;
      }
      measured[JSON.stringify(filter)] = ms;
    }
    return measured;
  }

  /** What the first view reads. */
  async function overviews({ port, times }) {
    const store = await storeOf(port);
    const ms = [];
    for (let time = 0; time < times; time++) {
      const startedAt = performance.now();
      await Promise.all([store.stats(), store.paused(), store.workers()]);
      ms.push(performance.now() - startedAt);
    }
    return ms;
  }

  return { fillMixed, overviews, pages };
}

function claimRequest(limit) {
  return { worker: 'bench', leaseMs: DAY_MS, limit, slots: new Map(NAMES.map((name) => [name, limit])) };
}

function ending({ job: { id, name }, fence }, at) {
  if (at % 4 !== 0) return { id, name, fence, verb: 'complete', result: '{"ok":true}' };
  const error = { code: CODES[(at / 4) % CODES.length], message: 'It failed.' };
  return { id, name, fence, verb: 'fail', error };
}

function jobOf(n) {
  const retention = { completedMs: DAY_MS, failedMs: DAY_MS, canceledMs: DAY_MS };
  return {
    id: randomUUID(),
    name: NAMES[n % NAMES.length],
    payload: JSON.stringify({ request: { n } }),
    owner: n % 2 === 0 ? OWNERS[(n / 2) % OWNERS.length] : null,
    priority: 0,
    delayMs: n % 100 >= CANCELED && n % 100 < DELAYED ? DAY_MS : 0,
    maxRetries: 3,
    retention,
    fingerprint: null,
    idempotency: null,
    queueLimit: null,
  };
}

/** Every filter of the dashboard. */
function filters() {
  const [name, owner, errorCode] = [NAMES[3], OWNERS[7], CODES[1]];
  const withStatus = [{}, ...STATUSES.map((status) => ({ status }))];
  const and = (some, more) => [...some, ...some.map((filter) => ({ ...filter, ...more }))];
  return and(and(and(withStatus, { name }), { owner }), { errorCode });
}
