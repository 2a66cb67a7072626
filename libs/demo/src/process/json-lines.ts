import { isJson } from './log-format.js';

/**
 * /* Output without a logger, or independent of its level. Imported before all other modules, because Node.js may print
 * warnings while packages are loaded. So it imports none itself.
 */

/** Writes a line in the format of Nest's console logger. */
export function writeJsonLine(level: 'log' | 'warn' | 'fatal', message: string, stack?: string): void {
  const entry = { level, pid: process.pid, timestamp: Date.now(), message, context: 'Demo', ...(stack && { stack }) };
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

/** With a JSON log, writes warnings and fatal errors of Node.js as JSON too. Otherwise Node.js prints them. */
function speakForNode(): void {
  const nodes = process.listeners('warning');
  process.removeAllListeners('warning').on('warning', (warning) => {
    if (isJson()) writeJsonLine('warn', `${warning.name}: ${warning.message}`);
    else for (const listener of nodes) listener(warning);
  });
}

/** Call it when `.env` has been read. */
export function dieInJson(): void {
  if (!isJson()) return;
  process.on('uncaughtException', (error) => {
    writeJsonLine('fatal', error.message, error.stack);
    process.exit(1);
  });
}

speakForNode();
