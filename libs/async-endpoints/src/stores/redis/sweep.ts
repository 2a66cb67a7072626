import type { Recovered, RecoverOptions } from '../../store/job-store.js';
import { decode, decodeHolder } from './codec.js';
import { readNames } from './keys.js';
import type { RedisPartition } from './partition.js';
import { Relisting } from './relisting.js';
import { forgetScript } from './scripts/forget.lua.js';
import { findExpiredScript } from './scripts/find-expired.lua.js';
import { purgeScript } from './scripts/purge.lua.js';
import { recoverScript } from './scripts/recover.lua.js';
import { type Maintained, maintainScript } from './scripts/maintain.lua.js';
import { decodeText } from './text.js';

/** The number of names that one step maintains, so that Redis can serve other clients in between. */
const NAMES_AT_ONCE = 200;
/** The names are read again after this many sweeps, even when their number seems unchanged. */
const SWEEPS_UNTIL_SCAN = 6;
/** How long a token outlives its name when it serves other partitions too, which may still have jobs. */
const TOKEN_OUTLIVES_MS = 60_000;

/** The sweep of a partition, and its state between two sweeps. */
export class RedisSweep {
  /** The time of the last sweep of this process in this partition, by the store's clock; '' before the first. */
  #sweptAt = '';
  /** The names at the last reading; empty when there are too many for one step. */
  #names: readonly string[] = [];
  /** The number of counters at that time. */
  #counters = -1;
  #sweepsUntilScan = 0;
  readonly #relisting: Relisting;

  constructor(private readonly partition: RedisPartition) {
    this.#relisting = new Relisting(partition);
  }

  /** Recovers jobs with expired leases. When there are no more, maintains the queues. */
  async recover({ limit, maxCrashes, sweep }: RecoverOptions): Promise<Recovered[]> {
    const recovered: Recovered[] = [];
    let inPassing: Maintained | [] = [];
    for (let more = true; more && recovered.length < limit;) {
      const [ids, dropped, mayBeMore, , maintained] = await this.#findExpired(limit - recovered.length, sweep);
      inPassing = maintained;
      const replies = await this.partition.change(recoverScript, ids, [maxCrashes]);
      const lost = ids.filter((_, index) => replies[2 * index] === '-');
      const taken = this.#read(ids, replies);
      recovered.push(...taken);
      const forgotten = await this.#forget(lost);
      more = mayBeMore === 1 && dropped + forgotten + taken.length > 0;
    }
    if (recovered.length < limit) await this.#maintain(inPassing);
    await this.#relisting.goOn(sweep !== undefined);
    return recovered;
  }

  async purge(limit: number): Promise<string[]> {
    const { keys } = this.partition;
    const purged: string[] = [];
    let names: string[] = [];
    for (let more = true; more;) {
      const left = limit - purged.length;
      const [ids, mayBeMore, due] = await this.partition.run(purgeScript, names, [left], [keys.earlierCompleted]);
      purged.push(...ids);
      names = due.map(decodeText);
      more = mayBeMore === 1 || (due.length > 0 && purged.length < limit);
    }
    return purged;
  }

  async #findExpired(limit: number, sweep: RecoverOptions['sweep']) {
    const { client, connections, time } = this.partition;
    const rhythm = sweep ? [this.#sweptAt, sweep.silenceMs, sweep.leaseMs] : ['', '', ''];
    const args = [time(), limit, ...rhythm, this.#keepMs];
    const reply = await connections.answer(findExpiredScript.run(client, this.#keysOf(this.#names), args));
    if (sweep) this.#sweptAt = reply[3];
    return reply;
  }

  #read(ids: readonly string[], replies: readonly string[]): Recovered[] {
    const { unreadable } = this.partition.place;
    return ids.flatMap((id, index) => {
      const [text, claim] = replies.slice(2 * index, 2 * index + 2) as [string, string];
      if (text === '-' || text === '') return [];
      return unreadable.orNull(id, text, () => ({ job: decode(id, text, '').job, ...decodeHolder(claim) })) ?? [];
    });
  }

  /** Deletes claims whose job does not exist or cannot be read. The last step deletes the claims themselves. */
  async #forget(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const { partition } = this;
    const { connections, client, keys, place } = partition;
    const names = await connections.answer(readNames(client, keys));
    let forgotten = 0;
    for (let at = 0; at < names.length; at += NAMES_AT_ONCE) {
      forgotten += await partition.run(forgetScript, names.slice(at, at + NAMES_AT_ONCE), [...ids]);
    }
    forgotten += await partition.run(forgetScript, [], [...ids]);
    const are = 'claims of jobs that do not exist or cannot be read were deleted: run an audit';
    if (forgotten > 0) place.notify(`${forgotten} ${are}`);
    return forgotten;
  }

  /** @param maintained the result for the names that were known; there may be other names by now */
  async #maintain(maintained: Maintained | []): Promise<void> {
    let [dropped, wrong] = [0, 0];
    if (isMaintained(maintained)) [dropped, wrong] = this.#noted(maintained, this.#names);
    if (maintained[4] !== this.#counters || --this.#sweepsUntilScan <= 0) {
      const found = await this.#maintainAll();
      dropped += found[0];
      wrong += found[1];
    }
    const { notify } = this.partition.place;
    if (dropped > 0) notify(`${dropped} queue entries of jobs that do not exist were dropped: run an audit`);
    if (wrong > 0) notify(`${wrong} wrong counters were corrected: jobs were lost or deleted by hand`);
  }

  /** Maintains all names, and remembers them. */
  async #maintainAll(): Promise<[dropped: number, wrong: number]> {
    const { connections, client, keys, time } = this.partition;
    const known = new Set<string>();
    let [dropped, wrong] = [0, 0];
    for (let cursor: string | undefined; cursor !== '0';) {
      const page = client.sscan(keys.names, cursor ?? '0', 'COUNT', NAMES_AT_ONCE);
      const [next, texts] = await connections.answer(page);
      const names = texts.map(decodeText);
      const step = maintainScript.run(client, this.#keysOf(names), [time(), this.#keepMs]);
      const maintained = await connections.answer(step);
      const [droppedHere, wrongHere] = this.#noted(maintained, names);
      this.#counters = maintained[4];
      for (const name of names) known.add(name);
      dropped += droppedHere;
      wrong += wrongHere;
      cursor = next;
    }
    const areFew = known.size <= NAMES_AT_ONCE;
    this.#names = areFew ? [...known] : [];
    if (!areFew) this.#counters = -1;
    this.#sweepsUntilScan = SWEEPS_UNTIL_SCAN;
    return [dropped, wrong];
  }

  /** Updates the wake tokens, which are in the first partition, with the result for this one. */
  #noted([dropped, wrong, withWork, gone]: Maintained, names: readonly string[]): [dropped: number, wrong: number] {
    const { tokens } = this.partition;
    tokens.put(withWork.map((at) => names[at - 1] as string));
    tokens.expire(
      gone.map((at) => names[at - 1] as string),
      TOKEN_OUTLIVES_MS,
    );
    return [dropped, wrong];
  }

  #keysOf(names: readonly string[]): string[] {
    return [...this.partition.keysOf(names), this.partition.keys.names];
  }

  get #keepMs(): number {
    const { partition, partitions } = this.partition.place;
    return partition === 0 && partitions > 1 ? TOKEN_OUTLIVES_MS : 0;
  }
}

function isMaintained(maintained: Maintained | []): maintained is Maintained {
  return maintained.length > 0;
}
