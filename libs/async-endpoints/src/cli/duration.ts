import { LONGEST_MS } from '../job/bounds.js';

const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Parses a duration such as `2h`, `90s` or `1d12h`, at most ten years. Returns ms, or null when it is invalid. */
export function parseDuration(text: string): number | null {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/gy)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return null;
  const ms = Math.round(parts.reduce((sum, [, value, unit]) => sum + Number(value) * MS[unit as keyof typeof MS], 0));
  return ms <= LONGEST_MS ? ms : null;
}

/** Formats a duration with at most two units: `1d 3h`, `45s`, `0s`. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms / MS.s) * MS.s);
  const parts = (['d', 'h', 'm', 's'] as const).flatMap((unit) => {
    const count = Math.floor(rest / MS[unit]);
    rest -= count * MS[unit];
    return count > 0 ? [`${count}${unit}`] : [];
  });
  return parts.slice(0, 2).join(' ') || '0s';
}
