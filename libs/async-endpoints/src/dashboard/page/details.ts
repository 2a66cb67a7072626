import { count, plain } from './format.js';
import { html } from './html.js';
import { attemptsOf } from './job-facts.js';
import type { Job, Payload } from './server.js';

interface Props {
  readonly job: Job;
  readonly payload: Payload;
  readonly isWhole: boolean;
}

/** What belongs to a job beside its course, with links to jobs like it. */
export function Details({ job, payload, isWhole }: Props) {
  const { name, owner, priority, maxRetries, error, crashes } = job;
  const jobsWith = (filter: Record<string, string>, text: string) =>
    html`<a href=${`#/jobs?${new URLSearchParams(filter)}`}>${plain(text, 200)}</a>`;
  const { headers = [], routeParams = [], queryParams = [], traceId, schedule } = payload;
  const rows: [label: string, value: unknown][] = [
    ['Jobs of this name', jobsWith({ name }, name)],
    ['Owner', owner !== null && (isWhole ? jobsWith({ owner }, owner) : plain(owner, 200))],
    ['Same error', error && jobsWith({ name, errorCode: error.code }, error.code)],
    [
      'Attempts',
      `${count(attemptsOf(job))} of ${count(maxRetries + 1)}${crashes > 0 ? `, ${count(crashes)} crashed` : ''}`,
    ],
    ['Priority', String(priority)],
    [
      'Schedule',
      schedule !== undefined && (isWhole ? html`<a href="#/schedules">${plain(schedule)}</a>` : plain(schedule)),
    ],
    ['Trace id', traceId !== undefined && html`<code>${plain(traceId)}</code>`],
  ];
  const values = [...headers, ...routeParams, ...queryParams].map(
    ([key, value]) => [html`<code>${plain(key)}</code>`, plain(value)] as const,
  );
  return html`<dl class="facts">
    ${[...rows.filter(([, value]) => value), ...values].map(
      ([label, value]) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}
