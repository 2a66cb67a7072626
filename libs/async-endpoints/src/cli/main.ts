#!/usr/bin/env node
import { EXIT, oneLine, say } from './exit.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok); // whoever reads has read enough, as `head` does
});

try {
  const { run } = await import('./program.js');
  process.exitCode = await run(process.argv);
} catch (error) {
  // What the tool needs is not for all users of the library to install.
  const missing = /Cannot find package '([^']+)'/.exec(String(error))?.[1];
  say(missing ? `This needs the package ${missing}: npm install ${missing}` : oneLine(error));
  process.exitCode = missing ? EXIT.usage : EXIT.failed;
}
