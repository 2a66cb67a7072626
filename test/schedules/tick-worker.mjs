// A worker of the job `Tick`, which tells the schedule and the instant that it was made for. It runs until it is killed.
// Arguments: the kind of the store, and its options as JSON.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AsyncEndpointsModule, AsyncHandler, defineJob } from '../../libs/async-endpoints/dist/index.js';
import { PostgresJobStore } from '../../libs/async-endpoints/dist/stores/postgres/index.js';
import { RedisJobStore } from '../../libs/async-endpoints/dist/stores/redis/index.js';
import { SqliteJobStore } from '../../libs/async-endpoints/dist/stores/sqlite/index.js';

const [, , kind, options] = process.argv;
const Store = { PostgresJobStore, RedisJobStore, SqliteJobStore }[kind];
const store = new Store(JSON.parse(options));

class TickHandler {
  handle(_payload, { schedule }) {
    return { name: schedule.name, at: schedule.at.getTime() };
  }
}
AsyncHandler(defineJob('Tick'))(TickHandler);

const worker = { leaseMs: 3_000 };
const recovery = { sweepIntervalMs: 500, maxCrashes: 100 };
const imports = [AsyncEndpointsModule.forRoot({ store, worker, recovery })];
await NestFactory.createApplicationContext(
  { module: TickHandler, imports, providers: [TickHandler] },
  { logger: ['error', 'warn'] },
);
process.stdout.write('works\n');
