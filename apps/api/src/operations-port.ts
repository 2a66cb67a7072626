import { createServer } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** The paths for operators of the application. */
const OPERATIONS = ['/health', '/metrics', '/docs', '/docs-json', '/docs-yaml'];

/**
 * Serves health, metrics and documents on a separate port only, so that a firewall or NetworkPolicy can separate
 * clients from operators. The port is open while the application listens.
 */
export function serveOperations(app: NestFastifyApplication, port: number): void {
  const fastify = app.getHttpAdapter().getInstance();
  const server = createServer((request, response) => fastify.routing(request, response));
  fastify.addHook('onRequest', async (request, reply) => {
    if (isOperation(request.url) === (request.socket.localPort === port)) return;
    // The same response as Nest's for an unknown route.
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
