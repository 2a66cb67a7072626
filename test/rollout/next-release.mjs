// The next release of the demo, API or worker: the same route now submits a job with another name. Its worker has a
// handler for the new name only, and workers of the demo only for the old one.
import 'reflect-metadata';
import { Body, Controller, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  AsyncEndpoint,
  AsyncEndpointsModule,
  AsyncHandler,
  defineJob,
} from '../../dist/libs/async-endpoints/src/index.js';
import { configuration, exitInOrder, HealthModule, parsePort, startProcess } from '../../dist/libs/demo/src/index.js';

const SleepV2 = defineJob('SleepV2');

class SleepHandler {
  async handle({ durationMs }, { logger }) {
    logger.log(`slept ${durationMs} ms`);
    return { sleptMs: durationMs };
  }
}
AsyncHandler(SleepV2)(SleepHandler);

class SleepController {
  sleep(request) {
    return request;
  }
}
Controller('api/demo/sleep')(SleepController);
Body()(SleepController.prototype, 'sleep', 0);
const sleep = Object.getOwnPropertyDescriptor(SleepController.prototype, 'sleep');
AsyncEndpoint(SleepV2)(SleepController.prototype, 'sleep', sleep);
Post()(SleepController.prototype, 'sleep', sleep);
Object.defineProperty(SleepController.prototype, 'sleep', sleep);

const side = process.env.ASYNC_ROLE === 'worker' ? { providers: [SleepHandler] } : { controllers: [SleepController] };
const imports = [AsyncEndpointsModule.forRootAsync(configuration(['api', 'worker']))];
const Release = { module: HealthModule, imports, ...side };

await startProcess(
  async () => ({
    app: exitInOrder(await NestFactory.create(Release, new FastifyAdapter())),
    port: parsePort(process.env.PORT),
  }),
  (url) => `The next release listens on ${url}`,
);
