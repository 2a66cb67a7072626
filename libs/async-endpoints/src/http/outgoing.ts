import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';

/** Node's response: Express's itself, or what Fastify's is around. */
export function outgoingOf(response: unknown): ServerResponse {
  return ((response as { raw?: ServerResponse }).raw ?? response) as ServerResponse;
}

/**
 * Resolves when the client has taken what was written, or is gone. One that takes nothing for `timeoutMs` is disconnected.
 */
export async function taken(response: ServerResponse, timeoutMs: number): Promise<void> {
  await setImmediate(); // what was just written goes through another stream first
  // HTTP/2 writes to a stream of its own.
  const target = (response as { stream?: typeof response }).stream ?? response;
  if (!target.writableNeedDrain || target.destroyed) return;
  await new Promise<void>((resolve) => {
    const late = setTimeout(() => target.destroy(), timeoutMs);
    const end = (): void => {
      clearTimeout(late);
      target.off('drain', end).off('close', end);
      resolve();
    };
    target.on('drain', end).on('close', end);
  });
}
