import { Injectable } from '@nestjs/common';
import { JobManager } from 'nestjs-async-endpoints';
import { FetchPage } from './fetch-page.js';

@Injectable()
export class Pages {
  constructor(private readonly jobs: JobManager) {}

  /** Submits one job for each key, even when called repeatedly. */
  async plan(url: string, scheduledAt: Date, key: string): Promise<string> {
    const job = await this.jobs.submit(FetchPage, { url }, { scheduledAt, idempotencyKey: key, priority: 10 });
    return job.id;
  }

  async outcome(id: string): Promise<string> {
    const { status, error } = await this.jobs.waitFor(id, { timeoutMs: 10_000 });
    return error?.code ?? status;
  }
}
