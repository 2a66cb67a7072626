import { orAborted } from './scope.js';

/** A response or an event of a stream is longer than `maxResponseBytes`. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';

  constructor(maxBytes: number) {
    super(`The answer is longer than the ${maxBytes} bytes that maxResponseBytes allows.`);
  }
}

/**
 * Yields the text of a body in chunks. It does not use `for await`, because not every browser can iterate a stream, and not every
 * `fetch` ends the body when its signal is aborted.
 */
export async function* textOf(
  { body }: Response,
  signal: AbortSignal,
  beforeEachRead: () => void = () => {},
): AsyncGenerator<string, void, void> {
  if (!body) return;
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      beforeEachRead();
      const { done, value } = await orAborted(reader.read(), signal);
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    reader.cancel().catch(() => {}); // the stream may already be broken
  }
}

/** Reads the whole text of a body. @throws TooLongError as soon as it is too long; the rest is not read */
export async function wholeTextOf(response: Response, signal: AbortSignal, maxBytes: number): Promise<string> {
  let text = '';
  for await (const piece of textOf(response, signal)) {
    text += piece;
    // A character is at least one byte.
    if (text.length > maxBytes) throw new TooLongError(maxBytes);
  }
  return text;
}
