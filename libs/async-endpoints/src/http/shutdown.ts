import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { defer, type Observable, ReplaySubject } from 'rxjs';
import { OPTIONS, type ResolvedOptions } from '../options/options.js';

/** How long a client may take to read what it is sent in the end. */
const LAST_WORDS_MS = 1_000;
/** The interval of checking idle connections. A connection without a read in two checks in a row is closed. */
const LOOK_MS = 1_000;

/** How far the HTTP side has shut down. */
@Injectable()
export class HttpShutdown {
  readonly #over = new ReplaySubject<void>(1);
  readonly #held = new Set<ServerResponse>();
  #leaving: Promise<void> | undefined;
  #refusing = false;
  readonly #sockets = new Map<Socket, Standing>();
  #endOfRequests = Infinity;

  constructor(
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether submissions over HTTP are refused. Application code may still submit. */
  get isRefusing(): boolean {
    return this.#refusing;
  }

  /** Before the server listens: from then on it is known which connections there are. */
  open(): void {
    this.#server?.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, { moved: -1, looks: 0 });
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /**
   * Sends clients away: each answer is the last of its connection, lest requests keep coming on those that a balancer made
   * before it knew. Resolves after `http.shutdownDelayMs`, when submissions are refused.
   */
  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  /** Emits when held responses and streams must end. A subscription counts as one held response. */
  endOf(response: unknown): Observable<void> {
    return defer(() => {
      const held = outgoingOf(response);
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

  /**
   * Does not wait: closes the connections that would keep the server from closing for as long as their clients like, those that
   * do not read at once, and what is left when requests have had as long as jobs, `worker.drainTimeoutMs`.
   */
  closeStuck(): void {
    const look = setInterval(() => {
      const isOver = performance.now() >= this.#endOfRequests;
      for (const [socket, standing] of this.#sockets) if (isOver || isStuck(socket, standing)) socket.destroy();
      if (this.#sockets.size === 0 && !this.#server?.listening) clearInterval(look);
    }, LOOK_MS).unref();
  }

  get #server(): Server | undefined {
    return this.host.httpAdapter?.getHttpServer() as Server | undefined;
  }

  async #leave(): Promise<void> {
    const server = this.#server;
    this.#endOfRequests = performance.now() + this.options.worker.drainTimeoutMs;
    server?.prependListener('request', (_request: unknown, response: ServerResponse) => lastOfItsConnection(response));
    for (const response of this.#held) lastOfItsConnection(response);
    const { shutdownDelayMs } = this.options.http;
    if (shutdownDelayMs > 0) await pause(shutdownDelayMs);
    this.#refusing = true;
  }
}

/** How a connection was when it was last looked at. */
interface Standing {
  moved: number;
  /** How often in a row it had not moved, though there was something for its client to read. */
  looks: number;
}

function isStuck({ bytesWritten, writableLength }: Socket, standing: Standing): boolean {
  const moved = bytesWritten - writableLength;
  standing.looks = writableLength > 0 && moved === standing.moved ? standing.looks + 1 : 0;
  standing.moved = moved;
  return standing.looks > 1;
}

/** Sets `Connection: close` before the headers are sent. HTTP/2 has no such header and sends GOAWAY by itself. */
function lastOfItsConnection(response: ServerResponse): void {
  if (!response.headersSent && response.req.httpVersionMajor < 2) response.setHeader('Connection', 'close');
}

/** Node's response: Express's itself, or what Fastify's is around. */
export function outgoingOf(response: unknown): ServerResponse {
  return ((response as { raw?: ServerResponse }).raw ?? response) as ServerResponse;
}

/**
 * Resolves when the client has taken what was written, or is gone. One that takes nothing for `timeoutMs` is disconnected.
 */
export async function taken(response: ServerResponse, timeoutMs: number): Promise<void> {
  await setImmediate(); // what was just written goes through another stream first
  // HTTP/2 writes to a stream of its own.
  const target = (response as { stream?: typeof response }).stream ?? response;
  if (!target.writableNeedDrain || target.destroyed) return;
  await new Promise<void>((resolve) => {
    const late = setTimeout(() => target.destroy(), timeoutMs);
    const end = (): void => {
      clearTimeout(late);
      target.off('drain', end).off('close', end);
      resolve();
    };
    target.on('drain', end).on('close', end);
  });
}
