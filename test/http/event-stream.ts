import { type IncomingMessage, request } from 'node:http';
import type { JobRepresentation } from 'nestjs-async-endpoints';
import type { RunningApp } from './start-app.js';

export interface ReceivedEvent {
  readonly event?: string;
  readonly id?: string;
  readonly data?: string;
  readonly comment?: string;
}

/** A stream of server-sent events, read by hand: block by block, as they come over the wire. */
export class EventStream {
  readonly #chunks: AsyncIterator<string>;
  #text = '';

  private constructor(readonly response: IncomingMessage) {
    this.#chunks = response.setEncoding('utf8')[Symbol.asyncIterator]() as AsyncIterator<string>;
  }

  static open(app: Pick<RunningApp, 'port'>, path: string, headers: Record<string, string> = {}): Promise<EventStream> {
    return new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port: app.port, path, headers, agent: false });
      sent.on('response', (response) => resolve(new EventStream(response)));
      sent.on('error', reject);
      sent.end();
      onTestFinished(() => void sent.destroy());
    });
  }

  /** The next event or comment; `null` when the server has closed the stream. */
  async next(): Promise<ReceivedEvent | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const lines = this.#text.slice(0, end).split('\n').filter(Boolean);
        this.#text = this.#text.slice(end + 2);
        if (lines.length > 0) return Object.fromEntries(lines.map((line) => field(line)));
        continue;
      }
      const { done, value } = await this.#chunks.next();
      if (done) return null;
      this.#text = (this.#text + value).replace(/^\n+/, '');
    }
  }

  /** The next event that carries a job: its kind, its version and the job. */
  async nextJob(): Promise<{ event: string; version: number; job: JobRepresentation } | null> {
    for (let received = await this.next(); received; received = await this.next()) {
      const { event, id, data } = received;
      if (data !== undefined) {
        return {
          event: event as string,
          version: Number.parseInt(id as string, 10),
          job: JSON.parse(data) as JobRepresentation,
        };
      }
    }
    return null;
  }

  /** Disconnects, like a client. */
  close(): void {
    this.response.destroy();
  }
}

function field(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon) || 'comment', line.slice(colon + 1).replace(/^ /, '')];
}
