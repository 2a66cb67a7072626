import { TooLongError } from './read-body.js';

/** One server-sent event. */
export interface ServerSentEvent {
  /** `message` when the server sent no event name. */
  readonly event: string;
  /** The lines of data, joined by `\n`. */
  readonly data: string;
  /** The last id of the stream, from this event or an earlier one. */
  readonly id: string;
}

/**
 * Parses a `text/event-stream` according to the HTML standard, from decoded text in chunks that may end anywhere. Ignores
 * comments, unknown fields, events without data, and an incomplete event at the end.
 */
export class EventParser {
  /** The beginning of an incomplete line. */
  #line = '';
  /** The last chunk ended with CR. A following LF belongs to it. */
  #afterReturn = false;
  #event = '';
  #data: string[] = [];
  /** The total length of the lines of data. */
  #dataLength = 0;
  #id = '';
  #retryMs: number | null = null;

  /** @param maxLength the longest event */
  constructor(private readonly maxLength = Infinity) {}

  /** The `retry` of the stream: how long to wait before a reconnect; `null` without one. */
  get retryMs(): number | null {
    return this.#retryMs;
  }

  /** Returns the events that this chunk completes. @throws TooLongError for an event that is too long, complete or not */
  push(chunk: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let start = this.#afterReturn && chunk.startsWith('\n') ? 1 : 0;
    if (chunk !== '') this.#afterReturn = chunk.endsWith('\r');
    for (const { 0: end, index } of chunk.matchAll(/\r\n|\r|\n/g)) {
      if (index < start) continue;
      const event = this.#take(this.#line + chunk.slice(start, index));
      if (event) events.push(event);
      this.#line = '';
      start = index + end.length;
    }
    this.#line += chunk.slice(start);
    this.#limit(this.#line.length);
    return events;
  }

  #take(line: string): ServerSentEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon < 0) this.#set(line, '');
    else this.#set(line.slice(0, colon), line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1));
    return null;
  }

  /** A comment is a field without a name. */
  #set(field: string, value: string): void {
    if (field === 'event') this.#event = value;
    if (field === 'data') this.#addData(value);
    if (field === 'id' && !value.includes('\0')) this.#id = value;
    if (field === 'retry' && /^\d+$/.test(value)) this.#retryMs = Number(value);
  }

  #addData(value: string): void {
    this.#data.push(value);
    this.#dataLength += value.length + 1;
    this.#limit(0);
  }

  #limit(more: number): void {
    if (this.#dataLength + more > this.maxLength) throw new TooLongError(this.maxLength);
  }

  #dispatch(): ServerSentEvent | null {
    const [event, data] = [this.#event || 'message', this.#data];
    this.#event = '';
    this.#data = [];
    this.#dataLength = 0;
    return data.length > 0 ? { event, data: data.join('\n'), id: this.#id } : null;
  }
}
