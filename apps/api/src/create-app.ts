import { exitInOrder, MAXIMUM_CSV_BYTES } from '@app/demo';
import { type NestApplicationOptions, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AsyncEndpointsConfiguration } from 'nestjs-async-endpoints/config';
import { AppModule } from './app.module.js';
import { readCsvBody } from './csv-body.js';
import { serveDocuments } from './documents.js';
import { serveOperations } from './operations-port.js';
import { discardOversizedBodies } from './oversized-body.js';

const MAXIMUM_BODY_BYTES = 1024 * 1024;

/**
 * The whole application, ready to listen: the same for `main.ts` and for tests.
 *
 * @param operationsPort a separate port for health, metrics and documents
 */
export async function createApp(
  configuration: AsyncEndpointsConfiguration,
  options: NestApplicationOptions = {},
  operationsPort?: number,
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({ bodyLimit: MAXIMUM_BODY_BYTES });
  discardOversizedBodies(adapter, 4 * MAXIMUM_CSV_BYTES);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.with(configuration), adapter, options);
  app.useBodyParser('text/csv', { bodyLimit: MAXIMUM_CSV_BYTES }, readCsvBody);
  // An unknown field is probably misspelt. Refuse it, because a field that is dropped silently is hard to find.
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
  serveDocuments(app);
  if (operationsPort !== undefined) serveOperations(app, operationsPort);
  return exitInOrder(app);
}
