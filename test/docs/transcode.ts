import { defineJob } from 'nestjs-async-endpoints';

export const Transcode = defineJob<{ file: string }, { bytes: number }>('Transcode', {
  concurrency: 2, // at once in each worker process: three workers run six
  maxQueueSize: 50, // waiting, over all instances; the next is refused with 503 and Retry-After
  timeoutMs: 3_600_000,
});
