import { escaped, isLogged } from './print.js';

/** What the process says by its exit code; documented in docs/operations.md. */
export const EXIT = {
  ok: 0,
  /** It did not work, not for all that were named, or an audit found deviations. */
  failed: 1,
  /** The command line or the configuration is wrong; nothing was changed. */
  usage: 2,
} as const;

/** The command line asks for something that cannot be. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Beside the output: for people, or a line of the log as Nest writes it. */
export function say(message: string, level: 'log' | 'warn' | 'error' = 'log'): void {
  const { pid } = process;
  const entry = { level, pid, timestamp: Date.now(), message, context: 'async-endpoints' };
  const line = isLogged(process.stderr) ? JSON.stringify(entry) : `async-endpoints: ${message}`;
  process.stderr.write(`${escaped(line)}\n`);
}

/** What went wrong and, where a call to Redis failed, of what; never a stack. */
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
