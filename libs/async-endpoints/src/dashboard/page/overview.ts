import { useState } from 'preact/hooks';
import { Chart, total } from './chart.js';
import { age, count, duration, Pill, plain, rate, share, Time } from './format.js';
import { html } from './html.js';
import { type Queue, queuesOf } from './queues.js';
import { act, type Snapshot, type Visitor } from './server.js';

interface Props {
  readonly snapshot: Snapshot;
  readonly visitor: Visitor;
  readonly say: (text: string) => void;
}

const HEADS = [
  'Name',
  'Waiting',
  'Oldest',
  'In progress',
  'Scheduled',
  'Failed',
  'Completed',
  'Throughput',
  'Failure rate',
];

export function Overview({ snapshot, visitor, say }: Props) {
  const [part, setPart] = useState('');
  const queues = queuesOf(snapshot);
  const shown = queues.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()));
  const ms = snapshot.at - snapshot.history.since;
  const heads = visitor.access === 'operate' ? [...HEADS, 'Action'] : HEADS;
  return html`<h1>Overview</h1>
    <${Cards} queues=${queues} snapshot=${snapshot} />
    <section class="panel" aria-label="Queues">
      <div class="bar">
        <h2>Queues</h2>
        <small>Throughput and failures of the last ${age(ms)}</small>
        <${Search} value=${part} set=${setPart} />
      </div>
      ${
        queues.length === 0 &&
        html`<p class="empty">
          No jobs yet. Send a request to an endpoint with @AsyncEndpoint, or call JobManager.submit.
        </p>`
      }
      ${queues.length > 0 && shown.length === 0 && html`<p class="empty">No queue has ${plain(part)} in its name.</p>`}
      ${
        shown.length > 0 &&
        html`<div class="scroll" tabindex="0" role="region" aria-label="Table of queues">
          <table class="pinned">
            <thead>
              <tr>
                ${heads.map((text) => html`<th scope="col">${text}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${shown.map(
                (queue) => html`<${Row} key=${queue.name} queue=${queue} ms=${ms} visitor=${visitor} say=${say} />`,
              )}
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
  const sum = (status: string) => queues.reduce((all, { counts }) => all + (counts[status] ?? 0), 0);
  const oldest = Math.max(0, ...queues.map(({ oldestMs }) => oldestMs));
  const ended = (kind: 'completed' | 'failed') => queues.reduce((all, queue) => all + total(queue[kind]), 0);
  const [completed, failed] = [ended('completed'), ended('failed')];
  const ms = snapshot.at - snapshot.history.since;
  const { workers, slots } = snapshot;
  const cards: [string, string, string][] = [
    ['Waiting', 'Queued', oldest > 0 ? `oldest ${duration(oldest)}` : 'nothing waits'],
    ['In progress', 'InProgress', `of ${count(slots)} slots, ${count(workers)} worker${workers === 1 ? '' : 's'}`],
    ['Scheduled', 'Scheduled', 'delayed jobs and retries'],
    ['Completed', 'Completed', `${rate(completed, ms)} in the last ${age(ms)}`],
    ['Failed', 'Failed', `${share(failed, completed + failed)} in the last ${age(ms)}`],
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

interface RowProps {
  readonly queue: Queue;
  readonly ms: number;
  readonly visitor: Visitor;
  readonly say: (text: string) => void;
}

function Row({ queue, ms, visitor, say }: RowProps) {
  const { name, counts, paused, completed, failed } = queue;
  const ended = total(completed) + total(failed);
  const link = (status: string, tone = '') => {
    const value = counts[status] ?? 0;
    const address = `#/jobs?${new URLSearchParams({ name, status })}`;
    return html`<td>
      ${value === 0 ? html`<span class="zero">0</span>` : html`<a class=${tone} href=${address}>${count(value)}</a>`}
    </td>`;
  };
  return html`<tr>
    <td>
      <a class="name" href=${`#/jobs?${new URLSearchParams({ name })}`}>${plain(name)}</a>
      ${
        paused &&
        html`<div class="paused">
          <${Pill} status="Paused" />
          <small>${paused.pausedBy && `by ${plain(paused.pausedBy)}, `}<${Time} at=${paused.pausedAt} /></small>
        </div>`
      }
    </td>
    ${link('Queued')}
    <td><${Oldest} queue=${queue} /></td>
    ${link('InProgress')} ${link('Scheduled')} ${link('Failed', 'fail')} ${link('Completed')}
    <td>
      <${Chart} completed=${completed} failed=${failed} ms=${ms} />
      <span class=${`rate ${ended === 0 ? 'zero' : ''}`}>${rate(ended, ms)}</span>
    </td>
    <td><span class=${total(failed) > 0 ? 'fail' : 'zero'}>${share(total(failed), ended)}</span></td>
    ${visitor.access === 'operate' && html`<td><${Steer} queue=${queue} say=${say} /></td>`}
  </tr>`;
}

function Oldest({ queue: { oldestMs, isGrowing } }: { queue: Queue }) {
  if (oldestMs === 0) return html`<span class="zero">–</span>`;
  if (!isGrowing) return duration(oldestMs);
  return html`<span class="late" title="The oldest waiting job gets older: workers do not keep up"
    >${duration(oldestMs)} <span aria-hidden="true">↑</span><span class="unseen">, growing</span></span
  >`;
}

function Steer({ queue: { name, paused }, say }: { queue: Queue; say: Props['say'] }) {
  const verb = paused ? 'Resume' : 'Pause';
  const steer = () =>
    act(verb.toLowerCase(), { targets: [name] }).then(
      () => say(`${plain(name)} is ${verb.toLowerCase()}d.`),
      (error: Error) => say(error.message),
    );
  return html`<button class=${paused ? 'primary' : ''} aria-label=${`${verb} ${plain(name)}`} onClick=${steer}>
    ${verb}
  </button>`;
}
