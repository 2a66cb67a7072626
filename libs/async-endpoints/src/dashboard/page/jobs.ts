import { useEffect, useRef, useState } from 'preact/hooks';
import { Age, count, Pill, plain, statusLabel, STATUSES } from './format.js';
import { html } from './html.js';
import { act, type Job, read, type Visitor } from './server.js';

interface Page {
  readonly jobs: readonly Job[];
  readonly cursor: string | null;
}

interface Props {
  readonly query: string;
  readonly visitor: Visitor;
  readonly say: (text: string) => void;
}

const STEP = 1_000;
/** Ids that one bulk action holds in memory. */
const MAX_IDS = 100_000;

export function Jobs({ query, visitor, say }: Props) {
  const [page, setPage] = useState<Page | null>(null);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [version, setVersion] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    setSelected(new Set());
    read<Page>(`api/jobs?${query}`).then(
      (answer) => isCurrent && setPage(answer),
      (error: Error) => isCurrent && say(error.message),
    );
    return () => void (isCurrent = false);
  }, [query, version]);
  const next = new URLSearchParams(query);
  if (page?.cursor) next.set('cursor', page.cursor);
  const table =
    page &&
    html`<${Table}
      jobs=${page.jobs}
      selected=${selected}
      select=${visitor.access === 'operate' ? setSelected : null}
    />`;
  return html`<h1>Jobs</h1>
    <${Filters} query=${query} isWhole=${visitor.owner === null} />
    <section class="panel" aria-label="Jobs">
      ${visitor.access === 'operate' && html`<${Bulk} query=${query} selected=${selected} say=${say} done=${() => setVersion(version + 1)} />`}
      ${page?.jobs.length === 0 && html`<p class="empty">No job matches on this page. Change or clear the filter${page.cursor && ', or go to the next page'}.</p>`}
      ${page && page.jobs.length > 0 && table}
      <div class="bar foot">
        <button onClick=${() => setVersion(version + 1)}>Refresh</button>
        ${page?.cursor && html`<a class="button" href=${`#/jobs?${next}`}>Next page</a>`}
      </div>
    </section>`;
}

function Filters({ query, isWhole }: { query: string; isWhole: boolean }) {
  const values = new URLSearchParams(query);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const given = [...new FormData(event.target as HTMLFormElement)].filter(([, value]) => value !== '') as [
      string,
      string,
    ][];
    const id = given.find(([name]) => name === 'id');
    location.hash = id ? `#/jobs/${encodeURIComponent(id[1].trim())}` : `#/jobs?${new URLSearchParams(given)}`;
  };
  const field = (name: string, label: string) =>
    html`<label
      >${label}<input name=${name} defaultValue=${values.get(name) ?? ''} maxlength="200" autocomplete="off"
    /></label>`;
  return html`<form class="filters" key=${query} onSubmit=${submit}>
    ${field('name', 'Name')}
    <label
      >Status<select name="status">
        <option value="">All</option>
        ${STATUSES.map((status) => html`<option value=${status} selected=${values.get('status') === status}>${statusLabel(status)}</option>`)}
      </select></label
    >
    ${isWhole && field('owner', 'Owner')} ${field('errorCode', 'Error code')} ${field('id', 'Id')}
    <button class="primary">Filter</button><a class="button" href="#/jobs">Clear</a>
  </form>`;
}

interface TableProps {
  readonly jobs: readonly Job[];
  readonly selected: ReadonlySet<string>;
  readonly select: ((ids: ReadonlySet<string>) => void) | null;
}

function Table({ jobs, selected, select }: TableProps) {
  const toggle = (id: string) => () => {
    const ids = new Set(selected);
    if (!ids.delete(id)) ids.add(id);
    select?.(ids);
  };
  const areAll = jobs.every(({ id }) => selected.has(id));
  const box = (label: string, checked: boolean, onChange: () => void) =>
    html`<input type="checkbox" aria-label=${label} checked=${checked} onChange=${onChange} />`;
  const all = () => select?.(new Set(areAll ? [] : jobs.map(({ id }) => id)));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table of jobs">
    <table class="left">
      <thead>
        <tr>
          ${select && html`<td>${box('Select all on this page', areAll, all)}</td>`}
          ${['Job', 'Status', 'Owner', 'Error', 'Attempts', 'Submitted'].map((text) => html`<th scope="col">${text}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${jobs.map(
          (job) =>
            html`<tr key=${job.id}>
              ${select && html`<td>${box(`Select ${job.id}`, selected.has(job.id), toggle(job.id))}</td>`}
              <td><a class="name" href=${`#/jobs/${job.id}`}>${plain(job.name)}</a><br /><code>${job.id}</code></td>
              <td><${Pill} status=${job.status} /></td>
              <td class="wrap">${job.owner === null ? html`<span class="zero">–</span>` : plain(job.owner)}</td>
              <td class="wrap">
                ${job.error ? html`<span class="fail">${plain(job.error.code)}</span>` : html`<span class="zero">–</span>`}
              </td>
              <td>${job.retryCount + job.crashes + (job.startedAt === null ? 0 : 1)}</td>
              <td><${Age} since=${job.createdAt} /> ago</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

interface BulkProps {
  readonly query: string;
  readonly selected: ReadonlySet<string>;
  readonly say: (text: string) => void;
  readonly done: () => void;
}

/** Counts all jobs that match, or takes the selected ones; then acts in steps, until it is stopped. */
function Bulk({ query, selected, say, done }: BulkProps) {
  const [matching, setMatching] = useState<readonly string[] | null>(null);
  const [progress, setProgress] = useState<string | null>(null);
  const isStopped = useRef(false);
  useEffect(() => setMatching(null), [query]);
  const work = (task: () => Promise<void>) => () => {
    isStopped.current = false;
    void task()
      .catch((error: Error) => say(error.message))
      .finally(() => setProgress(null));
  };
  const find = work(async () => {
    const ids = await matchingIds(query, () => isStopped.current, setProgress);
    if (!isStopped.current) setMatching(ids);
  });
  const targets = matching ?? [...selected];
  const change = (operation: string) =>
    work(async () => {
      let changed = 0;
      for (let from = 0; from < targets.length && !isStopped.current; from += STEP) {
        setProgress(`${operation}: ${count(from)} of ${count(targets.length)}`);
        changed += await act(operation, targets.slice(from, from + STEP));
      }
      say(`${count(changed)} of ${count(targets.length)} jobs changed.`);
      setMatching(null);
      done();
    });
  const text = matching ? `${count(matching.length)} jobs match` : `${count(selected.size)} selected`;
  return html`<div class="bar bulk">
    <span role="status">${progress ?? text}</span>
    ${progress !== null && html`<button onClick=${() => (isStopped.current = true)}>Stop</button>`}
    ${
      progress === null &&
      html`<button onClick=${find}>Select all that match</button>
        <button disabled=${targets.length === 0} onClick=${change('rerun')}>Rerun</button>
        <button class="danger" disabled=${targets.length === 0} onClick=${change('cancel')}>Cancel jobs</button>`
    }
  </div>`;
}

async function matchingIds(query: string, isStopped: () => boolean, report: (text: string) => void): Promise<string[]> {
  const ids = new Set<string>();
  const parameters = new URLSearchParams(query);
  parameters.set('limit', String(STEP));
  parameters.delete('cursor');
  for (let cursor: string | null = ''; cursor !== null && ids.size < MAX_IDS && !isStopped();) {
    report(`Counting: ${count(ids.size)}`);
    if (cursor !== '') parameters.set('cursor', cursor);
    const page: Page = await read<Page>(`api/jobs?${parameters}`);
    for (const { id } of page.jobs) ids.add(id);
    ({ cursor } = page);
  }
  return [...ids];
}
