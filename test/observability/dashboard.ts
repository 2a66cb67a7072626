import { readFile } from 'node:fs/promises';
import { MONITORING } from './prometheus.js';

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
