import { AsyncLocalStorage } from 'node:async_hooks';
import { AsyncEndpointsError } from '../job/errors.js';
import { type Gate, gate } from '../testing/index.js';
import { Batcher } from './batcher.js';

/** A batcher whose calls wait for the test, and what they were. */
function watched(options?: ConstructorParameters<typeof Batcher<number, number>>[1]) {
  const calls: { items: number[]; answer: Gate<number[]> }[] = [];
  const batcher = new Batcher<number, number>((items) => {
    const answer = gate<number[]>();
    calls.push({ items, answer });
    return answer.opened;
  }, options);
  return { batcher, calls, called: (count: number) => vi.waitFor(() => expect(calls).toHaveLength(count)) };
}

describe('A batcher', () => {
  it('sends the items of one tick together, and gives each its own reply', async () => {
    const { batcher, calls, called } = watched();
    const replies = [batcher.push(1), batcher.push(2), batcher.push(3)];
    await called(1);
    expect(calls[0]?.items).toEqual([1, 2, 3]);
    calls[0]?.answer.open([10, 20, 30]);
    expect(await Promise.all(replies)).toEqual([10, 20, 30]);
  });

  it('sends a batch in the async context of the batcher, and resolves each item in its own', async () => {
    const storage = new AsyncLocalStorage<string>();
    const sentIn: unknown[] = [];
    const batcher = new Batcher(async (items: string[]) => {
      sentIn.push(storage.getStore());
      return items;
    });
    const push = async (tenant: string) => [await batcher.push(tenant), storage.getStore()];
    const pushed = ['A', 'B'].map((tenant) => storage.run(tenant, push, tenant));
    expect(await Promise.all(pushed)).toEqual([
      ['A', 'A'],
      ['B', 'B'],
    ]);
    expect(sentIn).toEqual([undefined]);
  });

  it('sends also with fake timers', async () => {
    vi.useFakeTimers();
    try {
      await expect(new Batcher(async (items: number[]) => items).push(1)).resolves.toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });

  it('collects items that arrive while a call is in flight into the next call', async () => {
    const { batcher, calls, called } = watched();
    const first = batcher.push(1);
    await called(1);
    const later = [batcher.push(2), batcher.push(3)];
    calls[0]?.answer.open([1]);
    await first;
    await called(2);
    expect(calls[1]?.items).toEqual([2, 3]);
    calls[1]?.answer.open([2, 3]);
    await Promise.all(later);
  });

  it('sends at most its limit at once', async () => {
    const { batcher, calls, called } = watched({ limit: 2 });
    const replies = [1, 2, 3].map((item) => batcher.push(item));
    await called(1);
    calls[0]?.answer.open([1, 2]);
    await called(2);
    calls[1]?.answer.open([3]);
    expect(await Promise.all(replies)).toEqual([1, 2, 3]);
    expect(calls.map(({ items }) => items)).toEqual([[1, 2], [3]]);
  });

  it('sends at most its size at once, and a larger item alone', async () => {
    const { batcher, calls, called } = watched({ sizeOf: (item) => item * 1024 * 1024 });
    const sizes = [3, 1, 1, 9, 2];
    const replies = sizes.map((item) => batcher.push(item));
    for (let call = 1; call <= 4; call++) {
      await called(call);
      const sent = calls[call - 1];
      sent?.answer.open(sent.items);
    }
    expect(await Promise.all(replies)).toEqual(sizes);
    expect(calls.map(({ items }) => items)).toEqual([[3, 1], [1], [9], [2]]);
  });

  it('never sends two large items at once, although two calls may overlap', async () => {
    const MIB = 1024 * 1024;
    const sent: number[][] = [];
    const answers: (() => void)[] = [];
    const send = (sizes: number[]) => {
      sent.push(sizes);
      return new Promise<number[]>((resolve) => answers.push(() => resolve(sizes)));
    };
    const batcher = new Batcher(send, { overlap: 2, sizeOf: (size) => size });
    const all = Promise.all([5 * MIB, 6 * MIB, 1, 2].map((size) => batcher.push(size)));
    await vi.waitFor(() => expect(sent).toEqual([[5 * MIB]]));
    answers[0]?.();
    await vi.waitFor(() => expect(sent).toEqual([[5 * MIB], [6 * MIB], [1, 2]]));
    answers[1]?.();
    answers[2]?.();
    expect(await all).toEqual([5 * MIB, 6 * MIB, 1, 2]);
  });

  it('sends halves when two calls may overlap, and the next when one has returned', async () => {
    const { batcher, calls, called } = watched({ overlap: 2 });
    const numbers = Array.from({ length: 40 }, (_, n) => n);
    const replies = numbers.map((item) => batcher.push(item));
    await called(2);
    expect(calls.map(({ items }) => items)).toEqual([numbers.slice(0, 20), numbers.slice(20)]);
    const late = batcher.push(40);
    calls[1]?.answer.open(numbers.slice(20));
    await called(3);
    expect(calls[2]?.items).toEqual([40]);
    calls[0]?.answer.open(numbers.slice(0, 20));
    calls[2]?.answer.open([40]);
    expect(await Promise.all([...replies, late])).toEqual([...numbers, 40]);
  });

  it('keeps items in order that arrived together, although two calls may overlap', async () => {
    const { batcher, calls, called } = watched({ overlap: 2, limit: 20, keepsOrder: true });
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    const early = batcher.push(-1);
    await called(1);
    const replies = numbers.map((item) => batcher.push(item));
    await called(2);
    calls[0]?.answer.open([-1]);
    await early;
    expect(calls.map(({ items }) => items)).toEqual([[-1], numbers.slice(0, 20)]);
    calls[1]?.answer.open(numbers.slice(0, 20));
    await called(3);
    expect(calls[2]?.items).toEqual(numbers.slice(20));
    calls[2]?.answer.open(numbers.slice(20));
    expect(await Promise.all(replies)).toEqual(numbers);
  });

  it('rejects a failed batch, and continues with the next', async () => {
    let failing = true;
    const batcher = new Batcher<number, number>(async (items) => {
      if (failing) throw new Error('down');
      return items;
    });
    const failed = await Promise.allSettled([batcher.push(1), batcher.push(2)]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    failing = false;
    expect(await batcher.push(3)).toBe(3);
  });

  it('fails only the item that cannot be sent', async () => {
    const calls: number[][] = [];
    const batcher = new Batcher(async (items: number[]) => {
      calls.push(items);
      if (items.includes(5)) throw new TypeError('no 5');
      return items;
    });
    const replies = await Promise.allSettled([1, 2, 3, 4, 5, 6, 7, 8].map((item) => batcher.push(item)));
    expect(replies.map((reply) => (reply.status === 'fulfilled' ? reply.value : String(reply.reason)))).toEqual([
      1,
      2,
      3,
      4,
      'TypeError: no 5',
      6,
      7,
      8,
    ]);
    expect(calls).toHaveLength(7);
  });

  it('fails all items at once when the store is unreachable, without a repeat', async () => {
    let calls = 0;
    const batcher = new Batcher<number, number>(async () => {
      calls++;
      throw new AsyncEndpointsError('STORE_UNAVAILABLE');
    });
    const replies = await Promise.allSettled([1, 2, 3].map((item) => batcher.push(item)));
    expect(replies.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(calls).toBe(1);
  });
});
