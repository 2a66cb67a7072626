import { orAborted } from './scope.js';

/** An answer, or an event of a stream, that is longer than `maxResponseBytes`. */
export class TooLongError extends Error {
  override readonly name = 'TooLongError';

  constructor(maxBytes: number) {
    super(`The answer is longer than the ${maxBytes} bytes that maxResponseBytes allows.`);
  }
}

/**
 * Text of a body, piece by piece. Not by `for await`: not every browser can iterate a stream; nor is every `fetch` one that
 * ends its body when its signal is aborted.
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
    reader.cancel().catch(() => {}); // it may have been cut
  }
}

/** The whole text of a body. @throws TooLongError as soon as it is too long; the rest is not read */
export async function wholeTextOf(response: Response, signal: AbortSignal, maxBytes: number): Promise<string> {
  let text = '';
  for await (const piece of textOf(response, signal)) {
    text += piece;
    // A character is at least one byte.
    if (text.length > maxBytes) throw new TooLongError(maxBytes);
  }
  return text;
}
