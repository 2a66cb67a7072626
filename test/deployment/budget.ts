import { NestFactory } from '@nestjs/core';
import { join } from 'node:path';
import type { AsyncEndpointsSettings } from 'nestjs-async-endpoints/config';
import { fromConfig } from 'nestjs-async-endpoints/config';
import { temporaryFolder } from '../temporary-folder.js';
import { writeWithFolders } from './files.js';

/** A margin for hooks of the application and a busy machine. */
const MARGIN_SECONDS = 5;

/** The settings of a process with this configuration. */
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
  // The last calls to the store, which may be unreachable.
  const { commandTimeoutMs = NaN } = redis ?? {};
  // Both begin at the start of the shutdown.
  const busyMs = Math.max(drainTimeoutMs, http?.shutdownDelayMs ?? NaN);
  return (busyMs + abortGraceMs + 2 * commandTimeoutMs) / 1_000 + MARGIN_SECONDS;
}
