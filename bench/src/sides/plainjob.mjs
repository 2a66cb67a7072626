import Database from 'better-sqlite3';
import { better, defineQueue, defineWorker } from 'plainjob';
import { serve } from '../child.mjs';
import { placeOf } from '../sqlite-file.mjs';
import { Calls, JOB_NAME, requestOf, timedCalls } from './work.mjs';

const ignore = () => {};
const logger = { error: ignore, warn: ignore, info: ignore, debug: ignore };
/** By port, so that rounds do not include the time of opening. */
const queues = new Map();

function queueAt(port) {
  if (!queues.has(port)) {
    const connection = better(new Database(placeOf(port).path));
    queues.set(port, defineQueue({ connection, logger }));
    connection.pragma(`synchronous = ${placeOf(port).synchronous}`);
  }
  return queues.get(port);
}

async function submit({ port, ...span }) {
  const queue = queueAt(port);
  return { ms: await timedCalls(span, (n) => queue.add(JOB_NAME, requestOf(n))) };
}

/** It runs one job after another, and stores no results. */
async function work({ port, count }) {
  const calls = new Calls(count);
  let completed = 0;
  const worker = defineWorker(JOB_NAME, ({ data }) => calls.note(JSON.parse(data).n), {
    queue: queueAt(port),
    logger,
    onCompleted: () => {
      if (++completed === count) void worker.stop();
    },
  });
  const startedAt = performance.now();
  await worker.start();
  const ms = performance.now() - startedAt;
  calls.check();
  return { ms };
}

/** Its statuses are numbers: 2 is done. */
async function check({ port, count }) {
  const done = queueAt(port).countJobs({ status: 2 });
  if (done !== count) throw new Error(`${done} of ${count} jobs are done`);
}

serve({ submit, work, check });
