// Runs the command-line tool for each message, one after the other: a suite starts one process instead of hundreds.
import { run } from '../../libs/async-endpoints/dist/cli/program.js';

let last = Promise.resolve();
process.on('message', ({ number, args }) => {
  last = last.then(() => answer(number, args));
});

async function answer(number, args) {
  const written = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    process[stream].write = (text) => {
      written[stream] += text;
      return true;
    };
  }
  const code = await run([process.execPath, 'async-endpoints', ...args]);
  process.send({ number, code, ...written });
}
