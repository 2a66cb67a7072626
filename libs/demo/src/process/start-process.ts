import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { dieInJson, writeJsonLine } from './json-lines.js';
import { isJson } from './log-format.js';

/**
 * Reads `.env`, starts the application and prints its address. On failure, prints only the reason and exits with 1.
 * With a JSON log, all of this and the warnings of Node.js are JSON lines.
 *
 * @param welcome printed for people; a log gets only its first line
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

/** Jobs and requests continue when the reader of the output, such as `head`, has ended. Later log lines are lost. */
function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

/**
 * SIGINT and SIGTERM shut the application down, then exit by process.exit with code 0 instead of the code of the
 * signal.
 */
export function exitInOrder(app: NestFastifyApplication): NestFastifyApplication {
  return app.enableShutdownHooks(['SIGINT', 'SIGTERM'], { useProcessExit: true });
}
