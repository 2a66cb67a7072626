import type { VNode } from 'preact';
import { Age, count, duration, plain, Time, useNow } from './format.js';
import { html } from './html.js';
import { attemptsOf } from './job-facts.js';
import type { Failure, Job } from './server.js';

/** What happened to a job, in order, and where it stands. */
export function Timeline({ job }: { job: Job }) {
  const delay = job.scheduledAt - job.createdAt;
  const isDelayed = (job.failedAttempts ?? []).length === 0 && delay >= 1_000;
  const forgotten = job.retryCount + job.crashes - (job.failedAttempts ?? []).length;
  return html`<ol class="time">
    <${Entry}
      title=${html`<b>Submitted</b>`}
      at=${job.createdAt}
      text=${isDelayed && `to run after ${duration(delay)}`}
    />
    ${forgotten > 0 && html`<${Entry} title=${`${count(forgotten)} earlier attempts`} text="Only the last ten are kept." />`}
    ${(job.failedAttempts ?? []).map((failure) => html`<${Attempt} key=${failure.endedAt} failure=${failure} />`)}
    <${Now} job=${job} />
  </ol>`;
}

interface EntryProps {
  readonly tone?: string;
  readonly title: unknown;
  readonly at?: number | null;
  readonly text?: unknown;
}

function Entry({ tone = '', title, at = null, text }: EntryProps): VNode {
  return html`<li class=${tone}>
    ${at !== null && html`<${Time} at=${at} />`}
    <div>${title}</div>
    ${text && html`<p>${text}</p>`}
  </li>`;
}

function Attempt({ failure: { number, outcome, startedAt, endedAt, error, worker } }: { failure: Failure }) {
  const title = html`<b>Attempt ${number} ${outcome === 'crash' ? 'crashed' : 'failed'}</b
    >${` after ${duration(endedAt - startedAt)}`}`;
  const text = [`${plain(error.code)}: ${plain(error.message)}`, plain(worker)].filter(Boolean).join(' · ');
  return html`<${Entry} tone="bad" title=${title} at=${endedAt} text=${text} />`;
}

/** Where the job stands: the last entry of its timeline. */
function Now({ job }: { job: Job }) {
  if (job.status === 'Queued')
    return html`<${Entry}
      title=${html`<b>Waits for a worker</b> for <${Age} since=${Math.max(job.scheduledAt, job.createdAt)} />`}
    />`;
  if (job.status === 'Scheduled') {
    const what = attemptsOf(job) > 0 ? 'Retry scheduled' : 'Scheduled';
    return html`<${Entry} title=${html`<b>${what}</b> <${Until} at=${job.scheduledAt} />`} at=${job.scheduledAt} />`;
  }
  if (job.status === 'InProgress') return html`<${Running} job=${job} />`;
  const took =
    job.status !== 'Canceled' && job.startedAt !== null && job.completedAt !== null
      ? ` after ${duration(job.completedAt - job.startedAt)}`
      : '';
  const tone = { Completed: 'ok', Failed: 'bad' }[job.status] ?? '';
  return html`<${Entry}
    tone=${tone}
    title=${html`<b>${job.status}</b>${took}`}
    at=${job.completedAt ?? job.lastUpdatedAt}
  />`;
}

function Until({ at }: { at: number }) {
  const left = at - useNow();
  return html`<span>${left > 0 ? `in ${duration(left)}` : 'now due'}</span>`;
}

function Running({ job }: { job: Job }) {
  const startedAt = job.startedAt ?? job.lastUpdatedAt;
  const { fraction = 0, message = null } = job.progress ?? {};
  const elapsed = useNow() - startedAt;
  // Of what the latest report says: an estimate is worth nothing at the very beginning.
  const left = fraction >= 0.05 && fraction < 1 ? `about ${duration((elapsed * (1 - fraction)) / fraction)} left` : '';
  const text = [`${Math.round(fraction * 100)} %`, message !== null && plain(message), plain(job.worker ?? ''), left];
  const title = html`<b>Attempt ${attemptsOf(job)} running</b> for <${Age} since=${startedAt} />
    <progress max="1" value=${fraction} aria-label="Progress"></progress>`;
  return html`<${Entry} tone="run" title=${title} at=${startedAt} text=${text.filter(Boolean).join(' · ')} />`;
}
