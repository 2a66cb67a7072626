// A worker with one handler: `Probe` prints the fence of its run. On request it kills its process, or blocks the event
// loop in its first run.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AsyncEndpointsModule, AsyncHandler, defineJob } from '../../dist/libs/async-endpoints/src/index.js';
import { configuration, exitInOrder, HealthModule, parsePort, startProcess } from '../../dist/libs/demo/src/index.js';

class ProbeHandler {
  handle({ crash, blockMs }, { fence }) {
    if (crash) process.kill(process.pid, 'SIGKILL');
    if (blockMs && fence === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockMs);
    return { fence };
  }
}
AsyncHandler(defineJob('Probe'))(ProbeHandler);

const Probe = {
  module: HealthModule,
  imports: [AsyncEndpointsModule.forRootAsync(configuration(['worker']))],
  providers: [ProbeHandler],
};

await startProcess(
  async () => ({
    app: exitInOrder(await NestFactory.create(Probe, new FastifyAdapter())),
    port: parsePort(process.env.PORT),
  }),
  (url) => `The probe's health is at ${url}/health`,
);
