import type { MessageEvent } from '@nestjs/common';
import { Observable, type Subscriber } from 'rxjs';

export interface Pace<T> {
  /** The event that tells of a state, after the one before it that was looked at; null where there is nothing to tell. */
  toEvent(state: T, told: T | null): Promise<MessageEvent | null>;
  /** Resolves when the reader can take more. */
  ready(): Promise<void>;
  /** How often a reader that is told nothing gets a comment. */
  readonly keepAliveMs: number;
  /** The comment repeats the id of the last event. */
  toComment(told: T | null): MessageEvent;
}

/**
 * States as events, at the pace of their reader: while it is behind, only the latest state is kept, and its event is not made
 * before the reader is ready. The last state is always told.
 */
export function pacedEvents<T>(states: Observable<T>, pace: Pace<T>): Observable<MessageEvent> {
  return new Observable((subscriber) => {
    const sender = new Sender(subscriber, pace);
    const beat = setInterval(() => sender.beat(), pace.keepAliveMs);
    subscriber.add(() => clearInterval(beat));
    return states.subscribe({
      next: (state) => sender.offer(state),
      error: (error) => subscriber.error(error),
      complete: () => sender.end(),
    });
  });
}

class Sender<T> {
  #latest: T | null = null;
  #told: T | null = null;
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

  /** A reader that is behind sees anyway that the stream is alive. */
  beat(): void {
    if (!this.#isSending) void this.#send(this.pace.toComment(this.#told));
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
        const [state, told] = [this.#latest, this.#told];
        this.#latest = null;
        const event = await this.pace.toEvent(state, told);
        this.#told = state;
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
