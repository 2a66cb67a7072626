import { AsyncHandler, type JobHandler } from '../handlers/async-handler.js';
import type { JobContext } from '../handlers/job-context.js';
import { defineJob } from '../job/define-job.js';
import { PermanentJobError, RetryJobError } from '../job/errors.js';
import { type Gate, gate } from './gate.js';

/** The script of a run, which is the payload of the job. */
export type Script =
  | { readonly do: 'return'; readonly value?: unknown }
  /** An error that clients can see, unless it is internal. */
  | { readonly do: 'throw'; readonly message: string; readonly code?: string; readonly internal?: boolean }
  | { readonly do: 'fail for good'; readonly message: string }
  | { readonly do: 'retry'; readonly afterMs: number }
  /** Runs until the test ends it. An obedient run also ends when its signal is aborted. */
  | { readonly do: 'stay'; readonly obedient?: boolean };

export const Scripted = defineJob<Script, unknown>('Scripted');

/** One run of a scripted job, as the test sees it. */
export interface ScriptedRun {
  readonly context: JobContext;
  /** Ends a run that stays, with this return value. */
  readonly leave: Gate<unknown>;
}

/** A handler that follows the script in its payload, and gives the test access to its runs. */
@AsyncHandler(Scripted)
export class ScriptedHandler implements JobHandler<typeof Scripted> {
  /** Every run so far, in order of start. */
  readonly runs: ScriptedRun[] = [];
  #next: Gate<ScriptedRun>[] = [];

  /** The next run that starts, or the latest one that was not returned yet. */
  nextRun(): Promise<ScriptedRun> {
    const waiting = gate<ScriptedRun>();
    const run = this.#unseen.shift();
    if (run) waiting.open(run);
    else this.#next.push(waiting);
    return waiting.opened;
  }

  async handle(script: Script, context: JobContext): Promise<unknown> {
    const run: ScriptedRun = { context, leave: gate<unknown>() };
    this.runs.push(run);
    const waiting = this.#next.shift();
    if (waiting) waiting.open(run);
    else this.#unseen.push(run);
    switch (script.do) {
      case 'return':
        return script.value;
      case 'throw':
        throw Object.assign(
          new Error(script.message),
          { expose: script.internal !== true },
          script.code !== undefined && { code: script.code },
        );
      case 'fail for good':
        throw new PermanentJobError(script.message);
      case 'retry':
        throw new RetryJobError('later', script.afterMs);
      case 'stay':
        return script.obedient ? Promise.race([run.leave.opened, aborted(context.signal)]) : run.leave.opened;
    }
  }

  readonly #unseen: ScriptedRun[] = [];
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });
}
