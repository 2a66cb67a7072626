import { type INestApplicationContext, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  type AsyncEndpointsExtras,
  AsyncEndpointsModule,
  type AsyncEndpointsOptions,
  type Job,
  JobManager,
  type JobStatus,
  JobStore,
  JobWorker,
} from 'nestjs-async-endpoints';
import { eventually, type Script, Scripted, ScriptedHandler } from 'nestjs-async-endpoints/testing';

export interface StartedWorker {
  readonly app: INestApplicationContext;
  readonly jobs: JobManager;
  readonly store: JobStore;
  readonly worker: JobWorker;
  readonly handler: ScriptedHandler;
  /** Submits a scripted job and answers its id. */
  submit(script: Script): Promise<string>;
  /** Waits until the job has this status. */
  reached(id: string, status: JobStatus): Promise<Job>;
}

const started: INestApplicationContext[] = [];

/** A real application without HTTP, whose worker runs scripted jobs; closed after the test. */
export async function startWorker(
  options: AsyncEndpointsOptions & AsyncEndpointsExtras = {},
  providers: Provider[] = [ScriptedHandler],
): Promise<StartedWorker> {
  @Module({
    imports: [AsyncEndpointsModule.forRoot({ ...options, worker: { maxConcurrency: 4, ...options.worker } })],
    providers,
  })
  class WorkerModule {}
  const app = await NestFactory.createApplicationContext(WorkerModule, { logger: false });
  started.push(app);
  const jobs = app.get(JobManager);
  return {
    app,
    jobs,
    store: app.get(JobStore),
    worker: app.get(JobWorker),
    get handler() {
      return app.get(ScriptedHandler, { strict: false });
    },
    submit: async (script) => (await jobs.submit(Scripted, script)).id,
    reached: (id, status) => hasStatus(jobs, id, status),
  };
}

export async function hasStatus(jobs: JobManager, id: string, status: JobStatus): Promise<Job> {
  return eventually(async () => {
    const job = await jobs.find(id);
    if (job?.status !== status) throw new Error(`Job ${id} is ${job?.status}, not ${status}: ${job?.error?.message}`);
    return job;
  });
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((app) => app.close()));
});
