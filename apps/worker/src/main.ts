import 'reflect-metadata';
import { exitInOrder, readSettings, startProcess } from '@app/demo';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { WorkerModule } from './worker.module.js';

await startProcess(
  async () => {
    const settings = readSettings(process.env, ['worker']);
    const app = await NestFactory.create<NestFastifyApplication>(WorkerModule.with(settings), new FastifyAdapter());
    return { app: exitInOrder(app), port: settings.port };
  },
  (url) => `The Async Endpoints demo worker looks for jobs; its health is at ${url}/health`,
);
