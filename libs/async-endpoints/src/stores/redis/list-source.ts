import type { JobFilter } from '../../store/job-store.js';
import { encodeOwner, LETTER_OF } from './codec.js';
import type { RedisPartition } from './partition.js';
import { listScript } from './scripts/list.lua.js';

const ID_LENGTH = 36;
/** Later than all jobs. */
export const LATEST = 999_999_999_999_999;
const ALL_STATUSES = Object.values(LETTER_OF).join('');

/** A place in the list of a partition (see `list.lua.ts`). */
export interface Position {
  readonly at: number;
  readonly rest: string;
  readonly line: number;
  readonly completed: number;
}

/** A job; with the text '' a place without a job. */
export interface Listed extends Pick<Position, 'at' | 'rest'> {
  readonly id: string;
  readonly text: string;
  readonly claim: string;
}

/** The position after a job. */
export function after({ line, completed }: Position, { at, rest }: Listed): Position {
  const number = Number.parseInt(rest.slice(1, 9), 16);
  const [letter] = rest;
  return { at, rest, line: letter === 'l' ? number : line, completed: letter === 'c' ? number : completed };
}

/** The jobs of some names of a partition, newest first. */
export class ListSource {
  readonly found: Listed[] = [];
  /** Whether there are no jobs after those that were found. */
  isEnded = false;
  /** Whether there may be more, but the last step has read enough for a page. */
  isFull = false;
  readonly #args: readonly string[];

  /** @param number the number of the partition */
  constructor(
    readonly partition: RedisPartition,
    readonly number: number,
    private readonly names: readonly string[],
    { status, owner, errorCode, runningForMs }: JobFilter,
    private position: Position,
  ) {
    const statuses = runningForMs !== undefined ? 'P' : status ? LETTER_OF[status] : ALL_STATUSES;
    const kind = errorCode === undefined ? 'n' : `e${JSON.stringify(errorCode)}`;
    this.#args = [statuses, owner === undefined ? kind : `o${encodeOwner(owner)}`];
  }

  /** Reads the next jobs. */
  async read(most: number): Promise<void> {
    const { client, time, place, keys } = this.partition;
    const { at, rest, line, completed } = this.position;
    // Without numbers, the script begins at the newest job: one that has changed its status since they were read is not missed.
    const numbers = at === LATEST ? ['', ''] : [line, completed];
    const args = [time(), most, at, rest, ...numbers, ...this.#args];
    const [isFull, ...jobs] = await listScript.run(
      client,
      [...this.partition.keysOf(this.names), keys.earlierCompleted],
      args,
    );
    for (let n = 0; n < jobs.length; n += 4) {
      const [enteredAt, text, record, claim] = jobs.slice(n, n + 4) as [string, string, string, string];
      if (enteredAt === '') place.unreadable.read(text, record, claim);
      else this.#add({ at: Number(enteredAt), rest: text, id: text.slice(-ID_LENGTH), text: record, claim });
    }
    this.isFull = isFull === 1;
    this.isEnded = !this.isFull && this.found.length < most;
  }

  #add(listed: Listed): void {
    this.found.push(listed);
    this.position = after(this.position, listed);
  }
}
