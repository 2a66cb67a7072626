import type { HttpRequest } from '../options.js';

/** What a client prefers, as far as it is understood here (RFC 7240). */
export interface Preferences {
  readonly respondAsync: boolean;
  /** For how many seconds the answer may be held; `null` for not at all. */
  readonly wait: number | null;
}

/** One preference with its parameters: up to a comma that stands in no quotes. */
const PREFERENCE = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;
const SECONDS = /^"?(\d+)"?$/;
const NONE: Preferences = { respondAsync: false, wait: null };

/** What is malformed or unknown is ignored; of a preference given twice the first counts. */
export function preferencesOf({ headers }: HttpRequest, maxWaitSeconds: number): Preferences {
  if (headers.prefer === undefined) return NONE;
  const preferences = new Map<string, string>();
  for (const [preference] of String(headers.prefer).matchAll(PREFERENCE)) {
    const [assignment = ''] = preference.split(';', 1);
    const equals = assignment.indexOf('=');
    const name = (equals < 0 ? assignment : assignment.slice(0, equals)).trim().toLowerCase();
    if (!preferences.has(name)) preferences.set(name, equals < 0 ? '' : assignment.slice(equals + 1).trim());
  }
  const seconds = Math.min(Number(SECONDS.exec(preferences.get('wait') ?? '')?.[1] ?? 0), maxWaitSeconds);
  return { respondAsync: preferences.has('respond-async'), wait: seconds > 0 ? seconds : null };
}
