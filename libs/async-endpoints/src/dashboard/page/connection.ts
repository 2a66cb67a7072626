import { now } from './clock.js';
import { age, Time, useNow } from './format.js';
import { html } from './html.js';
import type { Stream } from './stream.js';

const LABELS = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Connection lost, trying again',
  refused: 'Signed out: reload the page',
  unavailable: 'Store unavailable',
  gone: 'No such job',
} as const;
const REASONS = {
  lost: 'The connection to the server is lost. The page tries again every two seconds.',
  refused: 'The server refuses this page. Reload it to sign in again.',
  unavailable: 'The store does not answer. The page goes on when it does.',
} as const;

/** Whether what the page shows is of now. */
export function Connection({ stream: { state, value } }: { stream: Stream }) {
  const { at } = (value ?? {}) as { at?: number };
  useNow();
  // The age is for the eye: a screen reader hears only when the state changes.
  return html`<span class=${`live ${state === 'live' ? '' : 'lost'}`}
    ><i></i><span role="status">${LABELS[state]}</span>
    ${state === 'live' && at !== undefined && html`<span class="updated" aria-hidden="true"> · updated ${age(now() - at)} ago</span>`}
  </span>`;
}

/** Says that what the page shows is old, and why. */
export function Stale({ stream: { state, heardAt } }: { stream: Stream }) {
  if (heardAt === null || !(state in REASONS)) return null;
  return html`<p class="stale">
    ${REASONS[state as keyof typeof REASONS]} What you see is of <${Time} at=${heardAt} /> or older.
  </p>`;
}

/** What a view says before its first message. */
export function loading({ state }: Stream): string {
  if (state === 'gone') return 'There is no such job, or its retention has passed.';
  return state in REASONS ? REASONS[state as keyof typeof REASONS] : 'Loading…';
}
