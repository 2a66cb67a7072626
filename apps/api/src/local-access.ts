import type { AsyncDashboardOptions } from 'nestjs-async-endpoints/dashboard';

const LOOPBACK = /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * The demo has no login, so its dashboard accepts only a browser on the same machine, with a host name that no other
 * site can use.
 */
export const accessFromHere: NonNullable<AsyncDashboardOptions['access']> = (request) => {
  const { headers, socket } = request as unknown as {
    headers: { host?: string };
    socket: { remoteAddress?: string };
  };
  const isHere = LOOPBACK.test(socket.remoteAddress ?? '') && LOCAL_HOST.test(headers.host ?? '');
  return isHere ? 'operate' : 'none';
};
