import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { html } from './html.js';
import { JobPage } from './job.js';
import { Jobs } from './jobs.js';
import { Overview, Workers } from './overview.js';
import { Schedules } from './schedules.js';
import { read, type Snapshot, useStream, type Visitor } from './server.js';

const THEMES = ['system', 'light', 'dark'] as const;

function App({ visitor }: { visitor: Visitor }) {
  const route = useRoute();
  const [path = '', query = ''] = route.split(/\?(.*)/s);
  const isWhole = visitor.owner === null;
  const { value, isLive } = useStream<Snapshot>(isWhole ? 'api/stream' : null);
  const [notice, say] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => say(''), 8_000);
    return () => clearTimeout(timer);
  }, [notice]);
  const links: [string, string][] = isWhole
    ? [
        ['', 'Overview'],
        ['jobs', 'Jobs'],
        ['workers', 'Workers'],
        ['schedules', 'Schedules'],
      ]
    : [['jobs', 'Jobs']];
  const section = path.split('/')[1] ?? '';
  return html`<a class="skip" href="#content" onClick=${skip}>Skip to content</a>
    <header>
      <b>Jobs</b>
      <nav aria-label="Views">
        ${links.map(([to, label]) => html`<a href=${`#/${to}`} aria-current=${to === section ? 'page' : undefined}>${label}</a>`)}
      </nav>
      ${isWhole && html`<${Connection} isLive=${isLive} snapshot=${value} />`}
      <${Theme} />
    </header>
    <main id="content" tabindex="-1">
      <${View} path=${path} query=${query} visitor=${visitor} snapshot=${value} say=${say} />
    </main>
    <div class="notice" role="status">${notice}</div>`;
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

interface ViewProps {
  readonly path: string;
  readonly query: string;
  readonly visitor: Visitor;
  readonly snapshot: Snapshot | null;
  readonly say: (text: string) => void;
}

function View({ path, query, visitor, snapshot, say }: ViewProps) {
  const [, section, id] = path.split('/');
  if (section === 'jobs' && id) {
    const jobId = decode(id);
    return html`<${JobPage} key=${jobId} id=${jobId} visitor=${visitor} say=${say} />`;
  }
  if (section === 'jobs' || visitor.owner !== null)
    return html`<${Jobs} query=${query} visitor=${visitor} say=${say} />`;
  if (section === 'schedules') return html`<${Schedules} visitor=${visitor} say=${say} />`;
  if (!snapshot?.stats)
    return html`<h1>Overview</h1>
      <p class="empty">${snapshot ? 'The store does not answer.' : 'Loading…'}</p>`;
  if (section === 'workers') return html`<${Workers} snapshot=${snapshot} />`;
  return html`<${Overview} snapshot=${snapshot} visitor=${visitor} say=${say} />`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function Connection({ isLive, snapshot }: { isLive: boolean; snapshot: Snapshot | null }) {
  const text = !isLive ? 'Connection lost, trying again' : snapshot?.unavailable ? 'Store unavailable' : 'Live';
  const isGood = isLive && !snapshot?.unavailable;
  return html`<span class=${`live ${isGood ? '' : 'lost'}`} role="status"
    ><i></i>${snapshot || isLive ? text : 'Connecting'}</span
  >`;
}

function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem('theme') ?? 'system');
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    localStorage.setItem('theme', theme);
  }, [theme]);
  return html`<select
    aria-label="Theme"
    value=${theme}
    onChange=${(event: Event) => setTheme((event.target as HTMLSelectElement).value)}
  >
    ${THEMES.map((name) => html`<option value=${name}>${name}</option>`)}
  </select>`;
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
