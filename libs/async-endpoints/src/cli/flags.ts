import { type Command, InvalidArgumentError, Option } from 'commander';
import type { JobStatus } from '../job/job.js';
import type { SessionFlags } from './connect.js';
import { parseDuration } from './duration.js';
import type { Selection } from './select-jobs.js';

/** All that commands may be given. */
export interface Flags extends SessionFlags, Selection {
  readonly limit?: number;
  readonly runningFor?: number;
  readonly repair?: boolean;
}

/** With the options that select jobs. */
export function filtered(command: Command, statuses: readonly JobStatus[]): Command {
  return command
    .option('--name <name>', 'only jobs of this name')
    .addOption(new Option('--status <status>', 'only in this status').choices(statuses))
    .option('--owner <owner>', 'only jobs of this owner')
    .option('--error <code>', 'only jobs whose last attempt has this error code');
}

/** The options before and after the command. */
export function flagsOf(command: Command): Flags {
  return command.optsWithGlobals<Flags>();
}

/** @throws InvalidArgumentError */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('Expected something like 2h, 90s or 1d12h, at most 3650d.');
  return ms;
}

/** @throws InvalidArgumentError */
export function limit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a number from 1.');
  return Number(text);
}
