import type { JobRecord } from '../../job/job.js';
import type { HttpRequest, Reply } from '../../options/options.js';

/** The opaque part of an entity tag; its strength does not matter to `If-None-Match` (RFC 9110, 13.1.2). */
const ENTITY_TAG = /(?:W\/)?"([^"]*)"/g;

type State = Pick<JobRecord, 'createdAt' | 'version' | 'lastUpdatedAt'>;

/**
 * The entity tag of this state of the job. It includes `createdAt`, because an id can be used again after its job was purged, and
 * `lastUpdatedAt`, because a store that was restored from a backup counts the same versions again.
 */
export function entityTagOf({ createdAt, version, lastUpdatedAt }: State): string {
  return `"${createdAt}-${version}-${lastUpdatedAt}"`;
}

/** The id of an event: the version, which people can read, and the time of the change. */
export function eventIdOf({ version, lastUpdatedAt }: State): string {
  return `${version}-${lastUpdatedAt.toString(36)}`;
}

/** Whether a client has this state. @param lastEventId its `Last-Event-ID`; a version without a time is accepted */
export function isSeen(job: State, lastEventId: string): boolean {
  return lastEventId === eventIdOf(job) || lastEventId === String(job.version);
}

/** Whether the client has this state, by its `If-None-Match`. */
export function isKnownTo({ headers }: HttpRequest, entityTag: string): boolean {
  const known = headers['if-none-match'];
  if (known === undefined) return false;
  if (known === entityTag) return true;
  if (String(known).trim() === '*') return true;
  const [[, opaque] = []] = entityTag.matchAll(ENTITY_TAG);
  return [...String(known).matchAll(ENTITY_TAG)].some(([, other]) => other === opaque);
}

/** 304 instead of a response that the client has, by the entity tag of the finished response. */
export function orNotModified(reply: Reply, request: HttpRequest): Reply {
  if (request.headers['if-none-match'] === undefined || reply.status >= 300) return reply;
  const headers = Object.entries(reply.headers);
  const entityTag = headers.find(([name]) => name.toLowerCase() === 'etag')?.[1];
  if (entityTag === undefined || !isKnownTo(request, entityTag)) return reply;
  const kept = headers.filter(([name]) => !name.toLowerCase().startsWith('content-'));
  return { status: 304, headers: Object.fromEntries(kept), body: undefined };
}

/** The supported preferences of a client (RFC 7240). */
export interface Preferences {
  readonly respondAsync: boolean;
  /** How many seconds the response may be held; null for no wait. */
  readonly wait: number | null;
}

/** One preference with its parameters: up to a comma outside quotes. */
const PREFERENCE = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g;
const SECONDS = /^"?(\d+)"?$/;
const NONE: Preferences = { respondAsync: false, wait: null };

/** Ignores malformed and unknown preferences. When a preference is repeated, the first counts. */
export function preferencesOf({ headers }: HttpRequest, maxWaitMs: number): Preferences {
  if (headers.prefer === undefined) return NONE;
  const preferences = new Map<string, string>();
  for (const [preference] of String(headers.prefer).matchAll(PREFERENCE)) {
    const [assignment = ''] = preference.split(';', 1);
    const equals = assignment.indexOf('=');
    const name = (equals < 0 ? assignment : assignment.slice(0, equals)).trim().toLowerCase();
    if (!preferences.has(name)) preferences.set(name, equals < 0 ? '' : assignment.slice(equals + 1).trim());
  }
  const seconds = Math.min(
    Number(SECONDS.exec(preferences.get('wait') ?? '')?.[1] ?? 0),
    Math.floor(maxWaitMs / 1_000),
  );
  return { respondAsync: preferences.has('respond-async'), wait: seconds > 0 ? seconds : null };
}
