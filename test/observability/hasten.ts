import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import { MONITORING } from './prometheus.js';

export interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook_url', string>>;
}

interface Rules {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export async function alertRules(): Promise<readonly Rule[]> {
  const { groups } = parse(await readFile(`${MONITORING}alerts.yml`, 'utf8')) as Rules;
  return groups.flatMap(({ rules }) => rules);
}

/**
 * The alerts with shorter times: a minute lasts `minuteMs`, in `for`, in ranges, and in thresholds, which are written
 * `5 * 60`. Nothing else changes but the thresholds that are given, by alert.
 */
export async function hasten(minuteMs: number, thresholds: Readonly<Record<string, number>>): Promise<string> {
  const shorter = (text: string) => text.replaceAll(/\b(\d+)m\b/g, (_, minutes) => `${Number(minutes) * minuteMs}ms`);
  const rules = (await alertRules()).map((rule) => {
    const expr = shorter(rule.expr).replaceAll('* 60', `* ${minuteMs / 1_000}`);
    const threshold = thresholds[rule.alert];
    return {
      ...rule,
      ...(rule.for && { for: shorter(rule.for) }),
      expr: threshold === undefined ? expr : expr.replace(/> [\d.]+$/, `> ${threshold}`),
    };
  });
  return stringify({ groups: [{ name: 'async-endpoints', rules }] });
}
