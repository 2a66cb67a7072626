import type { LoggerService, LogLevel } from '@nestjs/common';
import { JobLogger } from 'nestjs-async-endpoints/telemetry';
import { choice, type Environment, logFormat } from './log-format.js';

/** The most severe first. A level includes the levels before it. */
const LEVELS = ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'] as const satisfies LogLevel[];

/**
 * `LOG_LEVEL`: fatal, error, warn, log (the default), debug or verbose. `LOG_FORMAT`: json, a line each, with job and
 * trace; or text, the default on a terminal.
 *
 * @throws RangeError with one line that names the variable, its value and the expected values
 */
export function demoLogger(env: Environment, isTerminal = process.stdout.isTTY): LoggerService {
  const level = choice(env, 'LOG_LEVEL', LEVELS) ?? 'log';
  const json = logFormat(env, isTerminal) === 'json';
  return new JobLogger({ json, logLevels: LEVELS.slice(0, LEVELS.indexOf(level) + 1) });
}
