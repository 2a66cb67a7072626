// An application that has used all connections to its store and is closed. Prints what still keeps the process alive then.
import 'reflect-metadata';
import { setTimeout } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import {
  AsyncEndpointsModule,
  AsyncHandler,
  defineJob,
  JobManager,
} from '../../dist/libs/async-endpoints/src/index.js';
import { storeOfTest } from './store-of-test.mjs';

const Work = defineJob('Work');

class WorkHandler {
  handle() {
    return 'done';
  }
}
AsyncHandler(Work)(WorkHandler);

// oxlint-disable-next-line typescript/no-extraneous-class -- a module
class AppModule {}

const App = {
  module: AppModule,
  imports: [AsyncEndpointsModule.forRoot({ store: await storeOfTest() })],
  providers: [WorkHandler],
};

const app = await NestFactory.createApplicationContext(App, { logger: ['error'] });
const jobs = app.get(JobManager);
const job = await jobs.submit(Work, null);
await jobs.waitFor(job.id);
await app.close();
// Sockets are closed by then, if they are at all; timers that ioredis leaves behind run for 2 s and longer.
await setTimeout(500);
const left = process.getActiveResourcesInfo().filter((name) => /^(Timeout|TCP|TLS)/.test(name));
process.stdout.write(JSON.stringify(left));
