import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** The sizes of a run. The targets apply to `full`; `quick` only shows that everything works. */
const SIZES = {
  full: {
    rounds: 6, // the same number in each order of the sides
    jobs: 100_000,
    sweepJobs: 10_000,
    warmUpJobs: 20_000,
    pickups: 1_000,
    idleMs: 15_000,
    many: 1_000_000,
    some: 50_000,
    few: 1_000,
    loadSeconds: 5,
    connections: 64,
    waiters: 5_000,
    concurrencies: { ours: [128, 256, 512, 1_024], peer: [32, 64, 128, 256] },
  },
  quick: {
    rounds: 1,
    jobs: 2_000,
    sweepJobs: 500,
    warmUpJobs: 500,
    pickups: 50,
    idleMs: 2_000,
    many: 20_000,
    some: 5_000,
    few: 1_000,
    loadSeconds: 1,
    connections: 16,
    waiters: 200,
    concurrencies: { ours: [64, 256], peer: [32, 64] },
  },
};

/** `--quick`, `--only P1,P2`, `--jobs 20000`, `--rounds 3`, `--seconds 2` of load, `--profile`, `--against /path/to/another/checkout`. */
export function readSettings() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      jobs: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      against: { type: 'string' },
      profile: { type: 'boolean', default: false },
    },
  });
  const sizes = SIZES[values.quick ? 'quick' : 'full'];
  const only = values.only?.split(',').map((id) => id.trim().toUpperCase());
  return {
    ...sizes,
    quick: values.quick,
    profile: values.profile,
    against: values.against && resolve(values.against),
    jobs: Number(values.jobs ?? sizes.jobs),
    rounds: Number(values.rounds ?? sizes.rounds),
    loadSeconds: Number(values.seconds ?? sizes.loadSeconds),
    wants: (id) => !only || only.includes(id),
  };
}
