// The demo with a store that its settings cannot express: `ASYNC_ROLE` as ever, `STORE` its kind and options, and
// `WORKER` the options of a worker, as JSON.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AsyncEndpointsModule } from '../../dist/libs/async-endpoints/src/index.js';
import {
  DemoApiModule,
  DemoJobsModule,
  exitInOrder,
  HealthModule,
  startProcess,
} from '../../dist/libs/demo/src/index.js';
import { storeOfTest } from './store-of-test.mjs';

const { ASYNC_ROLE: role, WORKER = '{}', ASYNC_WORKER_LEASE_MS, ASYNC_RECOVERY_SWEEP_INTERVAL_MS } = process.env;
const worker = { leaseMs: Number(ASYNC_WORKER_LEASE_MS), ...JSON.parse(WORKER) };
const recovery = { sweepIntervalMs: Number(ASYNC_RECOVERY_SWEEP_INTERVAL_MS) };
const store = await storeOfTest();
const Demo = {
  module: role === 'worker' ? HealthModule : DemoApiModule,
  imports: [
    AsyncEndpointsModule.forRoot({ role, store, worker, recovery }),
    ...(role === 'api' ? [] : [DemoJobsModule]),
  ],
};

await startProcess(
  async () => ({ app: exitInOrder(await NestFactory.create(Demo, new FastifyAdapter())), port: 0 }),
  (url) => `The demo listens on ${url}`,
);
