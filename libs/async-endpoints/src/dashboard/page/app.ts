import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { age, useNow } from './format.js';
import { html } from './html.js';
import { JobPage } from './job.js';
import { Jobs } from './jobs.js';
import { Overview } from './overview.js';
import { Schedules } from './schedules.js';
import { isSignedOut, read, type Snapshot, type Visitor, type WorkersSnapshot } from './server.js';
import { useStream } from './stream.js';
import { Workers } from './workers.js';

/** How often a page without a stream asks whether the server refuses it. */
const ASK_MS = 2_000;
const THEMES = ['system', 'light', 'dark'] as const;
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
  const stream = useStream(streamOf(section, jobId, isWhole));
  const [notice, say] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => say(''), 8_000);
    return () => clearTimeout(timer);
  }, [notice]);
  const current = isWhole ? section : 'jobs';
  useEffect(() => {
    document.title = `${VIEWS.find(([to]) => to === current)?.[1] ?? 'Jobs'} · Jobs`;
  }, [current]);
  return html`<a class="skip" href="#content" onClick=${skip}>Skip to content</a>
    <header>
      <b>Jobs</b>
      <nav aria-label="Views">
        ${VIEWS.filter(([to]) => isWhole || to === 'jobs').map(
          ([to, label]) => html`<a href=${`#/${to}`} aria-current=${to === current ? 'page' : undefined}>${label}</a>`,
        )}
      </nav>
      ${(isWhole || jobId !== null) && html`<${Connection} isLive=${stream.isLive} value=${stream.value} />`}
      <${Theme} />
    </header>
    <main id="content" tabindex="-1">
      ${view({ section: current, jobId, query, visitor, value: stream.value, say })}
    </main>
    <div class="notice" role="status">${notice}</div>`;
}

/** Every view has one stream, and needs no other. */
function streamOf(section: string, jobId: string | null, isWhole: boolean): string | null {
  if (jobId !== null) return `api/jobs/${encodeURIComponent(jobId)}/stream`;
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
  readonly value: unknown;
  readonly say: (text: string) => void;
}

function view({ section, jobId, query, visitor, value, say }: ViewProps) {
  if (jobId !== null) return html`<${JobPage} key=${jobId} id=${jobId} job=${value} visitor=${visitor} say=${say} />`;
  const snapshot = value as (Snapshot & WorkersSnapshot) | null;
  const whole = snapshot?.unavailable ? null : snapshot;
  if (section === 'jobs') return html`<${Jobs} query=${query} visitor=${visitor} snapshot=${whole} say=${say} />`;
  if (section === 'schedules') return html`<${Schedules} visitor=${visitor} say=${say} />`;
  const title = section === 'workers' ? 'Workers' : 'Overview';
  if (!whole)
    return html`<h1>${title}</h1>
      <p class="empty">${snapshot ? 'The store does not answer. The page goes on when it does.' : 'Loading…'}</p>`;
  if (section === 'workers') return html`<${Workers} snapshot=${whole} />`;
  return html`<${Overview} snapshot=${whole} visitor=${visitor} say=${say} />`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function Connection({ isLive, value }: { isLive: boolean; value: unknown }) {
  const { at, unavailable } = (value ?? {}) as { at?: number; unavailable?: boolean };
  const now = useNow();
  const isOut = useSignedOut(isLive);
  const isGood = isLive && !unavailable;
  const lost = value ? 'Connection lost, trying again' : 'Connecting';
  const live = unavailable ? 'Store unavailable' : 'Live';
  const text = isLive ? live : isOut ? 'Signed out: reload the page' : lost;
  // The age is for the eye: a screen reader hears only when the state changes.
  return html`<span class=${`live ${isGood ? '' : 'lost'}`}
    ><i></i><span role="status">${text}</span>
    ${isGood && at !== undefined && html`<span class="updated" aria-hidden="true"> · updated ${age(now - at)} ago</span>`}
  </span>`;
}

/** A stream does not tell why it cannot be opened. */
function useSignedOut(isLive: boolean): boolean {
  const [isOut, setOut] = useState(false);
  useEffect(() => {
    if (isLive) return setOut(false);
    const timer = setInterval(() => void isSignedOut().then(setOut), ASK_MS);
    return () => clearInterval(timer);
  }, [isLive]);
  return isOut;
}

function Theme() {
  const [theme, setTheme] = useState(storedTheme);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem('theme', theme);
    } catch {
      // Storage is forbidden: the theme holds until the page is closed.
    }
  }, [theme]);
  return html`<select
    aria-label="Theme"
    title="Theme"
    value=${theme}
    onChange=${(event: Event) => setTheme((event.target as HTMLSelectElement).value)}
  >
    ${THEMES.map((name) => html`<option value=${name}>${name[0]?.toUpperCase()}${name.slice(1)}</option>`)}
  </select>`;
}

function storedTheme(): string {
  try {
    return localStorage.getItem('theme') ?? 'system';
  } catch {
    return 'system';
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

const root = document.getElementById('app') as HTMLElement;
try {
  const visitor = await read<Visitor>('api/visitor');
  render(html`<${App} visitor=${visitor} />`, root);
} catch (error) {
  root.textContent = `The dashboard could not be loaded: ${(error as Error).message}`;
}
