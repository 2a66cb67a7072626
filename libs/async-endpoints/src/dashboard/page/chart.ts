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
  const minutes = Math.max(Math.floor(ms / MINUTE_MS), 2);
  // The present minute is not over: it would look like a fall.
  const whole = (counts: readonly number[]) => (minutes > 2 ? counts.slice(0, -1) : counts);
  const [good, bad] = [whole(completed), whole(failed)];
  const from = Math.max(good.length - minutes, 0);
  const most = Math.max(1, ...good, ...bad);
  const y = (value: number) => (HEIGHT - 2 - ((HEIGHT - 4) * value) / most).toFixed(1);
  const x = (index: number) => (index * WIDTH) / Math.max(good.length - 1, 1);
  const line = good
    .map((value, index) => (index < from ? '' : `${index === from ? 'M' : 'L'}${x(index)} ${y(value)}`))
    .join('');
  const bars = bad.map((value, index) => (value > 0 ? `M${x(index)} ${HEIGHT}V${y(value)}` : '')).join('');
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
