import type { Cron } from 'croner';
import { checkInteger, invalid, LONGEST_MS } from '../job/bounds.js';
import { invalidOption } from '../job/errors.js';

/** When a schedule runs: at the times of a cron expression, or at a fixed interval. */
export type Timing =
  | {
      /**
       * Five fields, or six with seconds first, as in crontab(5): `0 3 * * *`; also `@daily` and the like, names of months and days,
       * and `L`, `#` and `W`.
       */
      readonly cron: string;
      /** The IANA time zone of the expression, such as `Europe/Zurich`. Default `UTC`, never the host's. */
      readonly timeZone?: string | undefined;
    }
  | {
      /** The interval in ms, at least 1000. The schedule runs at every multiple of it since the epoch. */
      readonly everyMs: number;
    };

const LONGEST_EXPRESSION = 500;
const SHORTEST_EVERY_MS = 1_000;

let Expression: typeof Cron | undefined;

/** Loads croner, which only cron expressions need. @throws AsyncEndpointsError `INVALID_OPTION` when it is not installed */
export async function loadCroner(): Promise<void> {
  if (Expression) return;
  const croner = await import('croner').catch((cause: unknown) => {
    throw invalidOption('Cron expressions need the package croner: npm install croner', { cause });
  });
  Expression = croner.Cron;
}

/**
 * The timing as it is stored. Croner must be loaded.
 *
 * @param where names the schedule at the start of an error message
 * @throws AsyncEndpointsError `INVALID_OPTION`
 */
export function encodeTiming(timing: Timing, where: string): string {
  const { cron, timeZone, everyMs } = timing as Partial<Record<'cron' | 'timeZone' | 'everyMs', unknown>>;
  if ((cron === undefined) === (everyMs === undefined))
    throw invalidOption(`${where}: expected one of cron and everyMs.`);
  if (everyMs !== undefined) {
    if (timeZone !== undefined) throw invalidOption(`${where}: timeZone belongs to cron, not to everyMs.`);
    return JSON.stringify({
      everyMs: checkInteger(`${where}: everyMs`, everyMs as number, SHORTEST_EVERY_MS, LONGEST_MS),
    });
  }
  if (typeof cron !== 'string' || cron.length > LONGEST_EXPRESSION) {
    throw invalid(`${where}: cron`, cron, `an expression of at most ${LONGEST_EXPRESSION} characters`);
  }
  const zone = checkZone(timeZone ?? 'UTC', where);
  try {
    parse(cron, zone);
  } catch (error) {
    throw invalidOption(
      `${where}: cron is ${JSON.stringify(cron)}; expected five or six fields. ${(error as Error).message}`,
    );
  }
  return JSON.stringify({ cron, timeZone: zone });
}

export function decodeTiming(text: string): Timing {
  return JSON.parse(text) as Timing;
}

/**
 * The first instant after this time, in ms since the epoch; null when there is none. When a clock change skips a time of day, the
 * instant is the end of the gap; when it repeats one, the instant counts once. Croner must be loaded for an expression.
 */
export function nextInstant(timing: Timing, after: number): number | null {
  if ('everyMs' in timing) return (Math.floor(after / timing.everyMs) + 1) * timing.everyMs;
  return (
    parse(timing.cron, timing.timeZone ?? 'UTC')
      .nextRun(new Date(after))
      ?.getTime() ?? null
  );
}

const parsed = new Map<string, Cron>();
const MOST_PARSED = 10_000;

function parse(cron: string, timezone: string): Cron {
  const key = `${timezone} ${cron}`;
  let expression = parsed.get(key);
  if (!expression) {
    if (!Expression) throw new Error('croner is not loaded');
    expression = new Expression(cron, { timezone, paused: true });
    if (parsed.size >= MOST_PARSED) parsed.clear();
    parsed.set(key, expression);
  }
  return expression;
}

function checkZone(zone: unknown, where: string): string {
  if (typeof zone === 'string' && isZone(zone)) return zone;
  throw invalid(`${where}: timeZone`, zone, 'an IANA time zone, such as Europe/Zurich');
}

function isZone(zone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }));
  } catch {
    return false;
  }
}
