import 'reflect-metadata';
import { configuration, demoLogger, exitInOrder, parsePort, startProcess } from '@app/demo';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { WorkerModule } from './worker.module.js';

await startProcess(
  async () => {
    const port = parsePort(process.env['PORT'], 3001); // differs from the default of the API, so that both can run on one machine
    const module = WorkerModule.with(configuration(['worker']));
    const logger = demoLogger(process.env);
    const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { logger });
    return { app: exitInOrder(app), port };
  },
  (url) => `The Async Endpoints demo worker looks for jobs; its health is at ${url}/health`,
);
