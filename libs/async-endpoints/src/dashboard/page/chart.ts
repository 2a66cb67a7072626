import { count, rate } from './format.js';
import { html } from './html.js';

interface Props {
  readonly completed: readonly number[];
  readonly failed: readonly number[];
  /** Over which the jobs were counted. */
  readonly ms: number;
}

const MINUTE_MS = 60_000;
const WIDTH = 118;
const HEIGHT = 26;

/** Jobs that ended in each minute: completed as a line, failed as bars. */
export function Chart({ completed, failed, ms }: Props) {
  const from = Math.max(completed.length - 1 - Math.ceil(ms / MINUTE_MS), 0);
  const most = Math.max(1, ...completed, ...failed);
  const y = (value: number) => (HEIGHT - 2 - ((HEIGHT - 4) * value) / most).toFixed(1);
  const x = (index: number) => (index * WIDTH) / Math.max(completed.length - 1, 1);
  const line = completed
    .map((value, index) => (index < from ? '' : `${index === from ? 'M' : 'L'}${x(index)} ${y(value)}`))
    .join('');
  const bars = failed.map((value, index) => (value > 0 ? `M${x(index)} ${HEIGHT}V${y(value)}` : '')).join('');
  const [done, broken] = [total(completed), total(failed)];
  const label = `${count(done)} completed, ${count(broken)} failed: ${rate(done + broken, ms)}`;
  return html`<svg class="spark" viewBox=${`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label=${label}>
    <title>${label}</title>
    <path class="base" d=${`M0 ${HEIGHT - 1}H${WIDTH}`} />
    <path class="bars" d=${bars} />
    <path class="line" d=${line} />
  </svg>`;
}

export function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
