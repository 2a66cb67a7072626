import type { JobStatus } from '../job/job.js';
import { changeAll, type Changed, jobsRunningFor, pauseOrResume, purgeSome, recoverAll } from '../store/loops.js';
import { who } from './action-report.js';
import { confirm } from './confirm.js';
import type { Session } from './connect.js';
import { formatDuration } from './duration.js';
import { EXIT, say, UsageError } from './exit.js';
import { count, print, printJson } from './print.js';
import { type Selection, selectJobs } from './select-jobs.js';

const UNFINISHED = ['Queued', 'Scheduled', 'InProgress'] as const;

/** For each verb: the statuses that it changes, the ones that it selects without `--status`, and its past tense. */
export const VERBS = {
  cancel: { from: UNFINISHED, unasked: UNFINISHED, done: 'canceled' },
  // Canceled jobs were canceled on purpose.
  rerun: { from: ['Failed', 'Canceled'], unasked: ['Failed'], done: 'queued again' },
} as const satisfies Record<string, { from: readonly JobStatus[]; unasked: readonly JobStatus[]; done: string }>;

/** Cancels or reruns jobs. */
export async function change(
  session: Session,
  verb: keyof typeof VERBS,
  ids: readonly string[],
  selection: Selection,
): Promise<number> {
  const { store, yes } = session;
  const { from, unasked, done } = VERBS[verb];
  const chosen = await selectJobs(store, ids, selection, unasked);
  if (!(await confirm(`This will ${verb} ${count(chosen.length, 'job')}.`, chosen.length, yes))) {
    say('nothing was changed');
    return EXIT.failed;
  }
  const { changed, refused } = await follow(changeAll(store, verb, chosen), chosen.length);
  tell(session, { changed, refused }, `${count(changed, 'job')} ${done}`);
  if (refused > 0) say(`${count(refused, 'job')} not ${done}: unknown, or not ${from.join(', ')}`);
  // A job that ended after it was selected is not an error.
  return refused > 0 && ids.length > 0 ? EXIT.failed : EXIT.ok;
}

/**
 * Recovers the jobs of dead workers. With a duration, also queues jobs again that have been in progress for at least so long.
 *
 * @param name restricts the duration to jobs of this name; the jobs of dead workers are recovered whatever their name
 * @throws UsageError
 */
export async function recover(session: Session, runningForMs: number | null, name?: string): Promise<number> {
  if (runningForMs === null && name !== undefined) throw new UsageError('--name needs --running-for.');
  const { store, settings, yes } = session;
  const bar = new ProgressBar(null);
  const { batchSize = 100, maxCrashes = 3 } = settings.recovery ?? {};
  const { leaseMs = 15_000 } = settings.worker ?? {};
  const recovered = await recoverAll(store, { batchSize, maxCrashes, leaseMs }, ({ length }) => bar.advance(length));
  bar.end();
  let isDeclined = false;
  const summary = { recovered: recovered.length, taken: 0 };
  if (runningForMs !== null) {
    const stuck = (await jobsRunningFor(store, runningForMs, name)).map(({ id }) => id);
    const question = `This will take ${count(stuck.length, 'job')} from live workers and queue them again.`;
    isDeclined = !(await confirm(question, stuck.length, yes));
    if (!isDeclined) {
      summary.taken = (await follow(changeAll(store, 'rerun', stuck, { runningForMs }), stuck.length)).changed;
    }
  }
  const taken =
    runningForMs === null ? '' : `, ${summary.taken} queued again after ${formatDuration(runningForMs)} or more`;
  tell(session, summary, `${count(summary.recovered, 'job')} recovered from dead workers${taken}`);
  return isDeclined ? EXIT.failed : EXIT.ok;
}

/** Deletes terminal jobs past their retention. */
export async function purge(session: Session): Promise<number> {
  const { store, settings } = session;
  const limit = settings.recovery?.batchSize ?? 100;
  const bar = new ProgressBar(null);
  let purged = 0;
  for (let more = true; more;) {
    more = await purgeSome(store, limit, (some) => {
      bar.advance(some);
      purged += some;
    });
  }
  bar.end();
  tell(session, { purged }, `${count(purged, 'job')} past retention purged`);
  return EXIT.ok;
}

/** Pauses or resumes job names. */
export async function pauseQueues(
  { store, json }: Session,
  verb: 'pause' | 'resume',
  names: readonly string[],
): Promise<number> {
  await pauseOrResume(store, verb, names, who());
  if (json) printJson(await store.paused());
  else print(`${names.join(', ')}: ${verb}d.`);
  return EXIT.ok;
}

async function follow(changes: AsyncIterable<Changed>, total: number): Promise<{ changed: number; refused: number }> {
  const bar = new ProgressBar(total);
  const sum = { changed: 0, refused: 0 };
  try {
    for await (const { jobs, refused } of changes) {
      sum.changed += jobs.length;
      sum.refused += refused;
      bar.advance(jobs.length + refused);
    }
  } finally {
    bar.end();
  }
  return sum;
}

function tell({ json }: Session, summary: object, sentence: string): void {
  if (json) printJson(summary);
  else print(`${sentence}.`);
}

const WIDTH = 30;

/** Shows the progress of a long operation on one line, which it clears at the end. Shows nothing without a terminal. */
export class ProgressBar {
  #done = 0;

  /** @param total null when unknown */
  constructor(
    private readonly total: number | null,
    private readonly terminal: NodeJS.WriteStream = process.stderr,
  ) {}

  advance(by: number): void {
    this.#done += by;
    if (this.terminal.isTTY) this.terminal.write(`\r${this.#line()}`);
  }

  end(): void {
    if (this.terminal.isTTY && this.#done > 0) this.terminal.write(`\r${' '.repeat(this.#line().length)}\r`);
  }

  #line(): string {
    if (this.total === null) return `${this.#done} jobs`;
    const filled = Math.round((WIDTH * this.#done) / this.total);
    const percent = Math.floor((100 * this.#done) / this.total);
    return `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${percent}% ${this.#done}/${this.total} jobs`;
  }
}
