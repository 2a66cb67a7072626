import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { defer, type Observable, ReplaySubject } from 'rxjs';

/** How long a client may take to read what it is sent in the end. */
const LAST_WORDS_MS = 1_000;

/** How far the HTTP side has shut down. */
@Injectable()
export class HttpShutdown {
  readonly #over = new ReplaySubject<void>(1);
  readonly #held = new Set<ServerResponse>();
  #refusing = false;

  /** Whether submissions over HTTP are refused; application code may go on submitting. */
  get isRefusing(): boolean {
    return this.#refusing;
  }

  refuseSubmissions(): void {
    this.#refusing = true;
  }

  /** Emits when this answer may be held, or this stream kept open, no longer; subscribing says that it is. */
  endOf(response: unknown): Observable<void> {
    return defer(() => {
      const held = ((response as { raw?: ServerResponse }).raw ?? response) as ServerResponse;
      if (!held.destroyed) {
        this.#held.add(held);
        held.once('close', () => this.#held.delete(held));
      }
      return this.#over;
    });
  }

  /**
   * Ends them, and resolves when they have been sent. The server that closes next drops the connections that are idle by
   * then; one that becomes so later would keep it from closing for as long as its client likes.
   */
  async endHeldAnswers(): Promise<void> {
    this.#over.next();
    const late = setTimeout(() => this.#held.forEach((response) => response.destroy()), LAST_WORDS_MS);
    await Promise.all([...this.#held].map((response) => new Promise((sent) => response.once('close', sent))));
    clearTimeout(late);
  }
}
