import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { Age, duration, Pill, plain, Time } from './format.js';
import { html } from './html.js';
import { act, addressOf, type Job, useStream, type Visitor } from './server.js';
import { Tree } from './tree.js';

interface Props {
  readonly id: string;
  readonly visitor: Visitor;
  readonly say: (text: string) => void;
}

export function JobPage({ id, visitor, say }: Props) {
  // The stream ends with the job; an action here may begin it again.
  const [actions, setActions] = useState(0);
  const { value: job } = useStream<Job>(`api/jobs/${encodeURIComponent(id)}/stream?after=${actions}`, isOver);
  if (!job)
    return html`<h1>Job</h1>
      <p class="empty">There is no job ${plain(id)}, or it is being loaded.</p>`;
  const run = (operation: string) => () =>
    act(operation, [job.id]).then(
      (changed) => {
        setActions(actions + 1);
        say(changed > 0 ? `The job was ${operation === 'cancel' ? 'canceled' : 'queued again'}.` : 'Nothing changed.');
      },
      (error: Error) => say(error.message),
    );
  const curl = `curl '${addressOf(`api/jobs/${job.id}`).href}'`;
  const canRerun = job.status === 'Failed' || job.status === 'Canceled';
  return html`<div class="head">
      <h1>${plain(job.name)}</h1>
      <${Pill} status=${job.status} /><code>${job.id}</code>
      <div>
        <button onClick=${() => copy(job.id, 'Id', say)}>Copy id</button
        ><button onClick=${() => copy(curl, 'Command', say)}>Copy as curl</button>
        ${visitor.access === 'operate' && canRerun && html`<button class="primary" onClick=${run('rerun')}>Rerun</button>`}
        ${visitor.access === 'operate' && !isOver(job) && html`<button class="danger" onClick=${run('cancel')}>Cancel</button>`}
      </div>
    </div>
    <div class="grid">
      <section class="panel" aria-label="Timeline">
        <div class="bar"><h2>Timeline</h2></div>
        <${Timeline} job=${job} />
      </section>
      <section class="panel" aria-label="Result">
        <div class="bar"><h2>${job.error ? 'Error' : 'Result'}</h2></div>
        <${Outcome} job=${job} />
      </section>
    </div>`;
}

function copy(text: string, what: string, say: Props['say']): Promise<void> {
  return navigator.clipboard.writeText(text).then(
    () => say(`${what} copied.`),
    () => say(`The browser does not allow copying. ${what}: ${text}`),
  );
}

function isOver({ status }: Job): boolean {
  return ['Completed', 'Failed', 'Canceled'].includes(status);
}

function Outcome({ job }: { job: Job }) {
  if (job.error) {
    const { code, message = '', details } = job.error;
    return html`<div class="tree">
      <p><b class="fail">${plain(code)}</b></p>
      <p>${plain(message)}</p>
      ${details !== undefined && html`<${Tree} value=${details} />`}
    </div>`;
  }
  if (job.result === null || job.result === undefined) return html`<p class="empty">No result to show.</p>`;
  return html`<div class="tree"><${Tree} value=${job.result} /></div>`;
}

function step(tone: string, title: unknown, at: number | null, text: unknown): VNode {
  return html`<li class=${tone}>
    ${at !== null && html`<${Time} at=${at} />`}
    <div>${title}</div>
    ${text && html`<p>${text}</p>`}
  </li>`;
}

function Timeline({ job }: { job: Job }) {
  const facts = [
    job.owner !== null && `owner ${plain(job.owner)}`,
    `priority ${job.priority}`,
    `${job.maxRetries} retries at most`,
  ];
  const failures = (job.failedAttempts ?? []).map((failed) =>
    step(
      'bad',
      html`<b>Attempt ${failed.number} ${failed.outcome === 'crash' ? 'crashed' : 'failed'}</b> after
        ${duration(failed.endedAt - failed.startedAt)}`,
      failed.endedAt,
      [`${plain(failed.error.code)}: ${plain(failed.error.message)}`, plain(failed.worker)].filter(Boolean).join(' · '),
    ),
  );
  return html`<ol class="time">
    ${step('', html`<b>Submitted</b>`, job.createdAt, facts.filter(Boolean).join(' · '))} ${failures} ${nowOf(job)}
  </ol>`;
}

/** Where the job stands: the last entry of its timeline. */
function nowOf(job: Job): VNode {
  if (job.status === 'Queued')
    return step(
      '',
      html`<b>Waits for a worker</b> for <${Age} since=${Math.max(job.scheduledAt, job.createdAt)} />`,
      null,
      '',
    );
  if (job.status === 'Scheduled')
    return step('', html`<b>Scheduled</b>`, job.scheduledAt, 'It becomes claimable at this time.');
  if (job.status === 'InProgress') {
    const { fraction = 0, message = null } = job.progress ?? {};
    const bar = html`<progress max="1" value=${fraction} aria-label="Progress"></progress>`;
    const text = [`${Math.round(fraction * 100)} %`, message !== null && plain(message), plain(job.worker ?? '')];
    return step(
      'run',
      html`<b>Running</b> for <${Age} since=${job.startedAt ?? job.lastUpdatedAt} />${bar}`,
      job.startedAt,
      text.filter(Boolean).join(' · '),
    );
  }
  const took =
    job.startedAt !== null && job.completedAt !== null && ` after ${duration(job.completedAt - job.startedAt)}`;
  const tone = { Completed: 'ok', Failed: 'bad' }[job.status] ?? '';
  return step(tone, html`<b>${job.status}</b>${took}`, job.completedAt ?? job.lastUpdatedAt, '');
}
