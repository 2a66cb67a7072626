import { setTimeout } from 'node:timers/promises';
import { Inject } from '@nestjs/common';
import { AsyncHandler, defineJob, type JobContext, type JobHandler } from 'nestjs-async-endpoints';
import { Checkpoints } from './checkpoints.js';

export const Reindex = defineJob<{ pages: number }, { pages: number }>('Reindex', {
  timeoutMs: 6 * 3_600_000, // one attempt
  concurrency: 1, // in each worker process
});

@AsyncHandler(Reindex)
export class ReindexHandler implements JobHandler<typeof Reindex> {
  constructor(@Inject(Checkpoints) private readonly checkpoints: Checkpoints) {}

  async handle({ pages }: { pages: number }, context: JobContext): Promise<{ pages: number }> {
    for (let page = await this.checkpoints.read(context.id); page < pages; page++) {
      context.signal.throwIfAborted(); // canceled, timed out, lost, or the worker shuts down
      await setTimeout(5, undefined, { signal: context.signal }); // the work of one page
      await this.checkpoints.write(context.id, page + 1, context.fence);
      void context.progress((page + 1) / pages, `page ${page + 1} of ${pages}`);
    }
    return { pages };
  }
}
