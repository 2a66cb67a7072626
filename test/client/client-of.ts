import { AsyncEndpointsClient, type ClientOptions } from 'nestjs-async-endpoints/client';

/** A client with short delays before repeats. */
export function clientOf(url: string, options: ClientOptions = {}): AsyncEndpointsClient {
  return new AsyncEndpointsClient({
    baseUrl: url,
    routes: { Report: '/reports' },
    retry: { baseDelayMs: 10 },
    ...options,
  });
}

export function urlOf({ port }: { port: number }): string {
  return `http://127.0.0.1:${port}`;
}
