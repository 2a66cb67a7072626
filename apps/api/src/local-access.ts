import type { AsyncDashboardOptions } from 'nestjs-async-endpoints/dashboard';

const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** The demo signs nobody in, so its dashboard is for a browser on the same machine, by a name that no other site can take. */
export const accessFromHere: NonNullable<AsyncDashboardOptions['access']> = (request) => {
  const { headers, socket } = request as unknown as {
    headers: { host?: string };
    socket: { remoteAddress?: string };
  };
  const isHere = LOOPBACK.test(socket.remoteAddress ?? '') && LOCAL_HOST.test(headers.host ?? '');
  return isHere ? 'operate' : 'none';
};
