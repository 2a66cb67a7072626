import { eventually, gate } from '../testing/index.js';
import { Loop } from './loop.js';

/** So long that only a wake-up ends a sleep. */
const ASLEEP = 3_600_000;

function counted(turn: (count: number) => Promise<number | void> | number | void, intervalMs = ASLEEP) {
  const errors: unknown[] = [];
  const state = { turns: 0, errors };
  const loop = new Loop(async () => turn(++state.turns), { intervalMs, onError: (error) => errors.push(error) });
  return { loop, state };
}

describe('A loop', () => {
  it('runs a turn at once, then sleeps until it is woken', async () => {
    const { loop, state } = counted(() => {});
    loop.start();
    await eventually(() => state.turns === 1);
    loop.wake();
    await eventually(() => state.turns === 2);
    await loop.stop();
    expect(state.turns).toBe(2);
  });

  it('runs a turn again after the interval', async () => {
    const { loop, state } = counted(() => {}, 1);
    loop.start();
    await eventually(() => state.turns >= 3);
    await loop.stop();
  });

  it('sleeps for as long as a turn says: not at all for 0, and until it is woken for Infinity', async () => {
    const { loop, state } = counted((count) => (count < 3 ? 0 : Infinity), 1);
    loop.start();
    await eventually(() => state.turns === 3);
    loop.wake();
    await eventually(() => state.turns === 4);
    await loop.stop();
    expect(state.turns).toBe(4);
  });

  it('does not lose a wake-up that comes during a turn', async () => {
    const turn = gate();
    const { loop, state } = counted((count) => (count === 1 ? turn.opened : undefined));
    loop.start();
    await eventually(() => state.turns === 1);
    loop.wake();
    turn.open();
    await eventually(() => state.turns === 2);
    await loop.stop();
  });

  it('survives an error of a turn, and pauses after it', async () => {
    const { loop, state } = counted((count) => {
      if (count > 1) return;
      loop.wake();
      throw new Error('once');
    });
    loop.start();
    await eventually(() => state.errors.length === 1);
    expect(state.turns).toBe(1);
    loop.wake();
    await eventually(() => state.turns === 2);
    await loop.stop();
  });

  it('lets the rest of the process run when every turn wakes it', async () => {
    const { loop, state } = counted(() => loop.wake());
    loop.start();
    await eventually(() => state.turns > 100);
    await loop.stop();
  });

  it('stops after the current turn', async () => {
    const turn = gate();
    let ended = false;
    const { loop, state } = counted(() => turn.opened.then(() => void (ended = true)));
    loop.start();
    await eventually(() => state.turns === 1);
    const stopped = loop.stop();
    turn.open();
    await stopped;
    expect(ended).toBe(true);
  });

  it('accepts stop before start, two stops and two starts, and cannot be restarted', async () => {
    const { loop, state } = counted(() => {});
    await loop.stop();
    loop.start();
    await loop.stop();
    expect(state.turns).toBe(0);
    const other = counted(() => {});
    other.loop.start();
    other.loop.start();
    await Promise.all([other.loop.stop(), other.loop.stop()]);
    other.loop.start();
    expect(other.state.turns).toBe(1);
  });

  it('ends properly after any order of start, wake and stop', async () => {
    await Promise.all(
      Array.from({ length: 200 }, async (_, n) => {
        const { loop } = counted(() => (n % 3 ? Promise.resolve() : undefined), n % 5);
        const steps = [() => loop.start(), () => loop.wake(), () => void loop.stop(), () => loop.wake()];
        for (let step = 0; step < 8; step++) {
          steps[(n * 7 + step * 3) % 4]?.();
          if (step % 2) await Promise.resolve();
        }
        await expect(loop.stop()).resolves.toBeUndefined();
      }),
    );
  });
});
