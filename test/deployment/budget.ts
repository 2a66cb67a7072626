import { NestFactory } from '@nestjs/core';
import { join } from 'node:path';
import type { AsyncEndpointsSettings } from 'nestjs-async-endpoints/config';
import { fromConfig } from 'nestjs-async-endpoints/config';
import { temporaryFolder } from '../temporary-folder.js';
import { writeWithFolders } from './files.js';

/** For whatever else takes time: hooks of the application, a busy machine. */
const MARGIN_SECONDS = 5;

/** What a process that is given this configuration makes of it. */
export async function settingsOf(config: string, env: Record<string, string> = {}): Promise<AsyncEndpointsSettings> {
  const path = writeWithFolders(join(temporaryFolder(), 'config.json'), config);
  const configuration = fromConfig({ env: { ASYNC_CONFIG_FILE: path, ...env }, cwd: '/', roles: ['worker', 'api'] });
  const [configured] = configuration.imports;
  const context = await NestFactory.createApplicationContext(configured!, { logger: false });
  const settings = context.get<AsyncEndpointsSettings>(configuration.inject[0] as string);
  await context.close();
  return settings;
}

/** How long a process may take from SIGTERM to its end. */
export function shutdownSeconds({ worker, http, redis }: AsyncEndpointsSettings): number {
  const { drainTimeoutMs = NaN, abortGraceMs = NaN } = worker ?? {};
  // Its last words to the store, which may be away.
  const { commandTimeoutMs = NaN } = redis ?? {};
  // Both from the beginning.
  const busyMs = Math.max(drainTimeoutMs, http?.shutdownDelayMs ?? NaN);
  return (busyMs + abortGraceMs + 2 * commandTimeoutMs) / 1_000 + MARGIN_SECONDS;
}
