import { connect } from 'node:net';

/** A request as bytes, right or wrong, and what of it a test needs to know. */
export interface RawRequest {
  readonly head: string;
  readonly body: Buffer;
  /** The JSON text that an accepted submission stands for, where the body is nothing but that. */
  readonly json?: string;
  /**
   * Where an unsound body ends is for the parser to say: its 400 may come before the answer of an application that did not
   * wait for the body. A client that cuts its body off is owed no answer at all.
   */
  readonly framing: 'sound' | 'unsound' | 'cut off';
  readonly [describe: symbol]: () => string;
}

export interface RawAnswer {
  /** `null` where the connection was closed without a word. */
  readonly status: number | null;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

const PATIENCE_MS = 15_000;

/**
 * Sends the bytes on a connection of their own, and reads until the answer is complete or the server closes it.
 *
 * @throws Error where the server leaves it hanging
 */
export function exchange(port: number, { head, body, framing }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1').setEncoding('utf8');
    const hanging = setTimeout(() => {
      socket.destroy();
      reject(new Error(`No end after ${PATIENCE_MS} ms of: ${received.slice(0, 500)}`));
    }, PATIENCE_MS);
    socket.on('data', (chunk: string) => {
      received += chunk;
      if (isWholeStream(received, head.startsWith('HEAD '))) socket.end();
    });
    socket.on('error', () => {}); // the server may hang up on what it will not read
    socket.on('close', () => {
      clearTimeout(hanging);
      resolve(parse(received));
    });
    socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]));
    if (framing === 'cut off') socket.end();
  });
}

/** Nest keeps the connection of a stream of events, though asked to close it. */
function isWholeStream(received: string, isHead: boolean): boolean {
  const { headers, text } = parse(received);
  if (headers.get('content-type') !== 'text/event-stream') return false;
  return isHead || text.endsWith('\r\n0\r\n\r\n');
}

function parse(received: string): RawAnswer {
  const text = received.replace(/^HTTP\/1\.1 1\d\d [^]*?\r\n\r\n/, '');
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = end < 0 ? [] : text.slice(0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(statusLine);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: status ? Number(status[1]) : null, headers: new Map(headers), text };
}
