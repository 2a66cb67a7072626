#!/usr/bin/env node
import { EXIT, oneLine, say, UsageError } from './exit.js';
import { requirePackages } from './packages.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok); // the reader of the pipe has closed it, as `head` does
});

// Node.js would write warnings as text into a log of JSON.
process.removeAllListeners('warning').on('warning', ({ name, message }) => say(`${name}: ${message}`, 'warn'));

try {
  requirePackages('commander');
  const { run } = await import('./program.js');
  process.exitCode = await run(process.argv);
} catch (error) {
  say(oneLine(error), 'error');
  process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
}
