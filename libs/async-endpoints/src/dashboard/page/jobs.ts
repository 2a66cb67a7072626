import { useEffect, useRef, useState } from 'preact/hooks';
import { Bulk } from './bulk.js';
import { Filters } from './filters.js';
import { Age, count, Pill, plain, Time } from './format.js';
import { html } from './html.js';
import { attemptsOf } from './job-facts.js';
import { type Page, useJobList } from './job-list.js';
import type { Job, Snapshot, Visitor } from './server.js';

interface Props {
  readonly query: string;
  readonly visitor: Visitor;
  /** Null while there is none, and for an owner. */
  readonly snapshot: Snapshot | null;
  readonly say: (text: string) => void;
}

export function Jobs({ query, visitor, snapshot, say }: Props) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const { page, trouble, version, refresh } = useJobList(query, () => setSelected(new Set()));
  const counts = countsOf(snapshot, query);
  const shown = useRef<string | null>(null);
  useEffect(() => void (shown.current = counts), [query, version]);
  shown.current ??= counts;
  const isOperator = visitor.access === 'operate';
  const names = [...new Set(snapshot?.stats.map(({ name }) => name))].toSorted();
  return html`<div class="head">
      <h1>Jobs</h1>
      <div>
        ${counts !== null && counts !== shown.current && html`<small role="status">Jobs have changed since.</small>`}
        <button onClick=${refresh}>Refresh</button>
      </div>
    </div>
    <${Filters} query=${query} isWhole=${visitor.owner === null} names=${names} />
    <section class="panel" aria-label="Jobs">
      ${trouble && html`<${Failure} trouble=${trouble} page=${page} query=${query} />`}
      ${page && isOperator && html`<${Bulk} query=${query} selected=${selected} say=${say} done=${refresh} />`}
      ${page && page.jobs.length > 0 && html`<${Table} jobs=${page.jobs} selected=${selected} select=${isOperator ? setSelected : null} />`}
      ${page && html`<${Foot} page=${page} query=${query} />`}
      ${!page && !trouble && html`<p class="empty" role="status">Loading…</p>`}
    </section>`;
}

function Failure({ trouble, page, query }: { trouble: Error; page: Page | null; query: string }) {
  const parameters = new URLSearchParams(query);
  const hasCursor = parameters.has('cursor');
  parameters.delete('cursor');
  return html`<p class=${page ? 'stale' : 'empty'} role="status">
    ${plain(trouble.message)} ${page && html`The list is of <${Time} at=${page.at} />.`}
    ${hasCursor && html` <a href=${`#/jobs?${parameters}`}>First page</a>`}
  </p>`;
}

/** Of the names and statuses that the filter lets through: it changes when the list may have changed. */
function countsOf(snapshot: Snapshot | null, query: string): string | null {
  if (!snapshot) return null;
  const filter = new URLSearchParams(query);
  const matches = (key: 'name' | 'status', value: string) => [null, '', value].includes(filter.get(key));
  const own = snapshot.stats.filter(({ name, status }) => matches('name', name) && matches('status', status));
  return own
    .map(({ name, status, count: jobs }) => `${name} ${status} ${jobs}`)
    .toSorted()
    .join('\n');
}

function Foot({ page, query }: { page: Page; query: string }) {
  const parameters = new URLSearchParams(query);
  const isFirst = !parameters.has('cursor');
  parameters.delete('cursor');
  const first = `#/jobs?${parameters}`;
  const isFiltered = [...parameters].length > 0;
  parameters.set('cursor', page.cursor ?? '');
  return html`${
    page.jobs.length === 0 &&
    html`<p class="empty">
      ${page.cursor !== null || !isFirst ? 'No job on this page matches.' : isFiltered ? 'No job matches. Change the filter, or clear it.' : 'No jobs yet. Send a request to an endpoint with @AsyncEndpoint, or call JobManager.submit.'}
    </p>`
  }
  ${
    (page.cursor !== null || !isFirst) &&
    html`<div class="bar foot">
      ${!isFirst && html`<a class="button" href=${first}>First page</a>`}
      ${page.cursor !== null && html`<a class="button" href=${`#/jobs?${parameters}`}>Next page</a>`}
    </div>`
  }`;
}

interface TableProps {
  readonly jobs: readonly Job[];
  readonly selected: ReadonlySet<string>;
  readonly select: ((ids: ReadonlySet<string>) => void) | null;
}

const HEADS = ['Job', 'Status', 'Owner', 'Error', 'Attempts', 'Submitted', 'Changed'];

function Table({ jobs, selected, select }: TableProps) {
  const toggle = (id: string) => () => {
    const ids = new Set(selected);
    if (!ids.delete(id)) ids.add(id);
    select?.(ids);
  };
  const areAll = jobs.every(({ id }) => selected.has(id));
  const box = (label: string, checked: boolean, onChange: () => void) =>
    html`<td class="box"><input type="checkbox" aria-label=${label} checked=${checked} onChange=${onChange} /></td>`;
  const all = () => select?.(new Set(areAll ? [] : jobs.map(({ id }) => id)));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of jobs">
    <table class="left">
      <thead>
        <tr>
          ${select && box('Select all on this page', areAll, all)}
          ${HEADS.map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${jobs.map(
          (job) =>
            html`<tr key=${job.id}>
              ${select && box(`Select ${job.id}`, selected.has(job.id), toggle(job.id))}
              <${Cells} job=${job} />
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function Cells({ job }: { job: Job }) {
  const none = html`<span class="zero">–</span>`;
  const percent = job.status === 'InProgress' && job.progress ? Math.round(job.progress.fraction * 100) : null;
  return html`<td class="job">
      <a class="name" href=${`#/jobs/${job.id}`}>${plain(job.name)}</a><br /><code>${job.id}</code>
    </td>
    <td><${Pill} status=${job.status} />${percent !== null && html` <small>${percent} %</small>`}</td>
    <td class="wrap">${job.owner === null ? none : plain(job.owner, 200)}</td>
    <td class="wrap">${job.error ? html`<span class="fail">${plain(job.error.code, 200)}</span>` : none}</td>
    <td>${count(attemptsOf(job))}</td>
    <td><${Age} since=${job.createdAt} /> ago</td>
    <td><${Age} since=${job.lastUpdatedAt} /> ago</td>`;
}
