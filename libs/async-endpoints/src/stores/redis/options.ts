import { AsyncEndpointsError } from '../../job/errors.js';
import type { PriorityAging } from '../../store/fairness.js';
import type { RedisConnectionOptions } from './client.js';

/** Where the jobs are, and how they are spread and ordered there. */
export interface RedisJobStoreOptions extends RedisConnectionOptions, PriorityAging {
  /**
   * What all keys begin with, so that applications can share a server: 1 to 200 characters, no braces. Channels carry it too,
   * with the number of the database. Default `ae`.
   */
  prefix?: string | undefined;
  /**
   * Over how many slots of a cluster jobs are spread, by their ids: 1 to 256, the same in every process, for good. Each
   * keeps its own order and an equal share of the queue limits, rounded up. Default 1.
   */
  partitions?: number | undefined;
  /**
   * A secret of the deployment that decides, together with a job's id, in which partition the job is. Without it, clients
   * that choose their ids can fill one partition. The same in every process, for good; at least 16 characters. No default.
   */
  partitionSecret?: string | undefined;
  /** The clock instead of Redis's own, in ms since the epoch: for tests. */
  now?: (() => number) | undefined;
}

const MOST_PARTITIONS = 256;
const SHORTEST_SECRET = 16;

/** @throws AsyncEndpointsError `INVALID_OPTION` */
export function checkPartitions(count: number, secret: string | undefined): void {
  if (!Number.isInteger(count) || count < 1 || count > MOST_PARTITIONS) {
    const expected = `expected an integer from 1 to ${MOST_PARTITIONS}`;
    throw new AsyncEndpointsError('INVALID_OPTION', `partitions is ${count}; ${expected}.`);
  }
  if (secret !== undefined && secret.length < SHORTEST_SECRET) {
    const expected = `expected at least ${SHORTEST_SECRET}`;
    throw new AsyncEndpointsError('INVALID_OPTION', `partitionSecret has ${secret.length} characters; ${expected}.`);
  }
}
