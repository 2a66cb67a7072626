import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Reads `.env`, listens and says so, or says why not and nothing else, and exits with 1. */
export async function startProcess(
  create: () => Promise<{ app: NestFastifyApplication; port: number }>,
  welcome: (url: string) => string,
): Promise<void> {
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    const { app, port } = await create();
    await app.listen(port, '0.0.0.0');
    const { port: actual } = app.getHttpServer().address() as AddressInfo;
    process.stdout.write(`${welcome(`http://localhost:${actual}`)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

/** SIGINT and SIGTERM end jobs and requests in order; by process.exit, so with code 0 and not with the signal's. */
export function exitInOrder(app: NestFastifyApplication): NestFastifyApplication {
  return app.enableShutdownHooks(['SIGINT', 'SIGTERM'], { useProcessExit: true });
}
