import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Connection, loading, Stale } from './connection.js';
import { plain, statusLabel } from './format.js';
import { html } from './html.js';
import { JobPage } from './job.js';
import { Jobs } from './jobs.js';
import { Overview } from './overview.js';
import { Schedules } from './schedules.js';
import { type Job, read, type Snapshot, type Visitor, type WorkersSnapshot } from './server.js';
import { type Stream, useStream } from './stream.js';
import { applyTheme, Theme } from './theme.js';
import { Workers } from './workers.js';

const IS_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
const VIEWS = [
  ['', 'Overview'],
  ['jobs', 'Jobs'],
  ['workers', 'Workers'],
  ['schedules', 'Schedules'],
] as const;

function App({ visitor }: { visitor: Visitor }) {
  const [path = '', query = ''] = useRoute().split(/\?(.*)/s);
  const [, section = '', id = ''] = path.split('/');
  const isWhole = visitor.owner === null;
  const jobId = section === 'jobs' && id !== '' ? decode(id) : null;
  const isJob = jobId !== null && IS_ID.test(jobId);
  const stream = useStream(streamOf(section, isJob ? jobId : null, isWhole));
  const [notice, say] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => say(''), 8_000);
    return () => clearTimeout(timer);
  }, [notice]);
  const current = isWhole ? section : 'jobs';
  const title = titleOf(current, isJob ? (stream.value as Job | null) : null);
  useEffect(() => void (document.title = title), [title]);
  return html`<a class="skip" href="#content" onClick=${skip}>Skip to content</a>
    <header>
      <b>Jobs</b>
      <nav aria-label="Views">
        ${VIEWS.filter(([to]) => isWhole || to === 'jobs').map(
          ([to, label]) => html`<a href=${`#/${to}`} aria-current=${to === current ? 'page' : undefined}>${label}</a>`,
        )}
      </nav>
      ${(isWhole || isJob) && html`<${Connection} stream=${stream} />`}
      <${Theme} />
    </header>
    <main id="content" tabindex="-1">
      <${Stale} stream=${stream} />
      ${refusalOf(section, jobId, query, visitor) ?? view({ section: current, jobId, query, visitor, stream, say })}
    </main>
    <div class="notice" role="status">${notice}</div>`;
}

/** Of the tab: whoever has many open finds the job by it. */
function titleOf(section: string, job: Job | null): string {
  const label = VIEWS.find(([to]) => to === section)?.[1] ?? 'Jobs';
  return `${job ? `${statusLabel(job.status)}: ${plain(job.name, 100)}` : label} · Jobs`;
}

/** Every view has one stream, and needs no other. */
function streamOf(section: string, jobId: string | null, isWhole: boolean): string | null {
  if (jobId !== null) return `api/jobs/${jobId}/stream`;
  if (!isWhole) return null;
  return section === 'workers' ? 'api/workers/stream' : 'api/stream';
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

interface ViewProps {
  readonly section: string;
  readonly jobId: string | null;
  readonly query: string;
  readonly visitor: Visitor;
  readonly stream: Stream;
  readonly say: (text: string) => void;
}

function view({ section, jobId, query, visitor, stream, say }: ViewProps) {
  if (jobId !== null)
    return html`<${JobPage} key=${jobId} id=${jobId} stream=${stream} visitor=${visitor} say=${say} />`;
  const whole = stream.value as (Snapshot & WorkersSnapshot) | null;
  if (section === 'jobs') return html`<${Jobs} query=${query} visitor=${visitor} snapshot=${whole} say=${say} />`;
  if (section === 'schedules') return html`<${Schedules} visitor=${visitor} say=${say} />`;
  const title = section === 'workers' ? 'Workers' : 'Overview';
  if (!whole)
    return html`<h1>${title}</h1>
      <p class="empty">${loading(stream)}</p>`;
  if (section === 'workers') return html`<${Workers} snapshot=${whole} />`;
  return html`<${Overview} snapshot=${whole} visitor=${visitor} say=${say} />`;
}

/** Why the page does not show what its address says; null when it does. */
function refusalOf(section: string, jobId: string | null, query: string, { owner }: Visitor) {
  const asked = new URLSearchParams(query).get('owner') ?? '';
  const isKnown = VIEWS.some(([to]) => to === section);
  const isOfAll = section !== '' && section !== 'jobs';
  const why =
    (!isKnown && `There is no view ${plain(section, 200)}.`) ||
    (jobId !== null && !IS_ID.test(jobId) && `${plain(jobId, 200)} is not the id of a job.`) ||
    (owner !== null && isOfAll && 'This view shows the jobs of all owners. You may see your own jobs.') ||
    (owner !== null && asked !== '' && asked !== owner && 'You may see your own jobs, not those of another owner.');
  return why
    ? html`<h1>${VIEWS.find(([to]) => to === section)?.[1] ?? 'Jobs'}</h1>
        <p class="empty" role="status">
          ${why} <a href=${owner === null ? '#/' : '#/jobs'}>${owner === null ? 'Overview' : 'Jobs'}</a>
        </p>`
    : null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function useRoute(): string {
  const current = () => location.hash.slice(1) || '/';
  const [route, setRoute] = useState(current);
  useEffect(() => {
    const change = () => setRoute(current());
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);
  return route;
}

applyTheme();
const root = document.getElementById('app') as HTMLElement;
try {
  const visitor = await read<Visitor>('api/visitor');
  render(html`<${App} visitor=${visitor} />`, root);
} catch (error) {
  root.textContent = `The dashboard could not be loaded: ${(error as Error).message}`;
}
