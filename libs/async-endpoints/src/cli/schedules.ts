import { decodeDefinition, isReadable } from '../schedules/definition.js';
import { decodeTiming } from '../schedules/timing.js';
import { triggerSchedule } from '../schedules/trigger.js';
import type { ScheduleRecord, ScheduleStore } from '../store/schedules.js';
import { who } from './action-report.js';
import type { Session } from './connect.js';
import { EXIT, say } from './exit.js';
import { type Cell, print, printJson, printTable, time } from './print.js';

const AT_ONCE = 1_000;

/** Lists all schedules that this release can read, without their payloads. */
export async function listSchedules({ store, json }: Session): Promise<number> {
  const schedules: ScheduleRecord[] = [];
  for (let after: string | undefined, more = true; more;) {
    const page = await (store.schedules as ScheduleStore).list({ limit: AT_ONCE, after });
    schedules.push(...page.filter(isReadable));
    after = page.at(-1)?.name;
    more = page.length === AT_ONCE;
  }
  const found = await store.find(schedules.flatMap(({ lastJobId }) => lastJobId ?? []));
  const statuses = new Map(found.map((job) => [job?.id, job?.status]));
  const rows = schedules.map((schedule) => ({ schedule, lastStatus: statuses.get(schedule.lastJobId ?? '') ?? null }));
  if (json) printJson(rows.map(({ schedule, lastStatus }) => ({ ...shown(schedule), lastStatus })));
  else if (rows.length === 0) print('There are no schedules.');
  else {
    const columns = ['NAME', 'JOB', 'WHEN', 'NEXT', 'LAST', 'LAST JOB', 'STATUS', 'PAUSED'];
    printTable(
      columns,
      rows.map(({ schedule, lastStatus }) => rowOf(schedule, lastStatus)),
    );
  }
  return EXIT.ok;
}

const DONE = { trigger: 'triggered', pause: 'paused', resume: 'resumed', remove: 'removed' } as const;

/** Triggers, pauses, resumes or removes a schedule. */
export async function changeSchedule(session: Session, verb: keyof typeof DONE, name: string): Promise<number> {
  const { store, json } = session;
  const schedules = store.schedules as ScheduleStore;
  const [known] = await schedules.find([name]);
  if (!known) {
    say(`there is no schedule ${JSON.stringify(name)}`, 'error');
    return EXIT.failed;
  }
  const summary: Record<string, unknown> = { name };
  if (verb === 'trigger') {
    const { maxQueueSize = null, maxQueueBytes = null } = session.settings.jobs ?? {};
    const limits = { queueLimit: maxQueueSize ?? Number.MAX_SAFE_INTEGER, queueBytes: maxQueueBytes };
    summary['jobId'] = (await triggerSchedule(store, known, limits)).id;
  } else if (verb === 'pause') await schedules.pause([name], who());
  else await schedules[verb]([name]);
  await store.reportAction?.({ verb, by: who(), jobs: [{ name: `schedule ${name}`, status: null, count: 1 }] });
  if (json) printJson(summary);
  else print(`${name}: ${DONE[verb]}${verb === 'trigger' ? `, job ${summary['jobId'] as string}` : ''}.`);
  return EXIT.ok;
}

function shown(schedule: ScheduleRecord) {
  const { missed, missedWithinMs, overlap, isDeclared, template } = decodeDefinition(schedule);
  const { name, job, nextAt, lastAt, lastJobId, pausedAt, pausedBy } = schedule;
  const options = { missed, missedWithinMs, overlap, isDeclared, owner: template.owner };
  return {
    name,
    job,
    timing: decodeTiming(schedule.timing),
    ...options,
    nextAt,
    lastAt,
    lastJobId,
    pausedAt,
    pausedBy,
  };
}

function rowOf(schedule: ScheduleRecord, lastStatus: string | null): Cell[] {
  const { name, job, nextAt, lastAt, lastJobId, pausedAt, pausedBy } = schedule;
  const timing = decodeTiming(schedule.timing);
  const when = 'cron' in timing ? `${timing.cron} ${timing.timeZone}` : `every ${timing.everyMs} ms`;
  const paused = pausedAt === null ? null : `${time(pausedAt)}${pausedBy === null ? '' : ` by ${pausedBy}`}`;
  return [name, job, when, pausedAt === null ? time(nextAt) : null, time(lastAt), lastJobId, lastStatus, paused];
}
