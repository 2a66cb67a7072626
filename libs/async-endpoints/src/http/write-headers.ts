import type { AbstractHttpAdapter } from '@nestjs/core';

/** Sets headers, but adds to `Vary`: others, such as CORS, have their own part in it. */
export function writeHeaders(
  adapter: AbstractHttpAdapter,
  response: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(headers)) {
    const others =
      name.toLowerCase() === 'vary' ? (adapter.getHeader(response, name) as string | string[] | undefined) : [];
    adapter.setHeader(response, name, [others ?? [], value].flat().join(', '));
  }
}
