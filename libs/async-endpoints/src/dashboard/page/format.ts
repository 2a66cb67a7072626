import { useEffect, useState } from 'preact/hooks';
import { now } from './clock.js';
import { encode } from './exact.js';
import { html } from './html.js';

const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const COUNT = new Intl.NumberFormat('en');
const SHORT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const DAY_MS = 86_400_000;
const MAX_TEXT = 2_000;

export function count(value: number): string {
  return value < 100_000 ? COUNT.format(value) : SHORT.format(value);
}

/** Jobs for each unit of time, in the unit that gives a readable number. */
export function rate(jobs: number, ms: number): string {
  const perSecond = ms > 0 ? (jobs * 1_000) / ms : 0;
  if (jobs === 0) return '0/min';
  if (perSecond >= 1) return `${perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond))}/s`;
  const perMinute = perSecond * 60;
  return `${perMinute < 10 ? perMinute.toFixed(1) : Math.round(perMinute)}/min`;
}

export function share(part: number, all: number): string {
  if (all === 0) return '–';
  const percent = (100 * part) / all;
  return `${part > 0 && percent < 0.1 ? '< 0.1' : percent.toFixed(percent < 10 && part > 0 ? 1 : 0)} %`;
}

export function bytes(value: unknown): string {
  const size = new TextEncoder().encode(encode(value)).length;
  if (size < 1_024) return `${size} B`;
  return size < 1_048_576 ? `${(size / 1_024).toFixed(1)} KiB` : `${(size / 1_048_576).toFixed(1)} MiB`;
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(Math.round(ms), 0)} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 2 * DAY_MS ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / DAY_MS)} d`;
}

/** Long texts are cut, and characters that change the direction of text or are not visible are shown as their code. */
export function plain(text: string, most = MAX_TEXT): string {
  const cut = text.length > most ? `${text.slice(0, most)}… (${count(text.length)} characters)` : text;
  return cut.replace(/[\p{Cf}\p{Cc}]/gu, (char) =>
    char === '\n' || char === '\t' ? char : `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

const tickers = new Set<(now: number) => void>();
setInterval(() => {
  for (const tick of tickers) tick(now());
}, 1_000);

/** Draws again every second, with one timer for the page. */
export function useNow(): number {
  const [time, setNow] = useState(now);
  useEffect(() => {
    tickers.add(setNow);
    return () => void tickers.delete(setNow);
  }, []);
  return time;
}

/** A time in the zone of the browser, in UTC on hover. */
export function Time({ at }: { at: number }) {
  const date = new Date(at);
  const text = Math.abs(now() - at) < DAY_MS / 2 ? CLOCK.format(date) : LOCAL.format(date);
  return html`<time datetime=${date.toISOString()} title=${`${date.toISOString()} (UTC)`}>${text}</time>`;
}

/** In whole seconds, as ages tick. */
export function age(ms: number): string {
  return ms < 10_000 ? `${Math.max(Math.floor(ms / 1_000), 0)} s` : duration(ms);
}

/** For how long something has been so. */
export function Age({ since }: { since: number }) {
  return html`<span class="age" title=${`${new Date(since).toISOString()} (UTC)`}>${age(useNow() - since)}</span>`;
}

const SHAPES: Readonly<Record<string, readonly [tone: string, label: string, path: string]>> = {
  Queued: ['dim', 'Queued', 'M2 3h8v1.6H2zM2 7.4h8V9H2z'],
  Scheduled: ['dim', 'Scheduled', 'M6 1a5 5 0 1 0 0 10A5 5 0 0 0 6 1zm.7 2v2.7l2 1.2-.7 1.1L5.3 6.4V3z'],
  InProgress: ['run', 'In progress', 'M3 1.5 10 6 3 10.5z'],
  Completed: ['ok', 'Completed', 'M4.6 9.8 1.2 6.4l1.4-1.4 2 2 4.8-4.8 1.4 1.4z'],
  Failed: [
    'bad',
    'Failed',
    'M2.8 1.4 6 4.6l3.2-3.2 1.4 1.4L7.4 6l3.2 3.2-1.4 1.4L6 7.4l-3.2 3.2-1.4-1.4L4.6 6 1.4 2.8z',
  ],
  Canceled: ['dim', 'Canceled', 'M1.5 5h9v2h-9z'],
  Paused: ['warn', 'Paused', 'M3 2h2v8H3zM7 2h2v8H7z'],
};

export const STATUSES = ['Queued', 'Scheduled', 'InProgress', 'Completed', 'Failed', 'Canceled'] as const;

export function statusLabel(status: string): string {
  return SHAPES[status]?.[1] ?? status;
}

/** A status by shape, colour and text. */
export function Pill({ status }: { status: string }) {
  const [tone, label, path] = SHAPES[status] ?? ['dim', status, ''];
  return html`<span class=${`pill ${tone}`}
    ><svg viewBox="0 0 12 12" aria-hidden="true"><path d=${path} fill="currentColor" /></svg>${label}</span
  >`;
}
