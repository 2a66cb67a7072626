import { useEffect, useState } from 'preact/hooks';
import { now } from './clock.js';
import { Pill, plain, Time } from './format.js';
import { html } from './html.js';
import { act, read, type Visitor } from './server.js';

const LOOK_AGAIN_MS = 5_000;

interface Schedule {
  readonly name: string;
  readonly job: string;
  readonly timing: { readonly cron?: string; readonly timeZone?: string; readonly everyMs?: number };
  readonly owner: string | null;
  readonly missed: string;
  readonly overlap: string;
  readonly isDeclared: boolean;
  readonly nextAt: string | null;
  readonly lastAt: string | null;
  readonly lastJobId: string | null;
  readonly lastStatus: string | null;
  readonly pausedAt: string | null;
  readonly pausedBy: string | null;
}

interface Page {
  readonly schedules: readonly Schedule[];
  readonly next: string | null;
}

interface ReadPage extends Page {
  readonly at: number;
}

interface Props {
  readonly visitor: Visitor;
  readonly say: (text: string) => void;
}

const HEADS = ['Schedule', 'Job', 'When', 'Next', 'Last', 'Last job'];

/** Recurring jobs: when each comes next, and what became of the last one. */
export function Schedules({ visitor, say }: Props) {
  const [after, setAfter] = useState<string | null>(null);
  const [page, setPage] = useState<ReadPage | null>(null);
  const [trouble, setTrouble] = useState('');
  const look = () =>
    void read<Page>(after === null ? 'api/schedules' : `api/schedules?${new URLSearchParams({ after })}`)
      .then((answer) => {
        setPage({ ...answer, at: now() });
        setTrouble('');
      })
      .catch((error: Error) => setTrouble(error.message));
  useEffect(() => {
    look();
    const timer = setInterval(() => document.hidden || look(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [after]);
  const change = (operation: string, name: string, done: string) => () =>
    void act(operation, { targets: [name] })
      .then(() => say(`${plain(name)}: ${done}.`))
      .catch((error: Error) => say(error.message))
      .finally(look);
  if (!page)
    return html`<h1>Schedules</h1>
      <p class="empty" role="status">${plain(trouble || 'Loading…')}</p>`;
  return html`<h1>Schedules</h1>
    ${trouble && html`<p class="stale" role="status">${plain(trouble)} The schedules are of <${Time} at=${page.at} />.</p>`}
    <section class="panel" aria-label="Schedules">
      ${
        page.schedules.length === 0 &&
        html`<p class="empty">No schedules yet. Put @Recurring on a handler, or call JobManager.schedules.upsert.</p>`
      }
      ${page.schedules.length > 0 && html`<${Table} schedules=${page.schedules} visitor=${visitor} change=${change} />`}
      <${Foot} after=${after} next=${page.next} go=${setAfter} />
    </section>`;
}

interface FootProps {
  readonly after: string | null;
  readonly next: string | null;
  readonly go: (after: string | null) => void;
}

function Foot({ after, next, go }: FootProps) {
  if (after === null && next === null) return null;
  return html`<div class="bar">
    ${after !== null && html`<button onClick=${() => go(null)}>First page</button>`}
    ${next !== null && html`<button onClick=${() => go(next)}>Next page</button>`}
  </div>`;
}

interface TableProps {
  readonly schedules: readonly Schedule[];
  readonly visitor: Visitor;
  readonly change: RowProps['change'];
}

function Table({ schedules, visitor, change }: TableProps) {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of schedules">
    <table class="left">
      <thead>
        <tr>
          ${[...HEADS, ...(visitor.access === 'operate' ? ['Action'] : [])].map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${schedules.map((one) => html`<${Row} key=${one.name} schedule=${one} visitor=${visitor} change=${change} />`)}
      </tbody>
    </table>
  </div>`;
}

interface RowProps {
  readonly schedule: Schedule;
  readonly visitor: Visitor;
  readonly change: (operation: string, name: string, done: string) => () => void;
}

function Row({ schedule, visitor, change }: RowProps) {
  const { name, timing, owner, nextAt, lastAt, lastJobId, lastStatus, pausedAt, pausedBy } = schedule;
  const when =
    timing.cron === undefined ? `every ${(timing.everyMs ?? 0) / 1_000} s` : `${timing.cron} ${timing.timeZone}`;
  const time = (at: string | null) =>
    at === null ? html`<span class="zero">–</span>` : html`<${Time} at=${Date.parse(at)} />`;
  const pause =
    pausedAt === null
      ? html`<button onClick=${change('pause-schedule', name, 'paused')}>Pause</button>`
      : html`<button onClick=${change('resume-schedule', name, 'resumed')}>Resume</button>`;
  return html`<tr>
    <td class="wrap">
      <b>${plain(name)}</b><br />
      ${
        pausedAt !== null &&
        html`<div class="paused">
          <${Pill} status="Paused" />
          <small>${pausedBy && `by ${plain(pausedBy)}, `}${time(pausedAt)}</small>
        </div>`
      }
      <small>${schedule.isDeclared ? 'in code' : 'at run time'}${owner !== null && `, of ${plain(owner)}`}</small>
    </td>
    <td class="wrap">${plain(schedule.job)}</td>
    <td class="wrap"><code>${plain(when)}</code></td>
    <td>${time(nextAt)}</td>
    <td>${time(lastAt)}</td>
    <td>
      ${lastJobId !== null && lastStatus !== null && html`<a href=${`#/jobs/${lastJobId}`}><${Pill} status=${lastStatus} /></a>`}
      ${lastStatus === null && html`<span class="zero">–</span>`}
    </td>
    ${visitor.access === 'operate' && html`<td><button onClick=${change('trigger', name, 'triggered')}>Run now</button> ${pause}</td>`}
  </tr>`;
}
