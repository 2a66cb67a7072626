import { useState } from 'preact/hooks';
import { act, type Snapshot, type Visitor } from './server.js';
import { Age, count, duration, Pill, plain, Time } from './format.js';
import { html } from './html.js';

interface Queue {
  readonly name: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly oldestMs: number;
  readonly paused: Snapshot['paused'][number] | undefined;
  readonly history: Snapshot['history'][string] | undefined;
}

interface Props {
  readonly snapshot: Snapshot;
  readonly visitor: Visitor;
  readonly say: (text: string) => void;
}

const HEADS = ['Name', 'Waiting', 'Oldest', 'In progress', 'Scheduled', 'Failed', 'Completed', 'Last 15 min', 'Action'];

/** Waiting longer than this is marked. */
const LATE_MS = 30_000;

export function Overview({ snapshot, visitor, say }: Props) {
  const [part, setPart] = useState('');
  const queues = queuesOf(snapshot);
  const shown = queues.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()));
  return html`<h1>Overview</h1>
    <${Cards} queues=${queues} snapshot=${snapshot} />
    <section class="panel" aria-label="Queues">
      <div class="bar">
        <h2>Queues</h2>
        <${Search} value=${part} set=${setPart} />
      </div>
      ${
        queues.length === 0 &&
        html`<p class="empty">
          No jobs yet. Send a request to an endpoint with @AsyncEndpoint, or call JobManager.submit.
        </p>`
      }
      ${
        queues.length > 0 &&
        html`<div class="scroll" tabindex="0" role="region" aria-label="Table of queues">
          <table>
            <thead>
              <tr>
                ${HEADS.map((text) => html`<th scope="col">${text}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${shown.map((queue) => html`<${Row} key=${queue.name} queue=${queue} visitor=${visitor} say=${say} />`)}
            </tbody>
          </table>
        </div>`
      }
    </section>`;
}

function Search({ value, set }: { value: string; set: (text: string) => void }) {
  return html`<input
    type="search"
    aria-label="Filter queues by name"
    placeholder="Filter by name"
    value=${value}
    onInput=${(event: Event) => set((event.target as HTMLInputElement).value)}
  />`;
}

function Cards({ queues, snapshot }: { queues: readonly Queue[]; snapshot: Snapshot }) {
  const sum = (status: string) => queues.reduce((total, { counts }) => total + (counts[status] ?? 0), 0);
  const slots = snapshot.workers.reduce((total, worker) => total + worker.slots, 0);
  const oldest = Math.max(0, ...queues.map(({ oldestMs }) => oldestMs));
  const ended = (kind: 'completed' | 'failed') =>
    Object.values(snapshot.history).reduce((total, series) => total + series[kind].reduce((a, b) => a + b, 0), 0);
  const all = ended('completed') + ended('failed');
  const rate = all === 0 ? 'none in 15 min' : `${((100 * ended('failed')) / all).toFixed(1)} % in 15 min`;
  const cards: [string, string, string][] = [
    ['Waiting', 'Queued', oldest > 0 ? `oldest ${duration(oldest)}` : 'nothing waits'],
    [
      'In progress',
      'InProgress',
      `of ${count(slots)} slots, ${snapshot.workers.length} worker${snapshot.workers.length === 1 ? '' : 's'}`,
    ],
    ['Scheduled', 'Scheduled', 'delayed jobs and retries'],
    ['Completed', 'Completed', `${count(ended('completed'))} in 15 min`],
    ['Failed', 'Failed', rate],
  ];
  return html`<section class="cards" aria-label="Totals">
    ${cards.map(
      ([label, status, note]) =>
        html`<a class=${`card${status === 'Failed' && sum(status) > 0 ? ' bad' : ''}`} href=${`#/jobs?status=${status}`}
          ><span>${label}</span><strong>${count(sum(status))}</strong><small>${note}</small></a
        >`,
    )}
  </section>`;
}

function Row({ queue, visitor, say }: { queue: Queue; visitor: Visitor; say: (text: string) => void }) {
  const { name, counts, oldestMs, paused, history } = queue;
  const link = (status: string, tone = '') => {
    const value = counts[status] ?? 0;
    const address = `#/jobs?${new URLSearchParams({ name, status })}`;
    return html`<td>
      ${value === 0 ? html`<span class="zero">0</span>` : html`<a class=${tone} href=${address}>${count(value)}</a>`}
    </td>`;
  };
  const operation = paused ? 'resume' : 'pause';
  const steer = () =>
    act(operation, [name]).then(
      () => say(`${plain(name)} is ${paused ? 'resumed' : 'paused'}.`),
      (error: Error) => say(error.message),
    );
  return html`<tr>
    <td>
      <a class="name" href=${`#/jobs?${new URLSearchParams({ name })}`}>${plain(name)}</a>
      ${paused && html` <${Pill} status="Paused" /> <small>${paused.pausedBy && `by ${plain(paused.pausedBy)}, `}<${Time} at=${paused.pausedAt} /></small>`}
    </td>
    ${link('Queued')}
    <td>
      ${oldestMs === 0 ? html`<span class="zero">–</span>` : html`<span class=${oldestMs > LATE_MS ? 'late' : ''}>${duration(oldestMs)}${oldestMs > LATE_MS && ' ↑'}</span>`}
    </td>
    ${link('InProgress')} ${link('Scheduled')} ${link('Failed', 'fail')} ${link('Completed')}
    <td><${Chart} history=${history} /></td>
    <td>
      ${
        visitor.access === 'operate' &&
        html`<button
          class=${paused ? 'primary' : ''}
          aria-label=${`${paused ? 'Resume' : 'Pause'} ${plain(name)}`}
          onClick=${steer}
        >
          ${paused ? 'Resume' : 'Pause'}
        </button>`
      }
    </td>
  </tr>`;
}

/** Jobs that ended in each quarter of a minute: completed as a line, failed as bars. */
function Chart({ history }: { history: Queue['history'] }) {
  const completed = history?.completed ?? [];
  const failed = history?.failed ?? [];
  const most = Math.max(1, ...completed, ...failed);
  const y = (value: number) => 24 - (22 * value) / most;
  const line = completed
    .map((value, index) => `${index === 0 ? 'M' : 'L'}${index * 2} ${y(value).toFixed(1)}`)
    .join('');
  const bars = failed.map((value, index) => (value > 0 ? `M${index * 2} 25V${y(value).toFixed(1)}` : '')).join('');
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const label = `${count(sum(completed))} completed, ${count(sum(failed))} failed in 15 minutes`;
  return html`<svg class="spark" viewBox="0 0 120 26" role="img" aria-label=${label}>
    <title>${label}</title>
    <path class="bars" d=${bars} />
    <path class="line" d=${line} />
  </svg>`;
}

function queuesOf({ stats, paused, history }: Snapshot): Queue[] {
  const names = [...new Set([...stats, ...paused].map(({ name }) => name))].toSorted();
  return names.map((name) => {
    const own = stats.filter((entry) => entry.name === name);
    const waiting = own.filter(({ status }) => status === 'Queued' || status === 'Scheduled');
    return {
      name,
      counts: Object.fromEntries(own.map(({ status, count: value }) => [status, value])),
      oldestMs: Math.max(0, ...waiting.map(({ oldestAgeMs }) => oldestAgeMs ?? 0)),
      paused: paused.find((entry) => entry.name === name),
      history: history[name],
    };
  });
}

export function Workers({ snapshot }: { snapshot: Snapshot }) {
  const heads = ['Worker', 'Host', 'Slots', 'Jobs', 'Running since', 'Last heartbeat'];
  return html`<h1>Workers</h1>
    <section class="panel" aria-label="Workers">
      ${snapshot.workers.length === 0 && html`<p class="empty">No worker is alive. Start a process with a role of all or worker.</p>`}
      ${
        snapshot.workers.length > 0 &&
        html`<div class="scroll" tabindex="0" role="region" aria-label="Table of workers">
          <table>
            <thead>
              <tr>
                ${heads.map((text) => html`<th scope="col">${text}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${snapshot.workers.map(
                (worker) =>
                  html`<tr key=${worker.id}>
                    <td><b>${plain(worker.id)}</b> <small>${plain(worker.version)}</small></td>
                    <td>${plain(worker.host)} · pid ${worker.pid}</td>
                    <td>${worker.slots}</td>
                    <td class="wrap">${plain(worker.names.join(', '))}</td>
                    <td><${Age} since=${worker.startedAt} /></td>
                    <td><${Age} since=${worker.heartbeatAt} /> ago</td>
                  </tr>`,
              )}
            </tbody>
          </table>
        </div>`
      }
    </section>`;
}
