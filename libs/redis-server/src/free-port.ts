import { once } from 'node:events';
import { createServer } from 'node:net';

/** Low enough for a cluster's second port, which is 10,000 higher. */
const HIGHEST_PORT = 55_000;

/** A port of this machine that nobody listens at. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port <= HIGHEST_PORT ? port : freePort();
}
