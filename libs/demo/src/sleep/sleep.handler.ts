import { setTimeout } from 'node:timers/promises';
import { AsyncHandler, type JobContext, type JobHandler } from 'nestjs-async-endpoints';
import { Sleep, type SleepRequest, type Slept } from './sleep.job.js';

const STEPS = 10;

@AsyncHandler(Sleep)
export class SleepHandler implements JobHandler<typeof Sleep> {
  async handle({ durationMs }: SleepRequest, context: JobContext): Promise<Slept> {
    const startedAt = performance.now();
    for (let step = 1; step <= STEPS; step++) {
      const sleptMs = Math.round((durationMs * step) / STEPS);
      // Measured from the start, so that late timers do not add up.
      const remainingMs = startedAt + sleptMs - performance.now();
      // Rejects when the signal is aborted. The worker then ignores the error of the handler, because it knows the
      // reason.
      if (remainingMs > 0) await setTimeout(remainingMs, undefined, { signal: context.signal });
      void context.progress(step / STEPS, `slept ${sleptMs} of ${durationMs} ms`);
    }
    context.logger.log(`slept ${durationMs} ms`);
    return { durationMs };
  }
}
