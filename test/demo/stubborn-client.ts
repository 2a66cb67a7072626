import { once } from 'node:events';
import { connect } from 'node:net';

/** Posts, reads nothing before it has sent everything, and answers the first line of what then came. */
export async function postWithoutListening(url: string, contentType: string, body: string): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    const head = [
      `POST ${pathname} HTTP/1.1`,
      `Host: ${hostname}`,
      `Content-Type: ${contentType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.write(`${head.join('\r\n')}\r\n\r\n${body}`, () => resolve());
    });
    const [answer] = (await once(socket, 'data')) as [Buffer];
    return answer.toString().split('\r\n', 1)[0] as string;
  } finally {
    socket.destroy();
  }
}
