/**
 * Runs each side `rounds` times and returns the figures of each side, in order. Every other round runs the sides in reverse
 * order, because the side that runs first is measured some percent slower.
 */
export async function alternate(rounds, sides) {
  const figures = Object.fromEntries(Object.keys(sides).map((side) => [side, []]));
  for (let round = 0; round < rounds; round++) {
    const inOrder = Object.entries(sides);
    for (const [side, run] of round % 2 === 0 ? inOrder : inOrder.toReversed()) figures[side].push(await run(round));
  }
  return figures;
}

export function median(values) {
  return quantile(values, 0.5);
}

export function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

/** One field of the figures of each side: a value for each round. */
export function byRound(figures, field) {
  return Object.fromEntries(Object.entries(figures).map(([side, all]) => [side, all.map(field)]));
}

/** The setting whose figure is the largest. */
export async function sweep(settings, measure) {
  const tried = [];
  for (const setting of settings) tried.push({ ...setting, ...(await measure(setting)) });
  return {
    tried,
    best: (field) => tried.reduce((best, one) => (one[field] > best[field] ? one : best)),
  };
}
