import { escaped, isLogged } from './print.js';

/** The exit codes. docs/operations.md documents them. */
export const EXIT = {
  ok: 0,
  /** The command failed, did not change all named jobs, or an audit found deviations. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was changed. */
  usage: 2,
} as const;

/** The command line is invalid. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Writes a message to stderr: as text for people, or as a line of the log in the format of Nest. */
export function say(message: string, level: 'log' | 'warn' | 'error' = 'log'): void {
  const { pid } = process;
  const entry = { level, pid, timestamp: Date.now(), message, context: 'async-endpoints' };
  const line = isLogged(process.stderr) ? JSON.stringify(entry) : `async-endpoints: ${message}`;
  process.stderr.write(`${escaped(line)}\n`);
}

/** The message of an error and, for a failed call to Redis, its cause, on one line and without a stack. */
export function oneLine(error: unknown): string {
  const { message, cause, code } = (
    error instanceof Error ? error : { message: String(error) }
  ) as NodeJS.ErrnoException;
  const isUnsaid = code?.startsWith('STORE_') && cause instanceof Error && !message.includes(cause.message);
  return (isUnsaid ? `${message} (${cause.message})` : message)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join(' ');
}
