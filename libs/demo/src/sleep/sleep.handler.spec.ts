import { JobContext, type JobProgress } from 'nestjs-async-endpoints';
import type { Claim } from 'nestjs-async-endpoints/store';
import { SleepHandler } from './sleep.handler.js';

/** What a worker lends to a run, as far as sleeping needs it. */
function aRun(signal: AbortSignal): { context: JobContext; reports: JobProgress[] } {
  const reports: JobProgress[] = [];
  const report = async (progress: JobProgress): Promise<void> => void reports.push(progress);
  const claim = { job: { id: 'a-sleep', name: 'Sleep', retryCount: 0, maxRetries: 0, owner: null }, fence: 1 } as Claim;
  return { context: new JobContext({ claim, deadline: new Date(), signal, report }, undefined), reports };
}

describe('SleepHandler', () => {
  it('reports every tenth once', async () => {
    const { context, reports } = aRun(new AbortController().signal);
    await expect(new SleepHandler().handle({ durationMs: 20 }, context)).resolves.toEqual({ durationMs: 20 });
    expect(reports.map(({ fraction }) => fraction)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]);
    expect(reports[2]?.message).toBe('slept 6 of 20 ms');
  });

  it('ends when the signal is aborted, before the worker gives up', async () => {
    const controller = new AbortController();
    const sleeping = new SleepHandler().handle({ durationMs: 600_000 }, aRun(controller.signal).context);
    controller.abort();
    await expect(sleeping).rejects.toMatchObject({ name: 'AbortError' });
  });
});
