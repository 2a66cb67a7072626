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

/** The first messages of an event stream. */
export async function messagesOf(app: DashboardApp, path: string, most = 1): Promise<string> {
  const reader = (await get(app, path)).body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (text.split('\ndata: ').length <= most) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  await reader.cancel();
  return text;
}
