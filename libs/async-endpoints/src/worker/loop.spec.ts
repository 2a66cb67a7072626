import { eventually, gate } from '../testing/index.js';
import { Loop } from './loop.js';

/** So long that only a wake-up ends a sleep. */
const ASLEEP = 3_600_000;

function counted(turn: (count: number) => Promise<void> | void, intervalMs = ASLEEP) {
  const errors: unknown[] = [];
  const state = { turns: 0, errors };
  const loop = new Loop(async () => turn(++state.turns), { intervalMs, onError: (error) => errors.push(error) });
  return { loop, state };
}

describe('A loop', () => {
  it('turns at once, then sleeps until woken', async () => {
    const { loop, state } = counted(() => {});
    loop.start();
    await eventually(() => state.turns === 1);
    loop.wake();
    await eventually(() => state.turns === 2);
    await loop.stop();
    expect(state.turns).toBe(2);
  });

  it('turns again when the interval has passed', async () => {
    const { loop, state } = counted(() => {}, 1);
    loop.start();
    await eventually(() => state.turns >= 3);
    await loop.stop();
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

  it('survives what a turn throws, and does not spin on it', async () => {
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

  it('leaves the rest of the process its turn, although it is woken in every one of its own', async () => {
    const { loop, state } = counted(() => loop.wake());
    loop.start();
    await eventually(() => state.turns > 100);
    await loop.stop();
  });

  it('stops after the present turn, not in it', async () => {
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

  it('may be stopped unstarted and twice, started twice, and never again', async () => {
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

  it('ends in order whatever order it is started, woken and stopped in', async () => {
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
