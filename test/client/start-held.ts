import { HeldReport, ReportsController } from '../http/reports.js';
import { type AdapterName, startApp } from '../http/start-app.js';
import { watchedStoreOf } from '../http/watched-store.js';

/** An application whose jobs stay in progress until the test lets them end. */
export async function startHeld(adapter: AdapterName) {
  const held = new HeldReport();
  const store = await watchedStoreOf(adapter);
  const parts = { controllers: [ReportsController], providers: [held.Handler], options: { store } };
  return { app: await startApp(adapter, parts), store, held };
}
