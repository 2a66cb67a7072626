// The demo's health beside modules whose own shutdown takes long, before and after everybody else's.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AsyncEndpointsModule } from '../../dist/libs/async-endpoints/src/index.js';
import { DemoJobsModule, exitInOrder, HealthModule, startProcess } from '../../dist/libs/demo/src/index.js';

class Slow {
  onModuleDestroy() {
    process.stdout.write('a hook of another module waits\n');
    return new Promise(() => {}); // until the test kills the process
  }
}
class Inner extends Slow {}
Module({})(Inner);
class Outer extends Slow {}
Module({ imports: [Inner, AsyncEndpointsModule.forRoot(), DemoJobsModule, HealthModule] })(Outer);

await startProcess(
  async () => ({ app: exitInOrder(await NestFactory.create(Outer, new FastifyAdapter(), { logger: false })), port: 0 }),
  (url) => `It listens on ${url}`,
);
