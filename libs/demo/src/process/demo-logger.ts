import type { LoggerService, LogLevel } from '@nestjs/common';
import { JobLogger } from 'nestjs-async-endpoints/telemetry';

type Environment = Readonly<Record<string, string | undefined>>;

/** From the gravest: a level logs what stands before it too. */
const LEVELS = ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'] as const satisfies LogLevel[];
const FORMATS = ['json', 'text'] as const;

/**
 * `LOG_LEVEL`: fatal, error, warn, log (the default), debug or verbose. `LOG_FORMAT`: json, a line each, with job and trace;
 * or text, the default on a terminal.
 *
 * @throws RangeError in one line, naming the variable, what it is and what was expected
 */
export function demoLogger(env: Environment, isTerminal = process.stdout.isTTY): LoggerService {
  const level = choice(env, 'LOG_LEVEL', LEVELS) ?? 'log';
  const format = choice(env, 'LOG_FORMAT', FORMATS) ?? (isTerminal ? 'text' : 'json');
  return new JobLogger({ json: format === 'json', logLevels: LEVELS.slice(0, LEVELS.indexOf(level) + 1) });
}

function choice<T extends string>(env: Environment, name: string, choices: readonly T[]): T | undefined {
  const text = env[name]?.trim();
  if (!text) return undefined;
  const chosen = choices.find((known) => known === text);
  if (chosen !== undefined) return chosen;
  throw new RangeError(`${name} is ${JSON.stringify(text)}; expected ${choices.join(' or ')}.`);
}
