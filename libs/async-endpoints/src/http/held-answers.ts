import type { ServerResponse } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import { Observable } from 'rxjs';
import { AsyncEndpointsError } from '../job/errors.js';
import { OPTIONS, type ResolvedOptions } from '../options.js';

/** Counts streams of events and held answers, which keep memory for as long as they are open, and limits them. */
@Injectable()
export class HeldAnswers {
  #count = 0;
  readonly #byOwner = new Map<string, number>();

  constructor(@Inject(OPTIONS) private readonly options: ResolvedOptions) {}

  /**
   * One more, until the answer is closed.
   *
   * @throws AsyncEndpointsError `TOO_MANY_WAITS`, `TOO_MANY_WAITS_OF_OWNER`
   */
  holdUntilClosed(owner: string | null, response: ServerResponse): void {
    const release = this.#take(owner);
    if (response.destroyed) release();
    else response.once('close', release);
  }

  /** One more, while it is subscribed to. It fails with `TOO_MANY_WAITS` or `TOO_MANY_WAITS_OF_OWNER`. */
  hold<T>(owner: string | null, answer: Observable<T>): Observable<T> {
    return new Observable((subscriber) => {
      subscriber.add(this.#take(owner));
      return answer.subscribe(subscriber);
    });
  }

  #take(owner: string | null): () => void {
    const { maximumHeldAnswers, maximumHeldAnswersPerOwner } = this.options.http;
    if (this.#count >= maximumHeldAnswers) throw new AsyncEndpointsError('TOO_MANY_WAITS');
    const ofOwner = owner === null ? 0 : (this.#byOwner.get(owner) ?? 0);
    if (ofOwner >= maximumHeldAnswersPerOwner) throw new AsyncEndpointsError('TOO_MANY_WAITS_OF_OWNER');
    this.#count++;
    if (owner !== null) this.#byOwner.set(owner, ofOwner + 1);
    return () => this.#release(owner);
  }

  #release(owner: string | null): void {
    this.#count--;
    if (owner === null) return;
    const left = (this.#byOwner.get(owner) as number) - 1;
    if (left > 0) this.#byOwner.set(owner, left);
    else this.#byOwner.delete(owner);
  }
}
