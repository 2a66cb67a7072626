import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { AsyncEndpointsError } from '../job/errors.js';
import { JOB_STATUSES, type JobStatus } from '../job/job.js';
import { change, pauseQueues, purge, recover, VERBS } from './change.js';
import type { Session, SessionFlags } from './connect.js';
import { parseDuration } from './duration.js';
import { EXIT, oneLine, say, UsageError } from './exit.js';
import { audit, list, show, stats, stuck, workers } from './look.js';
import { requirePackages } from './packages.js';
import type { Selection } from './select-jobs.js';

interface Flags extends SessionFlags, Selection {
  readonly limit?: number;
  readonly scan?: number;
  readonly runningFor?: number;
  readonly repair?: boolean;
}

/** @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const program = createProgram(async (flags, work) => {
    requirePackages('class-validator', 'ioredis');
    const { withSession } = await import('./connect.js');
    code = await withSession(flags, work);
  });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    // Commander has written what is to be said of its own.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    say(oneLine(error), 'error');
    const isUsage = error instanceof AsyncEndpointsError && error.code === 'INVALID_OPTION';
    return isUsage || error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

type Begin = (flags: Flags, work: (session: Session) => Promise<number>) => Promise<void>;

function createProgram(begin: Begin): Command {
  const program = new Command('async-endpoints')
    .description('Looks at the jobs of nestjs-async-endpoints in Redis, and changes them.')
    .version(version())
    .option('--redis-url <url>', 'where Redis is; else as the application is configured, such as REDIS_URL')
    .option('--prefix <text>', 'what all keys begin with; else ASYNC_REDIS_PREFIX, or ae')
    .option('--partitions <number>', 'as the application has them; else ASYNC_REDIS_PARTITIONS, or 1')
    .option('--json', 'write JSON; without a terminal also where LOG_FORMAT is json, on one line')
    .exitOverride()
    .configureOutput({ outputError: (text) => say(oneLine(text.trim().replace(/^error: /, '')), 'error') })
    .addHelpText('after', '\nExit codes: 0 done; 1 failed, or an audit found deviations; 2 wrong usage.');
  addLooks(program, begin);
  addChanges(program, begin);
  addPauses(program, begin);
  return program;
}

function addLooks(program: Command, begin: Begin): void {
  program
    .command('stats')
    .description('how many jobs of each name have each status, and how long the oldest has waited and run')
    .action((_flags, command: Command) => begin(flagsOf(command), stats));
  program
    .command('workers')
    .description('the workers that live, and of which names jobs wait that none of them handles')
    .action((_flags, command: Command) => begin(flagsOf(command), workers));
  addList(program, begin);
  program
    .command('show')
    .description('all that is known of one job')
    .argument('<id>', 'of the job')
    .action((id: string, _flags, command: Command) => begin(flagsOf(command), (session) => show(session, id)));
  program
    .command('stuck')
    .description('jobs that have been running for long')
    .option('--running-for <duration>', 'at least so long, such as 2h, 90s or 1d12h', duration, duration('2h'))
    .action((_flags, command: Command) => {
      const flags = flagsOf(command);
      return begin(flags, (session) => stuck(session, flags.runningFor as number));
    });
  program
    .command('audit')
    .description('whether every job is where its status says; reads everything')
    .option('--repair', 'mend what is found; records that cannot be read are dropped')
    .option('-y, --yes', 'do not ask before')
    .action((_flags, command: Command) => {
      const flags = flagsOf(command);
      return begin(flags, (session) => audit(session, flags.repair ?? false));
    });
}

function addList(program: Command, begin: Begin): void {
  filtered(program.command('list'), JOB_STATUSES)
    .description('jobs, the newest first')
    .option('--limit <number>', 'at most so many', limit, 50)
    .option('--scan <number>', 'of each status, look at no more than so many, those that came last', limit, 100_000)
    .option('--all', 'however many there are')
    .action((_flags, command: Command) => {
      const {
        name,
        status,
        owner,
        error: errorCode,
        all,
        limit: most = null,
        scan = null,
        ...flags
      } = flagsOf(command);
      const bounds = all ? { limit: null, scan: null } : { limit: most, scan };
      return begin(flags, (session) => list(session, { name, status, owner, errorCode }, bounds));
    });
}

function addChanges(program: Command, begin: Begin): void {
  const ids = new Argument('[ids...]', 'of the jobs; or say with options which are meant');
  for (const [verb, description] of [
    ['cancel', 'cancels jobs that have not finished'],
    ['rerun', 'queues failed jobs anew; canceled ones by their ids or with --status Canceled'],
  ] as const) {
    filtered(program.command(verb), VERBS[verb].from)
      .description(description)
      .addArgument(ids)
      .option('--all', verb === 'rerun' ? 'all that failed' : 'all that can be')
      .option('-y, --yes', 'do not ask before many jobs are changed')
      .action((given: string[], _flags, command: Command) => {
        const flags = flagsOf(command);
        return begin(flags, (session) => change(session, verb, given, flags));
      });
  }
  program
    .command('recover')
    .description('takes jobs back from workers that vanished, now instead of at the next sweep')
    .option('--running-for <duration>', 'also from any worker that has had them for so long', duration)
    .option('--name <name>', 'with --running-for: only of this name')
    .option('-y, --yes', 'do not ask before many jobs are changed')
    .action((_flags, command: Command) => {
      const flags = flagsOf(command);
      return begin(flags, (session) => recover(session, flags.runningFor ?? null, flags.name));
    });
  program
    .command('purge')
    .description('removes finished jobs past their retention')
    .action((_flags, command: Command) => begin(flagsOf(command), purge));
}

function addPauses(program: Command, begin: Begin): void {
  for (const [verb, description] of [
    ['pause', 'lets no worker start a job of these names; submissions are accepted, running jobs go on'],
    ['resume', 'ends the pause of these names'],
  ] as const) {
    program
      .command(verb)
      .description(description)
      .argument('<names...>', 'of jobs')
      .action((names: string[], _flags, command: Command) =>
        begin(flagsOf(command), (session) => pauseQueues(session, verb, names)),
      );
  }
}

function filtered(command: Command, statuses: readonly JobStatus[]): Command {
  return command
    .option('--name <name>', 'only of this name')
    .addOption(new Option('--status <status>', 'only in this status').choices(statuses))
    .option('--owner <owner>', "only this owner's")
    .option('--error <code>', 'only with this error, also of the last attempt of a job that is tried again');
}

function flagsOf(command: Command): Flags {
  return command.optsWithGlobals<Flags>();
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('Expected something like 2h, 90s or 1d12h, at most 3650d.');
  return ms;
}

function limit(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a number from 1.');
  return Number(text);
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
