import type { ServerResponse } from 'node:http';
import { ServiceUnavailableException } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { encodeExact } from './exact-json.js';

export interface Message {
  readonly data: object | string;
  /** Default: `message`. */
  readonly type?: string;
}

/** The reply of Fastify, or the response of Express. */
export interface StreamReply {
  raw?: ServerResponse;
  hijack?(): unknown;
}

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  'x-content-type-options': 'nosniff',
  'x-accel-buffering': 'no',
};

/** Of a process: each stream holds a connection. */
const MAX_STREAMS = 1_000;
let open = 0;

/**
 * Sends messages as an event stream, past the interceptors of the application, which may wrap what its own routes return. A slow
 * reader gets the latest message when it has read the one before.
 *
 * @throws ServiceUnavailableException when too many streams are open
 */
export function sendMessages(reply: StreamReply, messages: Observable<Message>): void {
  if (open >= MAX_STREAMS) throw new ServiceUnavailableException('Too many pages are open.');
  reply.hijack?.();
  const response = reply.raw ?? (reply as ServerResponse);
  response.writeHead(200, HEADERS);
  response.flushHeaders();
  if (response.req.method === 'HEAD') return void response.end();
  let latest: Message | undefined;
  const send = () => {
    if (!latest || response.writableNeedDrain) return;
    const { type, data } = latest;
    latest = undefined;
    response.write(`${type ? `event: ${type}\n` : ''}data: ${encodeExact(data)}\n\n`);
  };
  const end = () => void response.end();
  open++;
  const subscription = messages.subscribe({
    next(message) {
      if (message.type === undefined || !latest) latest = message;
      send();
    },
    error: end,
    complete: end,
  });
  response.on('drain', send);
  response.on('close', () => {
    open--;
    subscription.unsubscribe();
  });
}
