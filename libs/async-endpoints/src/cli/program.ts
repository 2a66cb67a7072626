import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError } from 'commander';
import { AsyncEndpointsError } from '../job/errors.js';
import { JOB_STATUSES } from '../job/job.js';
import { change, pauseQueues, purge, recover, VERBS } from './change.js';
import type { Session } from './connect.js';
import { EXIT, oneLine, say, UsageError } from './exit.js';
import { duration, filtered, type Flags, flagsOf, limit } from './flags.js';
import { audit, list, show, stats, stuck, workers } from './look.js';
import { requirePackages } from './packages.js';
import { changeSchedule, listSchedules } from './schedules.js';
import type { StoreFlags } from './settings.js';

/** @returns the exit code */
export async function run(argv: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const program = createProgram(async (command, work) => {
    requirePackages('class-validator');
    const { withSession } = await import('./connect.js');
    const flags = flagsOf(command);
    code = await withSession(flags, (session) => work(session, flags));
  });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    // Commander has already written its error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    say(oneLine(error), 'error');
    const isUsage = error instanceof AsyncEndpointsError && error.code === 'INVALID_OPTION';
    return isUsage || error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

type Begin = (command: Command, work: (session: Session, flags: Flags) => Promise<number>) => Promise<void>;

function createProgram(begin: Begin): Command {
  const program = new Command('async-endpoints')
    .description('Shows and changes the jobs of nestjs-async-endpoints.')
    .version(version())
    .option(
      '--store <url>',
      'store of the jobs: redis://, rediss://, redis+cluster://, redis+sentinel://, postgres:// or sqlite:<file> (default: the configuration of the application, such as REDIS_URL, POSTGRES_URL or SQLITE_PATH)',
    )
    .option('--redis-url <url>', 'the same as --store, for Redis only')
    .option('--prefix <text>', 'of Redis: prefix of all keys (default: ASYNC_REDIS_PREFIX, or ae)')
    .option('--partitions <number>', 'of Redis: number of partitions (default: ASYNC_REDIS_PARTITIONS, or 1)')
    .option('--json', 'write JSON; without a terminal, LOG_FORMAT=json does the same, on one line')
    .exitOverride()
    .configureOutput({ outputError: (text) => say(oneLine(text.trim().replace(/^error: /, '')), 'error') })
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 failed, declined, not done for all ids, or an audit found deviations; 2 wrong usage.',
    );
  addLooks(program, begin);
  addChanges(program, begin);
  addPauses(program, begin);
  addSchedules(program, begin);
  addDatabase(program);
  return program;
}

function addLooks(program: Command, begin: Begin): void {
  program
    .command('stats')
    .description('number of jobs for each name and status, and the age of the oldest waiting and running job')
    .action((_flags, command: Command) => begin(command, stats));
  program
    .command('workers')
    .description('live workers, and the names with waiting jobs that no live worker handles')
    .action((_flags, command: Command) => begin(command, workers));
  addList(program, begin);
  program
    .command('show')
    .description('everything about one job')
    .argument('<id>', 'id of the job')
    .action((id: string, _flags, command: Command) => begin(command, (session) => show(session, id)));
  program
    .command('stuck')
    .description('jobs that have been running for a long time')
    .option('--running-for <duration>', 'minimum running time, such as 2h, 90s or 1d12h', duration, duration('2h'))
    .action((_flags, command: Command) =>
      begin(command, (session, { runningFor }) => stuck(session, runningFor as number)),
    );
  program
    .command('audit')
    .description('check that indexes and counters agree with the jobs; reads everything')
    .option('--repair', 'repair deviations, and delete records that cannot be read')
    .option('-y, --yes', 'do not ask for confirmation')
    .action((_flags, command: Command) => begin(command, (session, { repair = false }) => audit(session, repair)));
}

function addList(program: Command, begin: Begin): void {
  filtered(program.command('list'), JOB_STATUSES)
    .description('list jobs, newest first')
    .option('--limit <number>', 'maximum number of jobs', limit, 50)
    .option('--all', 'list all jobs')
    .action((_flags, command: Command) =>
      begin(command, (session, { name, status, owner, error: errorCode, all, limit: most = Infinity }) =>
        list(session, { name, status, owner, errorCode }, all ? Infinity : most),
      ),
    );
}

function addChanges(program: Command, begin: Begin): void {
  const ids = new Argument('[ids...]', 'ids of the jobs; alternatively, select jobs with options');
  for (const [verb, description] of [
    ['cancel', 'cancel jobs that are not terminal'],
    ['rerun', 'queue failed jobs again; canceled jobs by their ids or with --status Canceled'],
  ] as const) {
    filtered(program.command(verb), VERBS[verb].from)
      .description(description)
      .addArgument(ids)
      .option('--all', verb === 'rerun' ? 'all failed jobs' : 'all jobs that can be canceled')
      .option('-y, --yes', 'do not ask for confirmation')
      .action((given: string[], _flags, command: Command) =>
        begin(command, (session, flags) => change(session, verb, given, flags)),
      );
  }
  program
    .command('recover')
    .description('recover the jobs of dead workers now instead of at the next sweep')
    .option(
      '--running-for <duration>',
      'also queue jobs again that have been running for at least so long on live workers',
      duration,
    )
    .option('--name <name>', 'with --running-for: only jobs of this name')
    .option('-y, --yes', 'do not ask for confirmation')
    .action((_flags, command: Command) =>
      begin(command, (session, { runningFor = null, name }) => recover(session, runningFor, name)),
    );
  program
    .command('purge')
    .description('delete terminal jobs whose retention is over')
    .action((_flags, command: Command) => begin(command, purge));
}

function addPauses(program: Command, begin: Begin): void {
  for (const [verb, description] of [
    ['pause', 'stop workers from starting jobs of these names; submissions and running jobs continue'],
    ['resume', 'let workers start jobs of these names again'],
  ] as const) {
    program
      .command(verb)
      .description(description)
      .argument('<names...>', 'job names')
      .action((names: string[], _flags, command: Command) =>
        begin(command, (session) => pauseQueues(session, verb, names)),
      );
  }
}

function addSchedules(program: Command, begin: Begin): void {
  const schedules = program.command('schedules').description('schedules of recurring jobs');
  schedules
    .command('list', { isDefault: true })
    .description('all schedules, with their next and last instants')
    .action((_flags, command: Command) => begin(command, listSchedules));
  for (const [verb, description] of [
    ['trigger', 'submit a job of the schedule now'],
    ['pause', 'stop a schedule until it is resumed'],
    ['resume', 'resume a schedule; instants before now get no job'],
    ['remove', 'remove a schedule; one that a handler declares comes back when a worker starts'],
  ] as const) {
    schedules
      .command(verb)
      .description(description)
      .argument('<name>', 'name of the schedule')
      .action((name: string, _flags, command: Command) =>
        begin(command, (session) => changeSchedule(session, verb, name)),
      );
  }
}

/** What concerns the database as a whole. */
function addDatabase(program: Command): void {
  program
    .command('migrate')
    .description('create the schema in PostgreSQL or SQLite, or bring it to the version of this release')
    .option('--print', 'write the SQL of a new schema for PostgreSQL to the output instead; needs no database')
    .action(async (_flags, command: Command) => {
      requirePackages('class-validator');
      const { migrate } = await import('./migrate.js');
      const { print = false, ...flags } = command.optsWithGlobals<StoreFlags & { print?: boolean }>();
      await migrate(flags, print);
    });
  program
    .command('backup')
    .description('copy the database of SQLite to a new file, while the application runs')
    .argument('<file>', 'name of the new file')
    .action(async (file: string, _flags, command: Command) => {
      requirePackages('class-validator');
      const { backup } = await import('./backup.js');
      await backup(flagsOf(command), file);
    });
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
