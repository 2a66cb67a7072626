import { readFile } from 'node:fs/promises';
import { figure } from '../redis/system.js';
import { MONITORING, type Prometheus } from './prometheus.js';

const RATE_INTERVAL = '5m'; // all of a test

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
}

export async function panels(): Promise<readonly Panel[]> {
  const dashboard = JSON.parse(await readFile(`${MONITORING}grafana/async-endpoints.json`, 'utf8')) as {
    panels: Panel[];
  };
  return dashboard.panels;
}

/** As Grafana would ask, with every name and namespace chosen. */
export function asked(expr: string, rateInterval: string): string {
  return expr.replaceAll('$__rate_interval', rateInterval).replaceAll(/\$(job_name|namespace)/g, '.*');
}

/** Expects a number in every query of these panels. */
export async function expectData(prometheus: Prometheus, isIncluded: (panel: Panel) => boolean): Promise<void> {
  const all = (await panels()).filter(isIncluded);
  expect(all.length).toBeGreaterThan(1);
  for (const { title, targets } of all) {
    for (const { expr } of targets) {
      const values = (await prometheus.query(asked(expr, RATE_INTERVAL))).map(({ value: [, text] }) => Number(text));
      const known = values.filter((value) => !Number.isNaN(value));
      expect([title, expr, known.length > 0]).toEqual([title, expr, true]);
      figure(`panel ${title}: ${Math.max(...known)}`);
    }
  }
}
