import type { Claim } from '../job/job.js';
import { MemoryJobStore } from '../stores/memory/memory-job-store.js';
import { aJob, eventually } from '../testing/index.js';
import { Claimer } from './claimer.js';
import { Slots } from './slots.js';

const OPTIONS = { workerId: 'w', leaseMs: 60_000, maxClaimBatchSize: 1_000, maxConcurrency: 8 };

/** A claimer on a store with so many jobs, and the limits of all its claims. */
async function aClaimer(jobs: number, room: () => number = () => 16) {
  const store = new MemoryJobStore();
  const slots = new Slots(8, new Map([['Work', null]]));
  const submit = (count: number) =>
    store.submit(
      Array.from({ length: count }, () => aJob()),
      { queueLimit: 1_000 },
    );
  await submit(jobs);
  const limits: number[] = [];
  const claim = store.claim.bind(store);
  store.claim = (request): Promise<Claim[]> => {
    limits.push(request.limit);
    return claim(request);
  };
  const state = { woken: 0 };
  const claimer = new Claimer(store, slots, OPTIONS, { room, wake: () => void state.woken++ });
  return { claimer, store, slots, limits, state, submit };
}

describe('A claimer', () => {
  it('requests the second half of its slots before the first jobs start', async () => {
    const { claimer, slots, limits, state } = await aClaimer(20);
    expect((await claimer.claim()).claims).toHaveLength(4);
    expect(limits).toEqual([4, 4]);
    expect(state.woken).toBe(1);
    expect((await claimer.claim()).claims).toHaveLength(4);
    expect(slots.free).toBe(0);
    expect((await claimer.claim()).claims).toEqual([]);
    expect(limits).toEqual([4, 4]);
    claimer.stop();
  });

  it('counts claims that have not started against the room', async () => {
    const { claimer, limits } = await aClaimer(20, () => 5);
    await claimer.claim();
    expect(limits).toEqual([4, 1]);
    claimer.stop();
  });

  it('wakes the worker when there are more jobs', async () => {
    const { claimer, state, submit } = await aClaimer(1);
    expect((await claimer.claim()).claims).toHaveLength(1);
    expect(state.woken).toBe(0);
    await submit(1);
    await eventually(() => state.woken === 1);
    claimer.stop();
  });

  it('does not claim a name that it waits for, until it is woken', async () => {
    const { claimer, state, submit } = await aClaimer(1);
    expect(claimer.awaits('Work')).toBe(false);
    await claimer.claim();
    expect(claimer.awaits('Work')).toBe(true);
    expect(claimer.awaits('Other')).toBe(false);
    await submit(1);
    await eventually(() => state.woken === 1);
    expect(claimer.awaits('Work')).toBe(false);
    await claimer.claim();
    claimer.stop();
    expect(claimer.awaits('Work')).toBe(false);
  });

  it('leaves the worker to its polling when the store rejects a wait', async () => {
    const { claimer, store, state } = await aClaimer(0);
    store.waitForWork = () => Promise.reject(new Error('a custom store'));
    await claimer.claim();
    await eventually(() => !claimer.awaits('Work'));
    expect(state.woken).toBe(0);
  });

  it('returns pending claims when it is stopped, and requests no more', async () => {
    const { claimer, slots, limits } = await aClaimer(20);
    await claimer.claim();
    claimer.stop();
    expect((await claimer.rest()).claims).toHaveLength(4);
    expect(slots.free).toBe(0);
    slots.give('Work');
    expect((await claimer.claim()).claims).toEqual([]);
    expect(await claimer.rest()).toMatchObject({ claims: [] });
    expect(limits).toEqual([4, 4]);
  });
});
