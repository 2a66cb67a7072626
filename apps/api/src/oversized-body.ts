import type { IncomingMessage } from 'node:http';
import type { FastifyAdapter } from '@nestjs/platform-fastify';

const LONGEST_MS = 5_000;

/**
 * Reads a too large body to its end, up to a limit, before it is refused. Fastify answers at once and closes the
 * connection. A client that reads no response before it has sent everything, such as `fetch`, would then report a
 * broken connection instead of the 413.
 */
export function discardOversizedBodies(adapter: FastifyAdapter, maxBytes: number): void {
  adapter.getInstance().addHook('onSend', async (request, reply) => {
    if (reply.statusCode === 413) await discardRest(request.raw, maxBytes);
  });
}

function discardRest(request: IncomingMessage, maxBytes: number): Promise<void> {
  return new Promise((resolve) => {
    if (request.complete || request.destroyed) return resolve();
    const patience = setTimeout(resolve, LONGEST_MS);
    let discarded = 0;
    const stop = (): void => {
      clearTimeout(patience);
      resolve();
    };
    request.on('data', (chunk: Buffer) => {
      discarded += chunk.length;
      if (discarded > maxBytes) stop();
    });
    request.once('end', stop).once('close', stop).resume();
  });
}
