import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const children = new Set();

/** All children that start later write a CPU profile to this folder when they end. */
export function profileTo(folder) {
  profiling.push('--cpu-prof', '--cpu-prof-dir', folder);
}
const profiling = [];

/** This checkout. */
export const HERE = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Starts a side in a separate process; `call(name, argument)` runs one of its functions.
 *
 * @param checkout the folder with the side of the benchmark and the built library
 */
export function startChild(file, checkout = HERE) {
  const path = resolve(checkout, 'bench/src/sides', file);
  const child = fork(path, { execArgv: ['--expose-gc', ...profiling] });
  const calls = new Map();
  let last = 0;
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    if (child.connected) child.disconnect();
    await exited;
  };
  children.add(stop);
  child.on('message', ({ id, value, error }) => {
    const { settle, reject } = calls.get(id);
    calls.delete(id);
    if (error === undefined) settle(value);
    else reject(new Error(`${file}: ${error}`));
  });
  child.on('exit', (code, signal) => {
    children.delete(stop);
    for (const { reject } of calls.values()) reject(new Error(`${file} exited with ${signal ?? code}`));
  });
  return {
    call(name, argument = {}) {
      return new Promise((settle, reject) => {
        calls.set(++last, { settle, reject });
        child.send({ id: last, name, argument });
      });
    },
    stop,
  };
}

/** In the child: answers the calls of the parent, and ends with it. */
export function serve(functions) {
  const served = { cpu, watchLoop, loopDelay, ...functions };
  process.on('message', ({ id, name, argument }) => {
    void Promise.resolve()
      .then(() => served[name](argument))
      .then(
        (value) => process.send({ id, value }),
        (error) => process.send({ id, error: error?.stack ?? String(error) }),
      );
  });
  process.on('disconnect', () => process.exit(0));
}

/** In µs, since the process started. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const LOOP_RESOLUTION_MS = 1;
const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

function watchLoop() {
  loop.reset();
  loop.enable();
}

/** By how many ms the event loop was late since `watchLoop`, p99. */
function loopDelay() {
  loop.disable();
  return loop.percentile(99) / 1e6 - LOOP_RESOLUTION_MS;
}

export function stopChildren() {
  return Promise.all([...children].map((stop) => stop()));
}
