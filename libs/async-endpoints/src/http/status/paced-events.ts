import type { MessageEvent } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';

interface Pace<T> {
  /** The event for a state, given the state before it; null when the reader needs no event. */
  toEvent(state: T, before: T | null): Promise<MessageEvent | null>;
  /** Resolves when the reader can take more. */
  ready(): Promise<void>;
  /** How often an idle reader gets a comment, in ms. */
  readonly keepAliveMs: number;
  /** The comment repeats the id of the last event. */
  toComment(last: T | null): MessageEvent;
}

/**
 * Sends states as events, at the pace of the reader. While the reader is behind, only the latest state is kept, and its event is
 * made when the reader is ready. The last state is always sent.
 */
export function pacedEvents<T>(states: Observable<T>, pace: Pace<T>): Observable<MessageEvent> {
  return new Observable((subscriber) => {
    const sender = new Sender(subscriber, pace);
    const timer = setInterval(() => sender.keepAlive(), pace.keepAliveMs);
    subscriber.add(() => clearInterval(timer));
    return states.subscribe({
      next: (state) => sender.offer(state),
      error: (error) => subscriber.error(error),
      complete: () => sender.end(),
    });
  });
}

class Sender<T> {
  #latest: T | null = null;
  #last: T | null = null;
  #isSending = false;
  #isOver = false;

  constructor(
    private readonly subscriber: Subscriber<MessageEvent>,
    private readonly pace: Pace<T>,
  ) {}

  offer(state: T): void {
    this.#latest = state;
    if (!this.#isSending) void this.#send();
  }

  /** A reader that is behind needs no comment: more data is on its way. */
  keepAlive(): void {
    if (!this.#isSending) void this.#send(this.pace.toComment(this.#last));
  }

  end(): void {
    this.#isOver = true;
    if (!this.#isSending) this.subscriber.complete();
  }

  async #send(comment?: MessageEvent): Promise<void> {
    this.#isSending = true;
    try {
      if (comment) await this.#write(comment);
      while (this.#latest !== null && !this.subscriber.closed) {
        const [state, before] = [this.#latest, this.#last];
        this.#latest = null;
        const event = await this.pace.toEvent(state, before);
        this.#last = state;
        if (event) await this.#write(event);
      }
    } catch (error) {
      this.subscriber.error(error);
    }
    this.#isSending = false;
    if (this.#isOver) this.subscriber.complete();
  }

  async #write(event: MessageEvent): Promise<void> {
    this.subscriber.next(event);
    await this.pace.ready();
  }
}
