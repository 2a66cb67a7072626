import { EventSource } from 'eventsource';
import type { JobRepresentation } from 'nestjs-async-endpoints';
import { eventually } from 'nestjs-async-endpoints/testing';
import { TcpProxy } from '../tcp-proxy.js';
import { HeldReport, ReportsController } from '../http/reports.js';
import { ADAPTERS, startApp } from '../http/start-app.js';

describe.each(ADAPTERS)('The eventsource package, on %s', (adapter) => {
  it('reconnects after a cut in the middle of an event, without missing or repeating events', async () => {
    const held = new HeldReport();
    const app = await startApp(adapter, { controllers: [ReportsController], providers: [held.Handler] });
    const { links } = (await app.post('/reports', { title: 'Bees' })).job;
    const context = await held.started.opened;
    const proxy = await TcpProxy.to(app.port);
    const source = new EventSource(proxy.url + links.events);
    onTestFinished(() => source.close());
    const seen: [type: string, id: string, fraction: number | null][] = [];
    for (const type of ['status', 'progress']) {
      source.addEventListener(type, ({ data, lastEventId }: MessageEvent) => {
        const { progress } = JSON.parse(data as string) as JobRepresentation;
        seen.push([type, lastEventId.split('-')[0] as string, progress?.fraction ?? null]);
      });
    }
    await eventually(() => seen.length === 1);
    await context.progress(0.25);
    await eventually(() => seen.length === 2);
    proxy.cutBehind = '"fraction":0.5'; // the client has the id of the event and half of its data
    await context.progress(0.5);
    await eventually(() => seen.length === 3, 15_000);
    await context.progress(0.75);
    await eventually(() => seen.length === 4);
    held.finish.open({ text: '' });
    await eventually(() => seen.length === 5);
    expect(seen).toEqual([
      ['status', '2', null],
      ['progress', '3', 0.25],
      // A stream begins with the job as it stands, which is a status.
      ['status', '4', 0.5],
      ['progress', '5', 0.75],
      ['status', '6', 0.75],
    ]);
    const asked = [...proxy.received.matchAll(/^(GET|last-event-id: .*)/gim)].map(([line]) =>
      line.trim().toLowerCase(),
    );
    expect(asked).toEqual(['get', 'get', expect.stringMatching(/^last-event-id: 3-/)]);
  });
});
