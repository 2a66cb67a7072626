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

/** For people, beside the output. */
export function say(message: string): void {
  process.stderr.write(`async-endpoints: ${message}\n`);
}

/** What went wrong and, where a call to Redis failed, of what; never a stack. */
export function oneLine(error: unknown): string {
  const { message, cause, code } = (
    error instanceof Error ? error : { message: String(error) }
  ) as NodeJS.ErrnoException;
  const isUnsaid = code === 'STORE_UNAVAILABLE' && cause instanceof Error && !message.includes(cause.message);
  return (isUnsaid ? `${message} (${cause.message})` : message).replaceAll(/\s*\n\s*/g, ' ');
}
