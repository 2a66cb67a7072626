// node scripts/side-by-side.mjs <npm script…>: runs the scripts at the same time, because each of them keeps only one
// core busy most of the time. Prints what a script has written when it ends, and fails when one of them fails.
import { spawn } from 'node:child_process';

/** @returns the exit code */
function run(script) {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', ['run', script], { shell: process.platform === 'win32' });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.once('error', reject);
    child.once('close', (code) => {
      console.log(output);
      resolve(code ?? 1);
    });
  });
}

const codes = await Promise.all(process.argv.slice(2).map(run));
process.exitCode = Math.max(...codes);
