import { AsyncEndpointsError } from '../../job/errors.js';
import { outcomesOf } from '../../store/parts.js';
import { eachPart, takeParts } from './batches.js';

const FULL = new AsyncEndpointsError('STORE_FULL');
const numbers = Array.from({ length: 150 }, (_, n) => n);

describe('A large batch', () => {
  it('is worked on in parts, and replied to in its order', async () => {
    const sizes: number[] = [];
    const replies = await eachPart(numbers, async (part) => {
      sizes.push(part.length);
      return part.map((n) => n + 1);
    });
    expect(sizes).toEqual([64, 64, 22]);
    expect(replies).toEqual(numbers.map((n) => n + 1));
  });

  it('has replies for the parts that succeeded when another one failed', async () => {
    const call = eachPart(numbers, async (part) => {
      if (part.includes(64)) throw FULL;
      return [...part];
    });
    const outcomes = await outcomesOf(call, numbers.length);
    expect(outcomes.map(({ status }) => status)).toEqual(
      numbers.map((n) => (n >= 64 && n < 128 ? 'rejected' : 'fulfilled')),
    );
    await expect(call).rejects.toMatchObject({ code: 'STORE_FULL' });
  });
});

describe('What is taken in parts', () => {
  /** Takes from a supply of this size, and fails at this call. */
  function supply(size: number, failsAt = Infinity) {
    const limits: number[] = [];
    let left = size;
    const take = async (limit: number) => {
      if (limits.push(limit) === failsAt) throw FULL;
      const taken = Math.min(limit, left);
      left -= taken;
      return Array.from({ length: taken }, () => 'job');
    };
    return { limits, take };
  }

  it.each([
    [1_000, 100, 100, [64, 36]],
    [70, 100, 70, [64, 36]],
    [10, 100, 10, [64]],
    [1_000, 64, 64, [64]],
    [1_000, 0, 0, [0]],
  ])('of %i, at most %i, are %i, by calls for %j', async (size, limit, expected, limits) => {
    const { take, limits: asked } = supply(size);
    expect(await takeParts(limit, take)).toHaveLength(expected);
    expect(asked).toEqual(limits);
  });

  it('is the reply when a later part fails, so that nobody loses it', async () => {
    expect(await takeParts(1_000, supply(1_000, 3).take)).toHaveLength(128);
    await expect(takeParts(1_000, supply(1_000, 1).take)).rejects.toBe(FULL);
  });
});
