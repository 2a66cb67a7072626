import { isJson } from './log-format.js';

/*
 * What is said where there is no logger, or whatever it and its level are. Imported before all else, because Node warns of what
 * packages do while they are loaded; so it imports none.
 */

/** A line as Nest's console logger writes it. */
export function writeJsonLine(level: 'log' | 'warn' | 'fatal', message: string, stack?: string): void {
  const entry = { level, pid: process.pid, timestamp: Date.now(), message, context: 'Demo', ...(stack && { stack }) };
  process.stdout.write(`${JSON.stringify(entry)}\n`);
}

/** Where the log is JSON, so is what Node itself says: its warnings, and why it ends. Elsewhere Node says it. */
function speakForNode(): void {
  const nodes = process.listeners('warning');
  process.removeAllListeners('warning').on('warning', (warning) => {
    if (isJson()) writeJsonLine('warn', `${warning.name}: ${warning.message}`);
    else for (const listener of nodes) listener(warning);
  });
}

/** From when all that `.env` says is known. */
export function dieInJson(): void {
  if (!isJson()) return;
  process.on('uncaughtException', (error) => {
    writeJsonLine('fatal', error.message, error.stack);
    process.exit(1);
  });
}

speakForNode();
