import { eventually } from 'nestjs-async-endpoints/testing';
import { Gate } from './gate.js';
import { Report, UNKNOWN_ID } from './reports.js';
import { BEES, startAccepting, startHeld } from './waiting.js';

describe('JobManager.follow', () => {
  it('yields the current state and each change until the end, and waitFor resolves with the end', async () => {
    const { app, store, held } = await startHeld('Express');
    const { id } = await app.jobs.submit(Report, BEES);
    const context = await held.started.opened;
    const seen: string[] = [];
    const told = new Gate();
    const ended = new Promise<void>((resolve, reject) =>
      app.jobs.follow(id).subscribe({
        next: ({ status, progress }) => {
          seen.push(`${status} ${progress?.fraction ?? ''}`.trim());
          told.open();
        },
        error: reject,
        complete: resolve,
      }),
    );
    await told.opened;
    await context.progress(0.5);
    await eventually(() => seen.length === 2);
    held.finish.open({ text: '' });
    await ended;
    expect(seen).toEqual(['InProgress', 'InProgress 0.5', 'Completed 0.5']);
    expect(store.begun).toBe(1);
    await eventually(() => store.watching === 0);
  });

  it.each([
    ['Express', 1],
    ['Express and Redis', 0], // which tells of a small result whole
  ] as const)('reads no step before the end for those who care for the end alone, on %s', async (stack, reads) => {
    const { app, store, held } = await startHeld(stack);
    const { id } = await app.jobs.submit(Report, BEES);
    const context = await held.started.opened;
    const seen: string[] = [];
    const ended = new Promise<void>((complete, error) =>
      app.jobs.followToEnd(id).subscribe({ next: ({ status }) => seen.push(status), error, complete }),
    );
    await eventually(() => seen.length === 1);
    const before = store.reads;
    await context.progress(0.5);
    held.finish.open({ text: '' });
    await ended;
    expect(seen).toEqual(['InProgress', 'Completed']);
    expect(store.reads).toBe(before + reads);
  });

  it.each([
    [UNKNOWN_ID, 'JOB_NOT_FOUND'],
    ['17', 'INVALID_JOB_ID'],
  ])('rejects %s with %s', async (id, code) => {
    const { app, store } = await startAccepting('Express');
    const failure = await new Promise((resolve) => app.jobs.follow(id).subscribe({ error: resolve }));
    expect(failure).toMatchObject({ code });
    await eventually(() => store.watching === 0);
  });
});
