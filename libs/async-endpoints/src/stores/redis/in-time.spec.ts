import { inTime, NoAnswer } from '../../store/in-time.js';
import { redisStoreTest } from './redis-store.testing.js';

describe('A call to Redis', () => {
  const on = redisStoreTest({ options: { commandTimeoutMs: 1_000 }, audited: true });

  it('is not given up when this process was busy and the reply has arrived', async () => {
    const ids = await on.submit(20);
    const claiming = on.claim(20);
    // A handler that computes. The timers of the call are due before its answer is read.
    const from = performance.now();
    while (performance.now() - from < 1_500);
    expect((await claiming).map(({ job }) => job.id)).toEqual(ids);
    expect(on.heard).toEqual([]);
  });

  it('without a reply fails at its deadline, and the connection is opened again', async () => {
    on.server.pause();
    await expect(on.claim(1)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    on.server.resume();
    await vi.waitFor(() =>
      expect(on.heard).toEqual(['The connection to Redis is lost; retrying', 'The connection to Redis is back']),
    );
  });

  it('may take longer while its bytes move, up to a limit', async () => {
    let bytes = 0;
    const moving = { moved: () => ++bytes, times: 4 };
    const never = new Promise<never>(() => {});
    await expect(inTime(never, 10, moving)).rejects.toMatchObject({ isSilent: false });
    expect(bytes).toBeGreaterThan(3);
    await expect(inTime(never, 10, { moved: () => 1, times: 4 })).rejects.toEqual(new NoAnswer(10, true));
    let answer: (text: string) => void = () => {};
    const late = inTime(new Promise<string>((resolve) => (answer = resolve)), 10, {
      moved: () => {
        if (++bytes > 1_000) answer('here');
        return bytes;
      },
      times: 1_000,
    });
    bytes = 998;
    expect(await late).toBe('here');
  });
});
