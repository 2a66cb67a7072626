import { RunningStatistics } from './running-statistics.js';

function statisticsOf(values: number[]): RunningStatistics {
  const statistics = new RunningStatistics();
  for (const value of values) statistics.add(value);
  return statistics;
}

describe('RunningStatistics', () => {
  it('has no mean without values and no deviation of one value', () => {
    expect(statisticsOf([])).toMatchObject({ mean: null, standardDeviation: null });
    expect(statisticsOf([3])).toMatchObject({ mean: 3, standardDeviation: null });
  });

  it('divides by n − 1', () => {
    expect(statisticsOf([2, 4, 4, 4, 5, 5, 7, 9])).toMatchObject({ mean: 5, standardDeviation: Math.sqrt(32 / 7) });
  });

  it('stays exact far from zero, where a sum of squares loses all digits', () => {
    const { mean, standardDeviation } = statisticsOf([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]);
    expect(mean).toBe(1e9 + 10);
    expect(standardDeviation).toBeCloseTo(Math.sqrt(30), 9);
  });
});
