import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AsyncEndpointsModule, AsyncHandler, defineJob, JOB_CHANNELS, JobManager } from './library.mjs';
import { JOB_NAME, resultOf } from './work.mjs';

export const Noop = defineJob(JOB_NAME);

/** The dependency of the handler. Decorators are called by hand, because there is no build step. */
class Desk {
  calls;
}
Injectable()(Desk);

class NoopHandler {
  constructor(desk) {
    this.desk = desk;
  }

  async handle(request, context) {
    this.desk.calls.note(request.n);
    if (context.attempt !== 1) throw new Error('this is not the first attempt');
    return resultOf(request);
  }
}
Inject(Desk)(NoopHandler, undefined, 0);
AsyncHandler(Noop)(NoopHandler);

/** An API process: it submits and reads. */
export async function startApi(store) {
  const app = await start({ store, role: 'api', jobs: { maxQueueSize: 100_000_000, maxQueueBytes: 1e12 } }, []);
  return { manager: app.get(JobManager), close: () => app.close() };
}

/** A worker process. `startedAt` is the time when it is ready and has not claimed a job yet. */
export async function startWorker(store, calls, { concurrency } = {}) {
  const desk = new Desk();
  desk.calls = calls;
  let startedAt;
  const worker = concurrency ? { maxConcurrency: concurrency } : {};
  const app = await start(
    { store, role: 'worker', worker },
    [NoopHandler, { provide: Desk, useValue: desk }],
    () => void (startedAt = performance.now()),
  );
  return { startedAt, close: () => app.close() };
}

/** Calls back when the store has accepted the n-th completion. Returns a function that stops counting. */
export function onCompletions(marks) {
  let count = 0;
  const listener = () => marks[++count]?.();
  JOB_CHANNELS.complete.subscribe(listener);
  return () => JOB_CHANNELS.complete.unsubscribe(listener);
}

function start(options, providers, onModuleInit = () => {}) {
  class Root {
    onModuleInit() {
      onModuleInit();
    }
  }
  Module({ imports: [AsyncEndpointsModule.forRoot(options)], providers })(Root);
  return NestFactory.createApplicationContext(Root, { logger: ['error'] });
}
