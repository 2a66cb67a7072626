import type { Server, ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { defer, type Observable, ReplaySubject } from 'rxjs';
import { OPTIONS, type ResolvedOptions } from '../options.js';

/** How long a client may take to read what it is sent in the end. */
const LAST_WORDS_MS = 1_000;

/** How far the HTTP side has shut down. */
@Injectable()
export class HttpShutdown {
  readonly #over = new ReplaySubject<void>(1);
  readonly #held = new Set<ServerResponse>();
  #leaving: Promise<void> | undefined;
  #refusing = false;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether submissions over HTTP are refused; application code may go on submitting. */
  get isRefusing(): boolean {
    return this.#refusing;
  }

  /**
   * Sends clients away: each answer is the last of its connection, lest requests keep coming on those that a balancer made
   * before it knew. Resolves after `http.shutdownDelayMs`, when submissions are refused.
   */
  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  /** Emits when this answer may be held, or this stream kept open, no longer; subscribing says that it is. */
  endOf(response: unknown): Observable<void> {
    return defer(() => {
      const held = ((response as { raw?: ServerResponse }).raw ?? response) as ServerResponse;
      if (!held.destroyed) {
        this.#held.add(held);
        held.once('close', () => this.#held.delete(held));
        if (this.#leaving) lastOfItsConnection(held);
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

  async #leave(): Promise<void> {
    const server = this.host.httpAdapter?.getHttpServer() as Server | undefined;
    server?.prependListener('request', (_request: unknown, response: ServerResponse) => lastOfItsConnection(response));
    for (const response of this.#held) lastOfItsConnection(response);
    const { shutdownDelayMs } = this.options.http;
    if (shutdownDelayMs > 0) await pause(shutdownDelayMs);
    this.#refusing = true;
  }
}

/** Where it still can say so. HTTP/2 has no such header, and tells its clients by itself. */
function lastOfItsConnection(response: ServerResponse): void {
  if (!response.headersSent && response.req.httpVersionMajor < 2) response.setHeader('Connection', 'close');
}
