import { createServer } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What tells of the inside, and is for those who run the application. */
const OPERATIONS = ['/health', '/metrics', '/docs', '/docs-json', '/docs-yaml'];

/**
 * Serves health, metrics and documents on a port of their own, and on no other, so that a firewall or NetworkPolicy can tell
 * clients from operators. The port is open from when the application listens until it is closed.
 */
export function serveOperations(app: NestFastifyApplication, port: number): void {
  const fastify = app.getHttpAdapter().getInstance();
  const server = createServer((request, response) => fastify.routing(request, response));
  fastify.addHook('onRequest', async (request, reply) => {
    if (isOperation(request.url) === (request.socket.localPort === port)) return;
    // As Nest answers a route that does not exist.
    const message = `Cannot ${request.method} ${request.url}`;
    await reply.status(404).send({ message, error: 'Not Found', statusCode: 404 });
  });
  fastify.addHook('onReady', async () => {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, '0.0.0.0', resolve);
    });
  });
  fastify.addHook('onClose', async () => {
    server.close();
    server.closeAllConnections();
  });
}

function isOperation(url: string): boolean {
  const path = url.split('?', 1)[0] as string;
  return OPERATIONS.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}
