import 'reflect-metadata';
import { readFileSync } from 'node:fs';

/** Of this process, which runs one test file. None where the system does not say. */
function childProcesses(): number[] {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

const before = new Set(childProcesses());

// After all hooks of the file: a process that is still there would outlive it.
afterAll(() => {
  for (const pid of childProcesses().filter((child) => !before.has(child))) {
    const command = commandOf(pid);
    if (command === '' || command.includes('esbuild')) continue;
    process.kill(pid, 'SIGKILL');
    // oxlint-disable-next-line no-console
    console.error(`left behind by ${expect.getState().testPath}: ${command}`);
  }
});
