import { request as httpRequest } from 'node:http';
import { ACCEPTING, HeldReport, ReportsController } from './reports.js';
import { type StackName, type RunningApp, startApp } from './start-app.js';
import { watchedStoreOf } from './watched-store.js';

/** Longer than any test, so that only the awaited event can end the wait. */
export const WAIT = { Prefer: 'wait=600' };
export const PATIENT = { maxWaitMs: 600_000 };
export const BEES = { title: 'Bees' };

/** An application whose jobs stay in progress until the test lets them end. */
export async function startHeld(stack: StackName) {
  const held = new HeldReport();
  const store = await watchedStoreOf(stack);
  const app = await startApp(stack, {
    controllers: [ReportsController],
    providers: [held.Handler],
    options: { store, http: PATIENT, worker: { drainTimeoutMs: 20_000 } },
  });
  return { app, store, held };
}

/** An application whose jobs stay queued. */
export async function startAccepting(stack: StackName, http: object = PATIENT) {
  const store = await watchedStoreOf(stack);
  const app = await startApp(stack, { ...ACCEPTING, options: { role: 'api', store, http } });
  const { job } = await app.post('/reports', BEES);
  return { app, store, job };
}

/** A request whose client disconnects when the returned function is called. */
export function sendAndLeave(app: RunningApp, method: string, path: string, body?: string): () => void {
  const headers = { ...WAIT, ...(body && { 'Content-Type': 'application/json', 'Content-Length': body.length }) };
  const sent = httpRequest({ host: '127.0.0.1', port: app.port, method, path, headers, agent: false });
  sent.on('error', () => {}); // it closes its own connection
  sent.end(body);
  return () => sent.destroy();
}
