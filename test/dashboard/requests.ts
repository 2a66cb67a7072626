import type { DashboardApp } from './dashboard-app.js';

const HEADERS = { 'content-type': 'application/json', 'x-async-endpoints-dashboard': '1' };

/** An action, as the page sends it. */
export function post(app: DashboardApp, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const init = { method: 'POST', headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) };
  return fetch(`${app.url}/admin/jobs/api/actions`, init);
}

/** What the dashboard answers at this path below it. */
export function get(app: DashboardApp, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${app.url}/admin/jobs${path}`, { headers });
}

export async function getJson<T>(app: DashboardApp, path: string): Promise<T> {
  return (await get(app, path)).json() as Promise<T>;
}

export interface MessageStream {
  /** The data of the next message. */
  next(): Promise<string>;
  cancel(): Promise<void>;
}

export async function openStream(app: DashboardApp, path: string): Promise<MessageStream> {
  const reader = (await get(app, path)).body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async next() {
      for (;;) {
        const [message, rest] = text.split(/\n\n(.*)/s);
        const data = rest === undefined ? undefined : /^data: (.+)$/m.exec(message!)?.[1];
        if (rest !== undefined) text = rest;
        if (data !== undefined) return data;
        if (rest !== undefined) continue;
        const { value, done } = await reader.read();
        if (done) throw new Error('The stream has ended.');
        text += value;
      }
    },
    cancel: () => reader.cancel(),
  };
}

/** The first message of an event stream. */
export async function firstMessage(app: DashboardApp, path: string): Promise<string> {
  const stream = await openStream(app, path);
  const message = await stream.next();
  await stream.cancel();
  return message;
}
