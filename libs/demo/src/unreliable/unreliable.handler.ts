import { AsyncHandler, type JobContext, type JobHandler } from 'nestjs-async-endpoints';
import { Unreliable, type UnreliableRequest, type UnreliableResult } from './unreliable.job.js';

class DemoFailure extends Error {
  override readonly name = 'DemoFailure';
  /** Clients see it as `error.code` of the job. */
  readonly code = 'DEMO_FAILURE';
  /** Clients may see the message, too. */
  readonly expose = true;
}

@AsyncHandler(Unreliable)
export class UnreliableHandler implements JobHandler<typeof Unreliable> {
  handle({ failures }: UnreliableRequest, { attempt }: JobContext): UnreliableResult {
    if (attempt <= failures) throw new DemoFailure(`Failing on purpose, ${attempt} of ${failures} times.`);
    return { attempts: attempt };
  }
}
