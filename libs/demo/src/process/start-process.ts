import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { dieInJson, writeJsonLine } from './json-lines.js';
import { isJson } from './log-format.js';

/**
 * Reads `.env`, listens and says so, or says why not and nothing else, and exits with 1. Where the log is JSON, these are
 * lines of the log, and so are Node's warnings: a program reads the output.
 *
 * @param welcome for people; its first line is enough for a log
 */
export async function startProcess(
  create: () => Promise<{ app: NestFastifyApplication; port: number }>,
  welcome: (url: string) => string,
): Promise<void> {
  surviveClosedOutput();
  try {
    if (existsSync('.env')) process.loadEnvFile('.env');
    dieInJson();
    const { app, port } = await create();
    await app.listen(port, '0.0.0.0');
    const { port: actual } = app.getHttpServer().address() as AddressInfo;
    const text = welcome(`http://localhost:${actual}`);
    if (isJson()) writeJsonLine('log', text.split('\n', 1)[0] as string);
    else process.stdout.write(`${text}\n`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (isJson()) writeJsonLine('fatal', message);
    else process.stderr.write(`${message}\n`);
    process.exit(1);
  }
}

/** Jobs and requests go on when whatever reads the output has ended, such as `head`; what is logged after that is lost. */
function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/** SIGINT and SIGTERM end jobs and requests in order; by process.exit, so with code 0 and not with the signal's. */
export function exitInOrder(app: NestFastifyApplication): NestFastifyApplication {
  return app.enableShutdownHooks(['SIGINT', 'SIGTERM'], { useProcessExit: true });
}
